"""`guichet up`: the whole installation in one process, in front, until it is told to stop.

PostgreSQL first, then the databases, the mail catcher, the parts, the demo at first start, and the
portal's port. At the end in the order that loses nothing: no new requests, those under way, the
parts' own work, the pools, the catcher, PostgreSQL.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import structlog

from chassis import logs
from chassis.keys import Keys
from chassis.metrics_port import serving_metrics
from chassis.settings import Settings
from guichet.demo_data import DEMOS, DemoAccount, load_demos
from guichet.embedded import Installation
from guichet.mailbox import Mailbox, PortInUse
from guichet.parts import migrate_all
from guichet.postgres import (
    CannotStart,
    PostgresServer,
    Supervisor,
    default_data_dir,
    is_running,
    start,
    stop,
)
from guichet.postgres.problems import told
from guichet.serving import (
    STOPPED_BY,
    Server,
    end_at_once,
    listen,
    run_until_done,
    server_of,
    start_tracing,
)

log = structlog.get_logger()

HOST = "127.0.0.1"
REQUESTS_END_WITHIN_S = 10
FIRST_EVENTS_WITHIN_S = 20
EVENTS_WITHIN_S = 2
SERVER_ENDS_WITHIN_S = 1.0
"""How long a start waits for events to be handled: at first for what the portal's pages are made
of, later only so long that what was under way is done, and never for a deep backlog."""


def say(line: str) -> None:
    """A line for the person at the terminal, if anybody still reads (`| head` does not)."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)


def data_dir_of(settings: Settings) -> Path:
    """Where this installation's data stand."""
    return settings.data_dir.expanduser().absolute() if settings.data_dir else default_data_dir()


def run(settings: Settings) -> int:
    """Run until a signal or a failure. Answers the exit status; refusals are told in a sentence."""
    try:
        return _run(settings, time.perf_counter(), _Early())
    except (CannotStart, PortInUse) as refusal:
        say(f"Guichet can't start. {refusal}")
        return 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)


class _Early:
    """Signals until the loop has them. Nothing is broken off: PostgreSQL is started, then stopped,
    which takes a moment; a second signal ends at once.
    """

    def __init__(self) -> None:
        self.told_to_stop = False
        for number in STOPPED_BY:
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        if self.told_to_stop:
            end_at_once()
        self.told_to_stop = True


def _run(settings: Settings, started: float, early: _Early) -> int:
    logs.configure(settings.log_format, settings.log_level)
    start_tracing(settings)
    data_dir = data_dir_of(settings)
    whole = _Whole(settings, data_dir, started, early)
    with contextlib.ExitStack() as ports:
        listener, whole.measured = _listen_on_all(settings, data_dir, ports)
        say(f"Guichet starts on the data in {data_dir}.")
        server = start(data_dir, say=say)
        whole.supervisor = Supervisor(server, say=say)
        try:
            run_until_done(whole.serve(listener))
        except (CannotStart, PortInUse) as refusal:
            if not whole.greeted:
                raise
            say(f"Guichet stops. {refusal}")
            return 1
        finally:
            for number in STOPPED_BY:
                signal.signal(number, end_at_once)
            stop(whole.supervisor.server)
    say("Guichet has stopped. Everything is kept.")
    return 0


