"""An SMTP server on bare sockets that misbehaves as a script says: what no library would do.

Each connection is one `Manner`, taken from the script in turn; once the script is over, all goes
well. Every text whose final dot came is kept, whatever is answered.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

Manner = Callable[["Talk"], Coroutine[Any, Any, None]]
"""How one connection is treated."""


NEXT = {"MAIL": "RCPT", "RCPT": "DATA"}


class Talk:
    """One connection, from the server's side."""

    def __init__(
        self, server: "ScriptedSmtp", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer

    async def says(self, *lines: str) -> None:
        """Send these lines."""
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()

    async def hears(self) -> str:
        """The client's next line, in capitals; empty when it has gone."""
        return (await self.reader.readline()).decode("utf-8", "replace").strip().upper()

    async def text(self) -> bool:
        """Take the text up to its final dot, and keep it. False: the client went before it."""
        lines: list[bytes] = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                self.server.unended += 1
                return False
            lines.append(line)
        self.server.ended.append(b"".join(lines))
        return True

    def reset(self) -> None:
        """Cut the connection at once."""
        self.writer.transport.abort()

    async def serve(
        self,
        *,
        ehlo: tuple[str, ...] = (),
        greeting: bool = True,
        before: str = "",
        instead: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """All goes well, but that once `instead` is done when a command begins with `before`.

        `before="."` is the moment after the final dot. What it offers: what `ehlo` says, and what
        the server offers to all.
        """
        offers = ("scripted.test", *ehlo, *self.server.offers)
        expected = "MAIL"  # of the three that open a text, in their order
        if greeting:
            await self.says("220 scripted.test")
        while command := await self.hears():
            if before and command.startswith(before) and instead is not None:
                act, instead = instead, None
                await act()
            elif command.startswith("EHLO"):
                await self.says(*(f"250-{one}" for one in offers[:-1]), f"250 {offers[-1]}")
            elif command == "DATA" and expected == "DATA":
                expected = "MAIL"
                await self.says("354 go on")
                if not await self.text():
                    return
                if before == "." and instead is not None:
                    act, instead = instead, None
                    await act()
                else:
                    await self.says("250 2.0.0 taken")
            elif command == "QUIT":
                await self.says("221 bye")
                return
            elif command == "RSET":
                expected = "MAIL"
                await self.says("250 ok")
            elif command.startswith(expected):
                expected = NEXT[expected]
                await self.says("250 ok")
            else:
                await self.says("503 5.5.1 not now")


class ScriptedSmtp:
    """Listens on a port of its own."""

    def __init__(self, offers: tuple[str, ...]) -> None:
        self.offers = offers
        self.script: list[Manner] = []
        self.ended: list[bytes] = []
        """The texts whose final dot came."""
        self.unended = 0
        """Texts that were left before it."""
        self.connections = 0
        self.port = 0
        self.over = asyncio.Event()
        """Set when the test is over: what waits for ever waits for it."""

    def message_ids(self) -> list[str]:
        """Of all that came to its end, copies included."""
        found = (re.search(rb"(?im)^message-id: (.*)\r$", text) for text in self.ended)
        return [one[1].decode() for one in found if one is not None]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = Talk(self, reader, writer)
        manner = self.script.pop(0) if self.script else Talk.serve
        try:
            await manner(talk)
        except (OSError, ValueError, ssl.SSLError):
            pass  # the client went, or sent a line without end
        finally:
            writer.close()


@asynccontextmanager
async def scripted_smtp(
    script: list[Manner], *offers: str, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedSmtp]:
    """A server that treats its first connections so, and offers these extensions to all."""
    smtp = ScriptedSmtp(offers)
    smtp.script = script
    server = await asyncio.start_server(smtp._connected, "127.0.0.1", 0, ssl=tls)
    smtp.port = server.sockets[0].getsockname()[1]
    try:
        yield smtp
    finally:
        smtp.over.set()
        server.close()


# ── Manners ──────────────────────────────────────────────────────────────────────────────────────


def answering(command: str, words: str) -> Manner:
    """These words to a command; to `.`, to the text."""

    async def manner(talk: Talk) -> None:
        await talk.serve(before=command, instead=lambda: talk.says(words))

    return manner


def stalling(command: str) -> Manner:
    """Nothing, ever, to a command."""

    async def manner(talk: Talk) -> None:
        async def wait() -> None:
            await talk.server.over.wait()

        await talk.serve(before=command, instead=wait)

    return manner


def cutting(command: str) -> Manner:
    """The connection is reset at a command."""

    async def manner(talk: Talk) -> None:
        async def cut() -> None:
            talk.reset()

        await talk.serve(before=command, instead=cut)

    return manner


async def wanting_the_text_anyway(talk: Talk) -> None:
    """Takes no recipient, and asks for the text all the same."""

    async def refuse() -> None:
        await talk.says("550 5.1.1 unknown")
        if await talk.hears() == "DATA":
            await talk.says("354 go on")
            await talk.text()

    await talk.serve(before="RCPT", instead=refuse)


async def closing_at_once(talk: Talk) -> None:
    """Hangs up before a word."""
    talk.writer.close()


async def never_greeting(talk: Talk) -> None:
    """Takes the connection and says nothing."""
    await talk.server.over.wait()


async def greeting_with_garbage(talk: Talk) -> None:
    """Speaks another protocol."""
    await talk.says("SSH-2.0-OpenSSH_9.2", "\x00\x01\x02")
    await talk.server.over.wait()


async def not_now(talk: Talk) -> None:
    """Too many connections: 421 instead of a greeting."""
    await talk.says("421 4.7.0 too many connections")


async def too_busy(talk: Talk) -> None:
    """452 instead of a greeting."""
    await talk.says("452 4.3.1 too busy")


async def breaking_tls(talk: Talk) -> None:
    """Offers STARTTLS, and then speaks none."""

    async def broken() -> None:
        await talk.says("220 go ahead")
        talk.writer.write(b"this is no TLS record at all\r\n" * 4)
        await talk.server.over.wait()

    await talk.serve(ehlo=("STARTTLS",), before="STARTTLS", instead=broken)
