"""The distributed way with everything under it in the test's own hands, to be hurt.

A process of each part, each behind proxies of its own before the three nodes of a broker; a server
of databases and a relay that can go away and come back where they were.
"""

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from yarl import URL

from chassis.database import roles
from chassis.rabbit.topology import Topology, topology_of
from guichet.parts import DELIVERY, SERVICES
from guichet.postgres import launcher
from tests.support.claims import comes_about
from tests.support.cut import Proxy, proxied
from tests.support.parts import RunningApart, running_apart
from tests.support.post_office import PostOffice
from tests.support.postgres import CONNECTIONS
from tests.support.projected import assert_projections_told
from tests.support.promises import (
    WAITING,
    assert_confirmed_exists_once,
    assert_mails_came,
    assert_nothing_dead,
    assert_projections_equal,
    copies,
    rows,
)
from tests.support.rabbitmq import Cluster, Node, provide_cluster
from tests.support.towns import Load, Town
from tests.support.waiting import bounded

RELAY_TIMEOUT_S = 3.0
"""A mail whose sender was killed waits for its lease's end, which follows from this."""
SETTLED_WITHIN_S = 120.0
IN_OUR_SOCKETS_S = 0.5

BROKEN_OFF = "SELECT FROM inbox WHERE kills > 0"
SENT = "SELECT id, envelope->>'type' AS type FROM outbox WHERE sent_at IS NOT NULL"
LACKING = """
    SELECT count(*) FROM unnest(CAST($1 AS uuid[])) AS sent (id)
    WHERE NOT EXISTS (SELECT FROM inbox WHERE inbox.id = sent.id)
        AND NOT EXISTS (SELECT FROM inbox_seen WHERE inbox_seen.id = sent.id)
"""
QUEUED = "SELECT count(*) FROM mails WHERE state = 'queued'"


class Databases:
    """A server of databases that can end and start again at the same port."""

    def __init__(self, folder: Path) -> None:
        launcher.SETTINGS["max_connections"] = str(CONNECTIONS)
        self._server = launcher.start(folder, say=lambda _line: None)

    @property
    def url(self) -> str:
        """An administrator's."""
        return self._server.admin_url()

    async def restart(self) -> None:
        """Break off all that is under way, and recover. From the main thread."""
        steps = launcher.restarting(self._server, say=lambda _line: None)
        while True:
            try:
                pause_s = next(steps)
            except StopIteration as end:
                self._server = end.value
                return
            await asyncio.sleep(pause_s)

    def close(self) -> None:
        """End."""
        launcher.stop(self._server)


