"""Serving HTTP in a process whose signals are ours: what `guichet up` and `guichet serve` share.

Both run on libuv's loop, which costs less a read and a write than asyncio's own. uvicorn's handling
of signals would end the process before its parts have finished.
"""

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import uvicorn
import uvloop
from starlette.types import ASGIApp

from chassis import telemetry
from chassis.settings import Settings
from guichet.http_heads import BoundedHeads
from guichet.mailbox import PortInUse
from guichet.postgres import CannotStart

T = TypeVar("T")

STOPPED_BY = (signal.SIGINT, signal.SIGTERM)
KEPT_IDLE_S = 65
"""An idle connection is kept so long: longer than a balancer's, or the gateway's, own idle time."""
LARGEST_HEAD = 16 * 1024
"""Bytes of a request's line and headers that the gateway reads; a part reads twice as many, since
the gateway adds its own."""


def run_until_done(main: Coroutine[Any, Any, T]) -> T:
    """Run until it is done, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


class Server(uvicorn.Server):
    """Without uvicorn's signal handling."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them as they are."""
        yield


def server_of(app: ASGIApp, *, requests_end_within_s: int, behind_gateway: bool = False) -> Server:
    """What serves the app; behind the gateway, which adds its own to the headers."""
    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=not behind_gateway,
            proxy_headers=False,
            timeout_graceful_shutdown=requests_end_within_s,
            timeout_keep_alive=KEPT_IDLE_S,
            http=BoundedHeads,
            h11_max_incomplete_event_size=LARGEST_HEAD * (2 if behind_gateway else 1),
        )
    )


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A socket that listens there. Raises PortInUse, and CannotStart for what else is wrong; both
    name the setting."""
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port, setting) from error
        raise CannotStart(
            f"Port {port} can't be used ({error.strerror}): set {setting} to another."
        ) from error


def end_at_once(*_: object) -> None:
    """What is committed is kept, as after a crash."""
    os._exit(130)


def start_tracing(settings: Settings, part: str = "guichet") -> None:
    """Trace as the settings say. Raises CannotStart."""
    try:
        telemetry.export_to(settings.traces, part=part)
    except OSError as error:
        raise CannotStart(
            f"Traces can't be written to {settings.traces} ({error.strerror}): set GUICHET_TRACES"
            " to another file, or unset it."
        ) from error
