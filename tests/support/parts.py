"""The distributed way, for tests: the Procfile's processes on free ports, with a broker, a server
of databases and a catcher of mails that the tests provide.

Each process is started, stopped and killed by its own id, several of a part where wanted, and ends
with the tests whatever becomes of them.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from sqlalchemy import text

from chassis.database import roles
from chassis.keys import Keys
from chassis.outbox import notifying
from chassis.settings import Settings
from chassis.work import Database
from deploy.apart import PROJECT, Process, end_with_parent, processes
from guichet.demo_data import load_demos
from guichet.embedded import Installation
from guichet.mailbox import Mailbox
from guichet.parts import migrate_all
from tests.support.installation import Running, free_port
from tests.support.names import names_apart
from tests.support.waiting import until

HOST = "127.0.0.1"
READY_WITHIN_S = 60.0
ENDED_WITHIN_S = 20.0


class Parts:
    """The processes of an installation, by name: `identity.1`, `identity.2` …"""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, object],
        counts: Mapping[str, int] | None = None,
        *,
        gateway_port: int,
    ) -> None:
        self.folder = folder
        self._settings = dict(settings)

        def port_of(part: str, number: int) -> int:
            return gateway_port if (part, number) == ("gateway", 1) else free_port()

        self._all = {one.name: one for one in processes(counts or {}, port_of)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def names(self) -> list[str]:
        """Every process that there may be."""
        return list(self._all)

    def names_of(self, part: str) -> list[str]:
        """The processes of a part."""
        return [name for name, one in self._all.items() if one.part == part]

    def port(self, name: str = "gateway.1") -> int:
        """Where that process listens."""
        return self._all[name].port

    def pid(self, name: str) -> int:
        """The id of that process, which must have been started."""
        return self._running[name].pid

    def environment(self, process: Process, **settings: object) -> dict[str, str]:
        """What a process is given, and nothing of the tests' own."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        given = {**self._settings, **settings}
        return {
            **kept,
            **{f"GUICHET_{name.upper()}": str(value) for name, value in given.items()},
            **process.settings,
        }

    def start(self, *names: str, **settings: object) -> None:
        """Start these processes, or all, without waiting for them."""
        for name in names or self.names:
            assert self.has_ended(name), f"{name} runs already"
            process = self._all[name]
            with self._log(name).open("ab") as logged:
                self._running[name] = subprocess.Popen(
                    process.command,
                    cwd=PROJECT,
                    stdin=subprocess.DEVNULL,
                    stdout=logged,
                    stderr=logged,
                    env=self.environment(process, **settings),
                    start_new_session=True,
                    preexec_fn=end_with_parent,  # noqa: PLW1509 - one system call, no lock
                )

    def await_ready(self, *names: str, within_s: float = READY_WITHIN_S) -> None:
        """Wait until these processes, or all, are ready."""
        for name in names or self.names:
            # Not asked once more: what was ready a moment ago may lack something by now.
            is_over = until(partial(self._is_ready_or_ended, name), within_s)
            told = f"{name}: {self.readiness(name)} {self.tail(name)}"
            assert is_over, told
            assert not self.has_ended(name), told

    def readiness(self, name: str) -> tuple[int, dict[str, Any]]:
        """What `/readyz` of that process says now; 0 where it does not answer."""
        connection = http.client.HTTPConnection(HOST, self.port(name), timeout=3)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
        finally:
            connection.close()

    def is_ready(self, name: str) -> bool:
        """Does it say so, lacking nothing?"""
        status, told = self.readiness(name)
        return status == 200 and not told.get("degraded")

    def _is_ready_or_ended(self, name: str) -> bool:
        return self.is_ready(name) or self.has_ended(name)

    def has_ended(self, name: str) -> bool:
        """Is the process no more?"""
        return name not in self._running or self._running[name].poll() is not None

    def kill(self, *names: str) -> None:
        """End these as a machine's memory guard does."""
        self._send(signal.SIGKILL, names)
        for name in names:
            self._running[name].wait(10)

    def stop(self, *names: str, within_s: float = ENDED_WITHIN_S) -> None:
        """Ask these, or all that run, to stop, and wait until they have."""
        some = names or tuple(name for name in self.names if not self.has_ended(name))
        self._send(signal.SIGTERM, some)
        for name in some:
            try:
                status = self._running[name].wait(within_s)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{name} goes on: {self.tail(name)}") from None
            assert status == 0, f"{name} ended with {status}: {self.tail(name)}"

    def close(self) -> None:
        """End whatever still runs."""
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
                process.wait(10)

    def logged(self, name: str) -> str:
        """All that the process has said, over all its starts."""
        path = self._log(name)
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def tail(self, name: str) -> str:
        """The end of it, for a failure's message."""
        return self.logged(name)[-3000:]

    def _send(self, signum: signal.Signals, names: tuple[str, ...]) -> None:
        for name in names:
            self._running[name].send_signal(signum)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