@dataclass
class Beset:
    """The installation, what is under it, and what became of the towns so far."""

    whole: RunningApart
    databases: Databases
    cluster: Cluster
    office: PostOffice
    ways: dict[str, list[Proxy]]
    """By process, its proxies before each node."""
    towns: list[Town] = field(default_factory=list)
    deliverers_died: list[float] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    """How often what was done."""
    loads: int = 0

    @property
    def names(self) -> list[str]:
        """The processes."""
        return self.whole.parts.names

    @property
    def topology(self) -> Topology:
        """What is at the broker."""
        return topology_of(SERVICES.values(), roles.PREFIX)

    async def database(self, service: str) -> asyncpg.Connection:
        """A superuser's connection to a service's database."""
        return await self.whole.admin(service)

    def tail(self) -> str:
        """What each process said last."""
        parts = self.whole.parts
        return "\n".join(f"── {name}\n{parts.tail(name)[-1500:]}" for name in parts.names)

    def start(self, *names: str) -> None:
        """Start these processes, each by its own ways to the broker. From the main thread."""
        for name in names:
            urls = [
                str(URL(node.url).with_port(way.port))
                for node, way in zip(self.cluster.nodes, self.ways[name], strict=True)
            ]
            self.whole.parts.start(name, rabbitmq_urls=",".join(urls))

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.whole.parts.kill(name)
        if name.partition(".")[0] in {DELIVERY, "notifier"}:
            self.deliverers_died.append(time.monotonic() + IN_OUR_SOCKETS_S)

    def connected(self) -> Node:
        """The node that most connections go to."""
        nodes = self.cluster.nodes
        return max(
            nodes, key=lambda node: sum(ways[nodes.index(node)].open for ways in self.ways.values())
        )

    async def calm(self) -> None:
        """Wait until every process lacks nothing, and what kills broke off has been handled.

        A row that is killed twice while it runs alone is dead, as it must be. Here the kills are
        the test's and not its own: so each such row has its turn before the next.
        """
        async with bounded(SETTLED_WITHIN_S, self.tail):
            await asyncio.to_thread(self.whole.parts.await_ready)

        async def nothing_broken_off() -> bool:
            return not any([await rows(self, name, BROKEN_OFF) for name in SERVICES])

        await comes_about(nothing_broken_off, "the end of what kills broke off", SETTLED_WITHIN_S)

    async def settled(self) -> None:
        """Wait until every event was carried and handled, and every mail was sent."""
        before: dict[str, int] = {}
        async with bounded(SETTLED_WITHIN_S, lambda: f"{before}\n{self.tail()}"):
            while True:
                now = await self._under_way()
                if before == now and not any(
                    count for name, count in now.items() if not name.endswith("told")
                ):
                    return
                before = now
                await asyncio.sleep(0.1)

    async def _under_way(self) -> dict[str, int]:
        """How much is where; what was told in all, too, since counts are taken one by one."""
        found = {"mails": int((await rows(self, "notifier", QUEUED))[0][0])}
        sent = {name: await rows(self, name, SENT) for name in SERVICES}
        for name in SERVICES:
            found[f"{name} told"] = len(sent[name])
            found[f"{name} waiting"] = int((await rows(self, name, WAITING))[0][0])
            kept = self.topology.kept[name]
            ids = [id for some in sent.values() for id, type_name in some if type_name in kept]
            connection = await self.database(name)
            try:
                found[f"{name} lacking"] = await connection.fetchval(LACKING, ids)
            finally:
                await connection.close()
        return found

    @contextlib.asynccontextmanager
    async def load(self, at_once: int = 2) -> AsyncIterator[Load]:
        """Towns live while the block runs; afterwards every promise is held against them all."""
        self.loads += 1
        async with Load(
            self.whole.port, self.office, at_once=at_once, kind=f"ville-{self.loads}"
        ) as load:
            yield load
            await self.calm()
        self.towns += load.towns
        await self.settled()
        await self.hold(load)

    async def hold(self, load: Load) -> None:
        """Every accepted request once, every mail, every projection, nothing dead, no secret."""
        await assert_nothing_dead(self)
        await assert_confirmed_exists_once(self, self.towns)
        await assert_mails_came(self, self.towns, self.office)
        await assert_projections_equal(self)
        told = await assert_projections_told(self, self.whole.installation.databases)
        assert told["requests.project_requester"] > 0
        for one in copies(self.office.arrivals):
            between = [at for at in self.deliverers_died if one.first.at < at < one.again.at]
            assert between, "a mail came twice though nobody who sends died"
        logged = "".join(self.whole.parts.logged(name) for name in self.names)
        assert [secret for secret in load.secrets() if secret in logged] == []


@contextlib.asynccontextmanager
async def beset(databases: Databases, folder: Path) -> AsyncIterator[Beset]:
    """All of it, started and settled."""
    async with contextlib.AsyncExitStack() as stack:
        cluster = await asyncio.to_thread(provide_cluster)
        stack.callback(cluster.close)
        office = PostOffice()
        stack.callback(office.close)
        whole = await stack.enter_async_context(
            running_apart(
                databases.url,
                cluster.urls[0],
                folder,
                start=False,
                relay_port=office.port,
                relay_timeout_s=RELAY_TIMEOUT_S,
            )
        )
        ways = {
            name: [
                await stack.enter_async_context(proxied("127.0.0.1", node.port))
                for node in cluster.nodes
            ]
            for name in whole.parts.names
        }
        one = Beset(whole, databases, cluster, office, ways)
        one.start(*one.names)
        await one.calm()
        await one.settled()
        yield one


@contextlib.contextmanager
def databases() -> Iterator[Databases]:
    """A server of databases of the test's own."""
    with tempfile.TemporaryDirectory(prefix="guichet-hurt-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o711)  # root's PostgreSQL runs as a user who must come in
        server = Databases(Path(place) / "data")
        try:
            yield server
        finally:
            server.close()
