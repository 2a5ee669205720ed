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
from collections.abc import Iterator
from pathlib import Path

import structlog
import uvicorn

from chassis import logs, telemetry
from chassis.keys import Keys
from chassis.settings import Settings
from guichet.demo_data import DEMO, DemoAccount, load_demo
from guichet.embedded import Installation, migrate_all
from guichet.mailbox import Mailbox, PortInUse
from guichet.postgres import (
    CannotStart,
    PostgresServer,
    Supervisor,
    default_data_dir,
    start,
    stop,
)

log = structlog.get_logger()

HOST = "127.0.0.1"
REQUESTS_END_WITHIN_S = 10


def say(line: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def data_dir_of(settings: Settings) -> Path:
    """Where this installation's data stand."""
    return settings.data_dir.expanduser().absolute() if settings.data_dir else default_data_dir()


def run(settings: Settings) -> int:
    """Run until a signal or a failure. Answers the exit status; refusals are told in a sentence."""
    started = time.perf_counter()
    logs.configure(settings.log_format, settings.log_level)
    telemetry.configure()
    data_dir = data_dir_of(settings)
    try:
        listener = _listen(settings.http_port)
        say(f"Guichet starts on the data in {data_dir}.")
        server = start(data_dir, say=say)
    except (CannotStart, PortInUse) as refusal:
        say(f"Guichet can't start. {refusal}")
        return 1
    try:
        return asyncio.run(_serve(settings, data_dir, server, listener, started))
    except (CannotStart, PortInUse) as refusal:
        say(f"Guichet stops. {refusal}")
        return 1
    finally:
        listener.close()
        stop(_current(server))


_supervisor: Supervisor | None = None


def _current(server: PostgresServer) -> PostgresServer:
    return _supervisor.server if _supervisor is not None else server


async def _serve(
    settings: Settings,
    data_dir: Path,
    server: PostgresServer,
    listener: socket.socket,
    started: float,
) -> int:
    global _supervisor
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told_to_stop.set)
    _supervisor = Supervisor(server, say=say)
    keys_folder = data_dir / "keys"
    async with contextlib.AsyncExitStack() as parts:
        supervision = asyncio.create_task(_supervisor.run())
        parts.push_async_callback(_cancel, supervision)
        mailbox = Mailbox(
            data_dir / "mailbox", smtp_port=settings.smtp_port, http_port=settings.mailbox_port
        )
        await mailbox.start()
        parts.push_async_callback(mailbox.stop)
        steps = await migrate_all(server.admin_url(), Keys(keys_folder))
        if any(steps.values()):
            say("The databases are up to date.")
        installation = Installation(settings, keys_folder, server.admin_url())
        parts.push_async_callback(installation.stop)
        accounts = await load_demo(installation, data_dir) if settings.demo else []
        await installation.start()
        await installation.settled(within_s=20)
        portal = _Portal(
            uvicorn.Config(
                installation.gateway,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=REQUESTS_END_WITHIN_S,
                timeout_keep_alive=65,
            )
        )
        serving = asyncio.create_task(portal.serve(sockets=[listener]))
        _greet(settings, accounts, time.perf_counter() - started)
        stopping = asyncio.create_task(told_to_stop.wait())
        await asyncio.wait({serving, stopping, supervision}, return_when=asyncio.FIRST_COMPLETED)
        say("Guichet stops: what is under way is finished first. Ctrl-C again ends at once.")
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _end_at_once)
        portal.should_exit = True
        await serving
        stopping.cancel()
        if supervision.done() and (error := supervision.exception()) is not None:
            raise error
    say("Guichet has stopped. Everything is kept.")
    return 0


def _end_at_once() -> None:
    """What is committed is kept, as after a crash; PostgreSQL ends with us."""
    os._exit(130)


def _greet(settings: Settings, accounts: list[DemoAccount], took_s: float) -> None:
    say(f"Ready in {took_s:.1f} s.")
    say("")
    say(f"  Portal   {settings.tenant_origin(f'{DEMO}.{settings.base_domain}')}")
    say(f"  Mailbox  http://localhost:{settings.mailbox_port}   (SMTP on {settings.smtp_port})")
    if accounts:
        say("")
        say("  Sign in to the demo as")
        for account in accounts:
            say(f"    {account.username}   password {account.password}   ({account.role})")
    say("")
    say("Ctrl-C stops it.")


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class _Portal(uvicorn.Server):
    """Without uvicorn's signal handling: `guichet up` owns the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them as they are."""
        yield


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port), backlog=1024)
    except OSError as error:
        raise PortInUse(port, "GUICHET_HTTP_PORT") from error
