"""The catcher as a whole: its two ports, and how it starts and stops within the running loop."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from guichet.mailbox.app import build_app
from guichet.mailbox.smtp import Catcher
from guichet.mailbox.store import Store

STOP_WITHIN_S = 5


class PortInUse(Exception):
    """Its message is a sentence for the person at the terminal."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"Port {port} is used by another program: stop that one, or set {setting} to another."
        )
        self.port = port


class Mailbox:
    """Catches mails into `folder`, which is its own, and shows the last `keep` of them.

    It listens on a loopback address only: whoever reaches the page reads every mail.
    With a port of 0 the system picks one; `smtp_port` and `http_port` tell the real ones.
    """

    def __init__(
        self,
        folder: Path,
        *,
        smtp_port: int,
        http_port: int,
        host: str = "127.0.0.1",
        keep: int = 5_000,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("The mailbox listens on a loopback address only.")
        self.host, self.smtp_port, self.http_port = host, smtp_port, http_port
        self._store = Store(folder, keep=keep)
        self._catcher = Catcher(self._store)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once both ports answer. Raises PortInUse, and OSError of the folder."""
        with contextlib.ExitStack() as undo:
            smtp = undo.enter_context(_listen(self.host, self.smtp_port, "GUICHET_SMTP_PORT"))
            http = undo.enter_context(_listen(self.host, self.http_port, "GUICHET_MAILBOX_PORT"))
            await asyncio.to_thread(self._store.open)
            undo.pop_all()
        self.smtp_port, self.http_port = smtp.getsockname()[1], http.getsockname()[1]
        await self._catcher.serve(smtp)
        self._server = _Server(
            uvicorn.Config(
                build_app(self._store),
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_WITHIN_S,
            )
        )
        self._serving = asyncio.create_task(self._server.serve(sockets=[http]), name="mailbox")
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._serving

    async def stop(self) -> None:
        """Finish the mails that are being received, for five seconds at most, then the page."""
        if self._serving:
            await self._catcher.stop(within_s=STOP_WITHIN_S)
            self._server.should_exit = True
            await self._serving
            self._serving = None


class _Server(uvicorn.Server):
    """Without uvicorn's signal handling: the process that we run in has its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port, setting) from None
        raise
    listener.setblocking(False)
    return listener
