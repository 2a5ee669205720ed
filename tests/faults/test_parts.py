"""The distributed way: parts as processes of their own, two of each, stopped and started."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import yaml
from sqlalchemy import text

from chassis.front import LEAVING
from gateway.app import Gateway
from gateway.by_http import ByHttp
from guichet.demo_data import DEMO, demo_file
from guichet.parts import PARTS
from tests.support.cut import proxied
from tests.support.installation import BROWSER, free_port
from tests.support.parts import Loopback, RunningApart, running_apart
from tests.support.people import Somebody, files, registers, signed_in, somebody
from tests.support.rabbitmq import Node, provide_cluster
from tests.support.waiting import bounded

pytestmark = [pytest.mark.xdist_group("parts"), pytest.mark.timeout(400)]

HOST = f"{DEMO}.localhost"
TENANT = UUID(yaml.safe_load(demo_file(DEMO, "tenant.yaml"))["tenant_id"])
PROCEDURE = "anomalie-logiciel-ypolice"
FRESH_S = 3.0
SEEN_WITHIN_S = 1.0
SLACK_S = 3.0
"""What a busy machine may add to the bounds that are counted in seconds."""
LEAVES_WITHIN_S = 10.0
"""After so long, whoever stops a part may lose patience."""


@pytest.fixture(scope="module")
def broker() -> Iterator[Node]:
    """A broker of this file's own, which can be stopped."""
    cluster = provide_cluster(1)
    yield cluster.nodes[0]
    cluster.close()


@pytest.fixture(scope="module")
async def whole(
    postgres_url: str, broker: Node, worker_folder: Path
) -> AsyncIterator[RunningApart]:
    """Two processes of each part; a session is believed for three seconds instead of sixty."""
    folder = worker_folder / "twice"
    counts = dict.fromkeys(PARTS, 2)
    async with running_apart(
        postgres_url, broker.url, folder, counts=counts, session_fresh_s=FRESH_S
    ) as whole:
        yield whole


