"""The SMTP side: a mail is stored before its 250; a failure is a 4xx, so that it comes again."""

import asyncio
import errno
import socket
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP

from guichet.mailbox.store import Store

SIZE_LIMIT_BYTES = 35 * 1024 * 1024
RECIPIENTS_LIMIT = 1_000
SILENCE_LIMIT_S = 300  # between commands (RFC 5321 §4.5.3.2.7), and for one whole mail
AT_ONCE = 32  # mails being received; others wait for their 354, which bounds the memory

log = structlog.get_logger()


class Catcher:
    """Listens, and knows its open sessions, so that it can end them in good order."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sessions: set[_Session] = set()
        self.room = asyncio.Semaphore(AT_ONCE)
        self.stopping = False
        self.empty = asyncio.Event()

    async def serve(self, listener: socket.socket) -> None:
        """Take connections on this socket, from now on."""
        self.stopping = False
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self, loop), sock=listener)

    async def stop(self, within_s: float) -> None:
        """Take no more connections; mails whose text is coming in are finished if that is soon."""
        self.stopping = True
        self.empty.clear()
        self._server.close()
        for session in [one for one in self.sessions if not one.receiving]:
            session.hang_up()
        if self.sessions:
            try:
                await asyncio.wait_for(self.empty.wait(), within_s)
            except TimeoutError:
                log.warning("mailbox_sessions_cut", sessions=len(self.sessions))
                for session in list(self.sessions):
                    session.cut()


class _Handler:
    """What aiosmtpd asks about each command; the names are its own."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address or "<>"  # aiosmtpd takes an empty sender for none
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_LIMIT:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        sender = envelope.mail_from.removeprefix("<>")
        try:
            id = await asyncio.to_thread(
                self.store.add, sender, envelope.rcpt_tos, envelope.content
            )
        except OSError as error:
            log.error("mail_not_stored", error=errno.errorcode.get(error.errno or 0))
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return "452 4.3.1 The disk is full"
            return "451 4.3.0 The mail could not be stored"
        log.info("mail_caught", mail=id, size_bytes=len(envelope.content))
        return f"250 2.0.0 OK: stored as {id}"

    async def handle_exception(self, error: Exception) -> str:
        log.error("smtp_command_failed", error=type(error).__name__)  # its words may hold addresses
        return "451 4.3.0 Something went wrong"


class _Session(SMTP):
    line_length_limit = 64 * 1024  # bytes; senders that don't fold are worth catching, too

    def __init__(self, catcher: Catcher, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            _Handler(catcher.store),
            data_size_limit=SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Guichet mailbox",
            timeout=SILENCE_LIMIT_S,
            loop=loop,
        )
        self.catcher = catcher
        self.receiving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.catcher.sessions.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.catcher.sessions.discard(self)
        if not self.catcher.sessions:
            self.catcher.empty.set()
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        async with self.catcher.room:
            self.receiving = True
            try:
                await super().smtp_DATA(arg)
            finally:
                self.receiving = False
        if self.catcher.stopping:
            self.hang_up()

    def hang_up(self) -> None:
        """Say that we go, and go once that is sent. A sender comes again (RFC 5321 §3.8)."""
        if isinstance(self.transport, asyncio.Transport) and not self.transport.is_closing():
            self.transport.write(b"421 4.3.2 localhost is shutting down\r\n")
            self.transport.close()

    def cut(self) -> None:
        """Go at once."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