class Loopback(httpx.AsyncBaseTransport):
    """Connects to this machine whatever the host's name, which is sent as it is."""

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sent as another: cookies are kept for the host that was asked."""
        url = request.url.copy_with(host=HOST, port=self._port or request.url.port)
        sent = httpx.Request(
            request.method,
            url,
            headers=request.headers.raw,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await self._inner.handle_async_request(sent)

    async def aclose(self) -> None:
        """Let go of its connections."""
        await self._inner.aclose()


@dataclass
class RunningApart(Running):
    """What a test needs to see of an installation whose parts are processes of their own.

    Its `installation` runs nothing: tests reach the services' databases, keys and routes by it.
    """

    parts: Parts = field(kw_only=True)
    _carried: dict[str, int] = field(default_factory=dict, kw_only=True)

    def transport(self) -> httpx.AsyncBaseTransport:
        """To the gateway's port."""
        return Loopback()

    def straight_to(self, service: str) -> httpx.AsyncBaseTransport:
        """To a process of the service, past the gateway."""
        return Loopback(self.parts.port(f"{service}.1"))

    async def settled(self) -> None:
        """Wait until every event has been carried and handled."""
        async with asyncio.timeout(60):
            while await self._is_under_way():  # noqa: ASYNC110  # processes, and databases
                await asyncio.sleep(0.05)
        await self.installation.gateway.load()  # the tenants that tests look up by host

    async def _is_under_way(self) -> bool:
        """Is something unpublished, unhandled, or between the two, at the broker?"""
        runtimes = self.installation.runtimes
        if not await self.installation.settled(within_s=0.2):
            return True
        carried: dict[str, int] = {}
        for source, runtime in runtimes.items():
            async with runtime.database.mover.connect() as connection:
                found = await connection.execute(SENT, {"after": self._carried.get(source, 0)})
                sent = found.all()
            for service, target in runtimes.items():
                ids = [row.id for row in sent if row.type in target.inbox.types]
                if ids and await self._lacks(service, ids):
                    return True
            carried[source] = max((row.position for row in sent), default=0)
        self._carried.update({source: at for source, at in carried.items() if at})
        return not await self.installation.settled(within_s=0.2)

    async def _lacks(self, service: str, ids: list[Any]) -> bool:
        mover = self.installation.runtimes[service].database.mover
        async with mover.connect() as connection:
            return bool((await connection.execute(LACKING, {"ids": ids})).scalar_one())


SENT = text("""
    SELECT position, id, envelope ->> 'type' AS type FROM outbox
    WHERE position > :after ORDER BY position
""")

LACKING = text("""
    SELECT count(*) FROM unnest(CAST(:ids AS uuid[])) AS sent (id)
    WHERE NOT EXISTS (SELECT FROM inbox WHERE inbox.id = sent.id)
        AND NOT EXISTS (SELECT FROM inbox_seen WHERE inbox_seen.id = sent.id)
""")


@contextlib.asynccontextmanager
async def running_apart(
    admin_url: str,
    broker_url: str,
    folder: Path,
    *,
    counts: Mapping[str, int] | None = None,
    start: bool = True,
    **more: object,
) -> AsyncIterator[RunningApart]:
    """An installation of processes on these servers, with the demo, its mails in a catcher.

    Its names, at the server and at the broker, begin with this worker's prefix and the folder's.
    """
    mailbox = Mailbox(folder / "mailbox", smtp_port=0, http_port=0)
    await mailbox.start()  # which makes the folder
    with names_apart(folder.name):
        settings: dict[str, object] = {
            "data_dir": folder,
            "database_prefix": roles.PREFIX,
            "guarded_posts_a_minute": 0,
            "http_port": free_port(),
            "log_format": "json",
            "pseudo_locale": True,
            "relay_host": HOST,
            "relay_port": mailbox.smtp_port,
            **more,
        }
        parts = Parts(
            folder,
            {**settings, "postgres_url": bare(admin_url), "rabbitmq_urls": broker_url},
            counts,
            gateway_port=int(str(settings["http_port"])),
        )
        keys = folder / "keys"
        await migrate_all(admin_url, Keys(keys))
        installation = Installation(Settings(**settings), keys, admin_url)  # type: ignore[arg-type]  # by name
        for database in installation.databases.values():
            database.after_emit = telling(database)
        whole = RunningApart(
            installation, mailbox, admin_url, folder, [], parts.port(), parts=parts
        )
        try:
            if start:
                parts.start()
            whole.accounts += await load_demos(
                installation.settings, installation.databases, folder
            )
            if start:
                await asyncio.to_thread(parts.await_ready)
                await whole.settled()
            yield whole
        finally:
            parts.close()
            await installation.stop()
            await mailbox.stop()


def bare(url: str) -> str:
    """The server's URL without who signs in: the services sign in as themselves."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], path=""))


def telling(database: Database) -> Callable[[], None]:
    """Wakes the publishers of other processes when this one has committed an event."""
    notify, tasks = notifying(database), set[asyncio.Task[None]]()

    def tell() -> None:
        task = asyncio.ensure_future(notify())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return tell
