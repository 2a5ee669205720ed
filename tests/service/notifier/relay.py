"""A mail relay of the tests' own: real SMTP in this loop, which does what a script says."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

Reply = str | None
Act = Callable[["ScriptedRelay", SMTP], Awaitable[Reply]]


def reply(words: str) -> Act:
    """Answer the mail's text with these words."""

    async def act(_relay: "ScriptedRelay", _server: SMTP) -> Reply:
        return words

    return act


async def take_and_hang_up(_relay: "ScriptedRelay", server: SMTP) -> Reply:
    """Take the mail, then lose the connection before the answer."""
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "250 never heard"


class ScriptedRelay:
    """Answers each mail by the next act of its script, and takes it once the script is over."""

    def __init__(self) -> None:
        self.script: list[Act] = []
        self.received: list[EmailMessage] = []  # all whose text came whole, whatever was answered
        self.connections = 0
        self.port = 0
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.rcpt_reply: dict[str, str] = {}
        self.tls: ssl.SSLContext | None = None  # from the first byte
        self._server: asyncio.Server | None = None
        self._came = asyncio.Condition()

    async def start(self) -> None:
        """Listen: at first on any free port, later on the same again."""

        def connected() -> SMTP:
            self.connections += 1
            return self.connection()

        self._server = await asyncio.get_running_loop().create_server(
            connected, "127.0.0.1", self.port, reuse_address=True, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def connection(self) -> SMTP:
        """The relay's side of one."""
        return SMTP(self, hostname="relay.test", enable_SMTPUTF8=True)

    async def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def has_received(self, count: int) -> None:
        """Wait until so many mails have come."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.received) >= count)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient unless told otherwise."""
        refusal = self.rcpt_reply.get(address)
        self.recipients.append(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return refusal or "250 OK"

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail and act."""
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.raw.append(envelope.content)
        self.received.append(message)
        async with self._came:
            self._came.notify_all()
        act = self.script.pop(0) if self.script else reply("250 taken")
        return await act(self, server) or "250 taken"


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """The mail's words, as text or as HTML."""
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content