@contextlib.asynccontextmanager
async def at(whole: RunningApart, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that comes to this very gateway."""
    async with httpx.AsyncClient(
        transport=Loopback(whole.parts.port(name)),
        base_url=f"http://{HOST}:{whole.port}",
        headers=BROWSER,
    ) as client:
        yield client


async def a_customer(whole: RunningApart) -> Somebody:
    return await somebody(whole, TENANT, HOST)


async def comes_about(holds: Callable[[], Awaitable[bool]], within_s: float) -> float:
    """Wait until it holds. Answers how long that took."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with bounded(within_s):
        while not await holds():  # noqa: ASYNC110  # other processes, seen by asking
            await asyncio.sleep(0.02)
    return loop.time() - begun


def degraded(whole: RunningApart, name: str) -> set[str]:
    """What the process says that it lacks."""
    return set(whole.parts.readiness(name)[1].get("degraded", ()))


async def hears(whole: RunningApart, *, it: bool) -> None:
    """Wait until all gateways hear what is told, or none does."""

    async def so() -> bool:
        lacks = [degraded(whole, name) for name in whole.parts.names_of("gateway")]
        return all(("broadcast" not in one) is it for one in lacks)

    await comes_about(so, 60)


async def is_asked_to_sign_in(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/requests")
    return answer.status_code == 303 and "/sign-in" in answer.headers["location"]


# ── A session that ended at one gateway, replayed at another ─────────────────────────────────────


async def test_a_session_that_ended_elsewhere_is_refused_within_a_second(
    whole: RunningApart,
) -> None:
    took = []
    for _ in range(3):
        who = await a_customer(whole)
        async with at(whole, "gateway.1") as here, at(whole, "gateway.2") as there:
            for client in (here, there):
                signed_in(client, whole, who)
                assert (await client.get("/requests")).status_code == 200
            assert (await here.post("/sign-out")).status_code == 303
            took.append(await comes_about(lambda client=there: is_asked_to_sign_in(client), 20))  # type: ignore[misc]  # bound at once
    assert sorted(took)[1] < SEEN_WITHIN_S


async def test_without_the_broker_it_is_refused_within_the_minute(
    whole: RunningApart, broker: Node
) -> None:
    """The minute is three seconds here. Identity is away in the end, too: sign-in is asked."""
    who, other = await a_customer(whole), await a_customer(whole)
    await asyncio.to_thread(broker.kill)
    try:
        await hears(whole, it=False)
        async with (
            at(whole, "gateway.1") as here,
            at(whole, "gateway.2") as there,
            at(whole, "gateway.2") as stays,
        ):
            for client, person in ((here, who), (there, who), (stays, other)):
                signed_in(client, whole, person)
                assert (await client.get("/requests")).status_code == 200
            assert (await here.post("/sign-out")).status_code == 303
            took = await comes_about(lambda: is_asked_to_sign_in(there), 30)
            assert took < FRESH_S + SLACK_S
            assert (await stays.get("/requests")).status_code == 200
            whole.parts.kill("identity.1", "identity.2")
            took = await comes_about(lambda: is_asked_to_sign_in(stays), 30)
            assert took < FRESH_S + SLACK_S
    finally:
        await asyncio.to_thread(broker.start)
        for name in whole.parts.names_of("identity"):
            if whole.parts.has_ended(name):
                whole.parts.start(name)
        await asyncio.to_thread(whole.parts.await_ready)


async def test_a_known_session_serves_on_while_identity_alone_is_away(whole: RunningApart) -> None:
    who = await a_customer(whole)
    async with at(whole, "gateway.1") as client:
        signed_in(client, whole, who)
        assert (await client.get("/requests")).status_code == 200
        whole.parts.kill("identity.1", "identity.2")
        try:
            await asyncio.sleep(FRESH_S)  # as long as an answer is believed
            assert (await client.get("/requests")).status_code == 200
            assert (await client.get("/")).status_code == 200
            assert (await client.get("/sign-in")).status_code == 503
        finally:
            whole.parts.start("identity.1", "identity.2")
            await asyncio.to_thread(whole.parts.await_ready, "identity.1", "identity.2")


# ── A rolling restart ────────────────────────────────────────────────────────────────────────────


class Balancer(httpx.AsyncBaseTransport):
    """Two gateways in turn: the other where connecting failed, or where one says that it leaves."""

    AVOIDED_S = 5.0

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._next = 0
        self._avoided: dict[int, float] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Each on a connection of its own, sent once."""
        loop = asyncio.get_running_loop()
        self._next += 1
        turn = self._next % len(self._ports)
        in_turn = sorted(
            self._ports[turn:] + self._ports[:turn],
            key=lambda port: self._avoided.get(port, 0) > loop.time(),
        )
        await request.aread()
        for port in in_turn:
            try:
                async with httpx.AsyncClient(transport=Loopback(port), timeout=30) as client:
                    answer = await client.send(
                        httpx.Request(
                            request.method,
                            request.url,
                            headers=[*request.headers.raw, (b"Connection", b"close")],
                            content=request.content,
                        )
                    )
            except httpx.ConnectError:
                self._avoided[port] = loop.time() + self.AVOIDED_S
                continue
            if LEAVING in answer.headers:
                self._avoided[port] = loop.time() + self.AVOIDED_S
            return answer
        raise httpx.ConnectError("no gateway accepts")


async def test_a_rolling_restart_fails_no_request(whole: RunningApart) -> None:
    balancer = Balancer([whole.parts.port(name) for name in whole.parts.names_of("gateway")])
    failed: list[str] = []
    asked, done = 0, asyncio.Event()
    filed: dict[str, list[UUID]] = defaultdict(list)

    async def reads(who: Somebody) -> None:
        nonlocal asked
        async with customer(who) as client:
            while not done.is_set():
                for path in ("/", "/requests", "/profile", f"/procedures/{PROCEDURE}"):
                    answer = await client.get(path)
                    asked += 1
                    if answer.status_code != 200:
                        failed.append(f"GET {path}: {answer.status_code}")

    async def sends(who: Somebody) -> None:
        async with customer(who) as client:
            while not done.is_set():
                filed[who.address].append(await files(client, PROCEDURE))

    def customer(who: Somebody) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=balancer, base_url=f"http://{HOST}:{whole.port}", headers=BROWSER
        )
        signed_in(client, whole, who)
        return client

    people = [await a_customer(whole) for _ in range(4)]
    load = [
        asyncio.create_task(one)
        for one in (reads(people[0]), reads(people[1]), sends(people[2]), sends(people[3]))
    ]
    try:
        for number in (1, 2):
            names = [f"{part}.{number}" for part in PARTS]
            await asyncio.to_thread(whole.parts.stop, *names)
            whole.parts.start(*names)
            await asyncio.to_thread(whole.parts.await_ready, *names)
    finally:
        done.set()
        outcomes = await asyncio.gather(*load, return_exceptions=True)
    assert [repr(one) for one in outcomes if one is not None] == []
    assert failed == []
    assert asked > 20
    everything = {one for some in filed.values() for one in some}
    assert len(everything) > 2
    await whole.settled()
    async with whole.installation.runtimes["requests"].database.begin(TENANT) as work:
        found = await work.db.execute(
            text("SELECT id FROM requests WHERE person_id = ANY(:people)"),
            {"people": [one.person_id for one in people]},
        )
        assert set(found.scalars()) == everything
    for address, some in filed.items():
        assert len(await whole.mails_to(address, count=len(some), within_s=60)) == len(some)


# ── What starts before what it stands on ─────────────────────────────────────────────────────────


@pytest.fixture
async def cold(postgres_url: str, broker: Node, tmp_path: Path) -> AsyncIterator[RunningApart]:
    """An installation of which nothing has been started, on a broker that knows nothing of it."""
    async with running_apart(postgres_url, broker.url, tmp_path / "cold", start=False) as whole:
        yield whole


async def test_registrations_made_with_identity_alone_arrive_when_the_others_first_start(
    cold: RunningApart,
) -> None:
    parts, addresses = cold.parts, [f"mairie-{number}@ville.example" for number in range(3)]
    parts.start("identity.1")
    await asyncio.to_thread(parts.await_ready, "identity.1")
    upstream = ByHttp({"identity": [f"http://127.0.0.1:{parts.port('identity.1')}"]})
    gateway = Gateway(cold.installation.settings, cold.installation.keys, upstream)
    await gateway.load()
    try:
        for address in addresses:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(gateway), base_url=f"http://{HOST}", headers=BROWSER
            ) as browser:
                await registers(browser, address)
    finally:
        await upstream.close()
    others = [name for name in parts.names if name != "identity.1"]
    parts.start(*others)
    await asyncio.to_thread(parts.await_ready)
    await cold.settled()
    for address in addresses:
        assert len(await cold.mails_to(address, within_s=30)) == 1
    async with cold.installation.runtimes["requests"].database.begin(TENANT) as work:
        recorded = await work.db.execute(text("SELECT count(*) FROM requests"))
        assert recorded.scalar_one() == len(addresses)


async def test_a_gateway_without_its_snapshot_answers_503_and_then_serves(
    cold: RunningApart,
) -> None:
    parts = cold.parts
    parts.start("gateway.1", "catalog.1")
    async with at(cold, "gateway.1") as visitor:

        async def answers(status: int) -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await visitor.get("/")).status_code == status
            return False

        await comes_about(lambda: answers(503), 60)
        assert (await visitor.get("/")).headers["retry-after"]
        assert (await visitor.get("/livez")).status_code == 200

        async def lacks_the_snapshot_alone() -> bool:
            return parts.readiness("gateway.1") == (503, {"ready": False, "tenants": False})

        await comes_about(lacks_the_snapshot_alone, 60)
        parts.start("identity.1")
        await comes_about(lambda: answers(200), 60)
        assert parts.readiness("gateway.1")[0] == 200


async def test_a_part_serves_without_the_broker_and_says_so(cold: RunningApart) -> None:
    nowhere = f"amqp://guest:guest@127.0.0.1:{free_port()}/"
    names = ("identity.1", "catalog.1", "gateway.1")
    cold.parts.start(*names, rabbitmq_urls=nowhere)
    async with at(cold, "gateway.1") as visitor:

        async def serves() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await visitor.get("/sign-in")).status_code == 200
            return False

        await comes_about(serves, 60)
    assert degraded(cold, "gateway.1") == {"broadcast"}

    database = await cold.admin("identity")
    try:  # the broker is missed once there is something to publish
        await database.execute("UPDATE outbox SET sent_at = NULL")
    finally:
        await database.close()

    async def lacks_all() -> bool:
        return degraded(cold, "identity.1") == {"broadcast", "broker", "inbox"}

    await comes_about(lacks_all, 60)
    cold.parts.stop(*names)  # within its bound, though nothing could be published


async def test_a_part_whose_database_is_away_is_not_ready_and_serves_when_it_is_back(
    cold: RunningApart, postgres_url: str
) -> None:
    port = free_port()
    cold.parts.start("catalog.1", postgres_url=f"postgresql://127.0.0.1:{port}")

    async def answers(status: int) -> bool:
        # In a thread: what forwards to the databases runs in this loop.
        return (await asyncio.to_thread(cold.parts.readiness, "catalog.1"))[0] == status

    await comes_about(lambda: answers(503), 60)
    async with forwarding(port, postgres_url):
        await comes_about(lambda: answers(200), 60)
        await asyncio.to_thread(cold.parts.stop, "catalog.1")


async def test_a_part_whose_database_says_nothing_leaves_within_its_bound(
    cold: RunningApart, postgres_url: str
) -> None:
    parsed = httpx.URL(postgres_url)

    async def answers(status: int) -> bool:
        return (await asyncio.to_thread(cold.parts.readiness, "notifier.1"))[0] == status

    async with proxied(parsed.host, parsed.port or 5432) as proxy:
        through = str(parsed.copy_with(host="127.0.0.1", port=proxy.port))
        cold.parts.start("notifier.1", postgres_url=through)
        await comes_about(lambda: answers(200), 60)
        proxy.pause()
        within_s = LEAVES_WITHIN_S + 2 * SLACK_S
        await asyncio.to_thread(cold.parts.stop, "notifier.1", within_s=within_s)


@contextlib.asynccontextmanager
async def forwarding(port: int, url: str) -> AsyncIterator[None]:
    """The server of databases, on another port too."""
    parsed = httpx.URL(url)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(parsed.host, parsed.port)
        await asyncio.gather(copy(reader, outer), copy(inner, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