@dataclass
class _Whole:
    """The installation from the moment that its PostgreSQL answers."""

    settings: Settings
    data_dir: Path
    started: float
    early: _Early
    supervisor: Supervisor = field(init=False)
    portal: Server = field(init=False)
    measured: socket.socket | None = None  # where its metrics are told
    greeted: bool = False

    async def serve(self, listener: socket.socket) -> None:
        """Start everything, serve until told to stop, end everything. Raises CannotStart."""
        loop = asyncio.get_running_loop()
        told_to_stop = asyncio.Event()
        for number in STOPPED_BY:
            loop.add_signal_handler(number, told_to_stop.set)
        if self.early.told_to_stop:  # while PostgreSQL was started
            told_to_stop.set()
        stopping = asyncio.create_task(told_to_stop.wait())
        async with contextlib.AsyncExitStack() as parts:
            parts.push_async_callback(_cancel, stopping)
            supervision = asyncio.create_task(self.supervisor.run())
            parts.push_async_callback(_cancel, supervision)
            serving = None
            if not told_to_stop.is_set():
                serving = await _unless(
                    self._start(parts, listener), stopping, supervision, self.supervisor
                )
            if serving is not None:
                await asyncio.wait(
                    {serving, stopping, supervision}, return_when=asyncio.FIRST_COMPLETED
                )
            say("Guichet stops: what is under way is finished first. Ctrl-C again ends at once.")
            for number in STOPPED_BY:
                loop.add_signal_handler(number, end_at_once)
            if serving is not None:
                self.portal.should_exit = True
                await serving
            if supervision.done() and (error := supervision.exception()) is not None:
                raise error

    async def _start(
        self, parts: contextlib.AsyncExitStack, listener: socket.socket
    ) -> asyncio.Task[None]:
        """Everything up to the portal, which serves in the task that is answered."""
        settings, admin_url = self.settings, self.supervisor.server.admin_url()
        keys_folder = self.data_dir / "keys"
        mailbox = Mailbox(
            self.data_dir / "mailbox", smtp_port=settings.smtp_port, http_port=settings.mailbox_port
        )
        with told(self.data_dir):  # its folder's errors; the ports were found free
            await mailbox.start()
        parts.push_async_callback(mailbox.stop)
        steps = await migrate_all(admin_url, Keys(keys_folder))
        if any(steps.values()):
            say("The databases are up to date.")
        installation = Installation(settings, keys_folder, admin_url)
        parts.push_async_callback(installation.stop)
        accounts = []
        if settings.demo:
            accounts = await load_demos(settings, installation.databases, self.data_dir)
        await installation.start()
        await installation.settled(
            within_s=FIRST_EVENTS_WITHIN_S if any(steps.values()) else EVENTS_WITHIN_S
        )
        self.portal = server_of(installation.gateway, requests_end_within_s=REQUESTS_END_WITHIN_S)
        if self.measured is not None:
            runtimes = list(installation.runtimes.values())
            await parts.enter_async_context(serving_metrics(self.measured, runtimes))
        serving = asyncio.create_task(self.portal.serve(sockets=[listener]))
        _greet(settings, accounts, time.perf_counter() - self.started)
        self.greeted = True
        return serving


async def _unless(
    starting: Coroutine[Any, Any, asyncio.Task[None]],
    stopping: asyncio.Task[Any],
    supervision: asyncio.Task[None],
    supervisor: Supervisor,
) -> asyncio.Task[None] | None:
    """What the start comes to; None where it was told to stop before. Raises CannotStart."""
    server = supervisor.server
    task = asyncio.create_task(starting)
    try:
        await asyncio.wait({task, stopping, supervision}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            return None
        return task.result()
    except Exception as error:
        if not await _has_ended(server, supervisor):
            raise
        raise CannotStart(
            "The database ended while Guichet was starting: start it again."
        ) from error
    finally:
        await _cancel(task)


async def _has_ended(server: PostgresServer, supervisor: Supervisor) -> bool:
    """Has that server ended, or does it within a moment? A server that is killed breaks its
    connections before it can be waited for.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SERVER_ENDS_WITHIN_S):
            while supervisor.server is server and server.process.poll() is None:  # noqa: ASYNC110  its end may be the supervisor's to see
                await asyncio.sleep(0.02)
    return supervisor.server is not server or server.process.poll() is not None


def portals(settings: Settings, accounts: list[DemoAccount]) -> Iterator[str]:
    """Lines that say where the demo's portals are, and who may sign in."""
    for slug in DEMOS if accounts else DEMOS[:1]:
        yield f"  Portal   {settings.tenant_origin(f'{slug}.{settings.base_domain}')}"
        for account in accounts:
            if account.tenant == slug:
                yield f"    {account.username}   password {account.password}   ({account.role})"


def _greet(settings: Settings, accounts: list[DemoAccount], took_s: float) -> None:
    say(f"Ready in {took_s:.1f} s.")
    say("")
    for line in portals(settings, accounts):
        say(line)
    say(f"  Mailbox  http://localhost:{settings.mailbox_port}   (SMTP on {settings.smtp_port})")
    say("")
    say("Ctrl-C stops it.")


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _listen_on_all(
    settings: Settings, data_dir: Path, ports: contextlib.ExitStack
) -> tuple[socket.socket, socket.socket | None]:
    """The portal's port, once it is known that the mailbox can have its own too: told now, and not
    when the database has been made.
    """
    try:
        listen(HOST, settings.smtp_port, "GUICHET_SMTP_PORT").close()
        listen(HOST, settings.mailbox_port, "GUICHET_MAILBOX_PORT").close()
        measured = None
        if settings.metrics_port is not None:
            measured = ports.enter_context(
                listen(HOST, settings.metrics_port, "GUICHET_METRICS_PORT")
            )
        portal = ports.enter_context(listen(HOST, settings.http_port, "GUICHET_HTTP_PORT"))
        return portal, measured
    except PortInUse:
        if is_running(data_dir):
            raise CannotStart(
                f"Guichet already runs on the data in {data_dir}: stop it first, or set"
                " GUICHET_DATA_DIR to another folder and the ports to others."
            ) from None
        raise


def _flush(stream: TextIO | None) -> None:
    """Write out what is left, so that the interpreter's end has nothing to complain of."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        _silence(stream)


def _silence(stream: TextIO) -> None:
    """Nobody reads it any more: what goes there from now on is dropped."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
