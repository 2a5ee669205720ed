"""Parts apart, by HTTP/1.1: several addresses of each, tried in turn, bodies streamed both ways.

What may be repeated (GET, HEAD, and our own questions) goes over connections that are kept, and to
another address when one fails before it answered. What may not goes over a connection opened for
it: a kept one may have been closed by the part at that very moment, and then nobody knows whether
the request was begun. So the only failure after which it is sent to another address is that of the
connecting itself, when not a byte has left.
"""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
import structlog
from multidict import CIMultiDict
from starlette.types import Message, Receive, Scope, Send
from yarl import URL

from chassis.front import FAILED, LEAVING
from gateway.headers import between_hops
from gateway.upstream import REPEATABLE, AnswerCut, PartAway

log = structlog.get_logger()

CONNECT_WITHIN_S = 1.0
SILENT_FOR_S = 30.0
"""How long a part may be silent, before its answer and within it."""
KEPT_IDLE_S = 15.0
"""An idle connection is kept so long: less than the 65 s of the parts, so that none is used that
the part closes just then."""
AVOIDED_FOR_S = 2.0
"""An address that refused, or is about to end, comes last for so long."""
LONGEST_REPEATED = 64 * 1024
LARGEST_HEADER = 16 * 1024
SAFE = frozenset({"GET", "HEAD"})
OURS = frozenset({FAILED.encode(), LEAVING.encode()})
NOT_OURS_TO_ADD = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class ClientGone(Exception):
    """Whoever asked hung up before their request was whole."""


class ByHttp:
    """An `Upstream`. `addresses` tells each part's processes, as `http://host:port`."""

    def __init__(
        self,
        addresses: Mapping[str, Sequence[str]],
        *,
        connect_within_s: float = CONNECT_WITHIN_S,
        silent_for_s: float = SILENT_FOR_S,
        kept_idle_s: float = KEPT_IDLE_S,
    ) -> None:
        self._addresses = {
            part: tuple(URL(one) for one in all_) for part, all_ in addresses.items()
        }
        self._turns = {part: itertools.count(random.randrange(1000)) for part in addresses}
        self._avoided: dict[URL, float] = {}
        self._limits = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_within_s, sock_read=silent_for_s
        )
        self._kept_idle_s = kept_idle_s
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def forward(self, part: str, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI. Raises PartAway if no answer was begun, AnswerCut if it was and broke off."""
        asked = _Asked(scope, receive)
        if asked.repeatable:
            try:
                await asked.read_whole()
            except ClientGone:
                return
        answering = asyncio.create_task(self._answer(part, asked, send))
        leaving = asyncio.create_task(asked.client_leaves())
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            for task in (answering, leaving):  # what the part still does for nobody is cancelled
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def close(self) -> None:
        """Let go of every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _answer(self, part: str, asked: "_Asked", send: Send) -> None:
        for address in self._in_turn(part):
            try:
                answer = await self._ask(address, asked)
            except ClientGone:
                return
            except (aiohttp.ClientError, OSError) as error:
                unsent = isinstance(
                    error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
                )
                log.warning("part_unreachable", part=part, error=type(error).__name__)
                if unsent:
                    self._avoid(address)
                if unsent or (asked.repeatable and not isinstance(error, TimeoutError)):
                    continue
                raise PartAway(part) from error
            async with answer:
                if LEAVING in answer.headers:
                    self._avoid(address)
                if FAILED in answer.headers:
                    raise PartAway(part)
                await _hand_on(part, answer, send)
            return
        raise PartAway(part)

    async def _ask(self, address: URL, asked: "_Asked") -> aiohttp.ClientResponse:
        session = self._session(kept=asked.repeatable)
        try:
            return await session.request(
                asked.method,
                URL(f"{address.origin()}{asked.target}", encoded=True),
                headers=asked.headers,
                data=asked.body,
                allow_redirects=False,
            )
        except aiohttp.ClientConnectionError as error:
            if asked.gone:  # aiohttp tells of whatever the body raised as of a connection lost
                raise ClientGone from error
            raise

    def _session(self, *, kept: bool) -> aiohttp.ClientSession:
        """Made within the loop that uses it."""
        if kept not in self._sessions:
            pool: dict[str, Any] = (
                {"keepalive_timeout": self._kept_idle_s} if kept else {"force_close": True}
            )
            self._sessions[kept] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=5, **pool),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._limits,
                auto_decompress=False,
                skip_auto_headers=NOT_OURS_TO_ADD,
                max_line_size=LARGEST_HEADER,
                max_field_size=LARGEST_HEADER,
            )
        return self._sessions[kept]

    def _in_turn(self, part: str) -> list[URL]:
        """The part's addresses, another one first each time, those to be avoided last."""
        all_ = self._addresses[part]
        if not all_:
            return []
        start = next(self._turns[part]) % len(all_)
        now = time.monotonic()
        return sorted(
            (*all_[start:], *all_[:start]), key=lambda one: self._avoided.get(one, 0.0) > now
        )

    def _avoid(self, address: URL) -> None:
        self._avoided[address] = time.monotonic() + AVOIDED_FOR_S


class _Asked:
    """A request as it is handed on: its body is read as the part takes it."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._read = asyncio.Event()
        self.gone = False
        self.method: str = scope["method"]
        query = scope["query_string"]
        self.target = (scope["raw_path"] + (b"?" + query if query else b"")).decode("ascii")
        # A header's bytes that are no UTF-8 are dropped: aiohttp writes nothing else.
        headers = [
            (name.decode("latin-1"), value.decode("utf-8", "ignore"))
            for name, value in between_hops(scope["headers"])
        ]
        self.headers = CIMultiDict(headers)
        self.length = int(self.headers.get("content-length", "0"))
        self.has_body = self.length > 0 or any(
            name == b"transfer-encoding" for name, _ in scope["headers"]
        )
        may_repeat = self.method in SAFE or REPEATABLE in (scope.get("extensions") or {})
        self.repeatable = may_repeat and (not self.has_body or 0 < self.length <= LONGEST_REPEATED)
        self.body: bytes | AsyncIterator[bytes] | None = self._stream() if self.has_body else None
        if not self.repeatable:
            self.headers["connection"] = "close"

    async def read_whole(self) -> None:
        """Have the body at hand, so that it can be sent again. Raises ClientGone."""
        if self.has_body:
            self.body = b"".join([chunk async for chunk in self._stream()])

    async def client_leaves(self) -> None:
        """Return when whoever asked hangs up after their request was whole."""
        if self.has_body:
            await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _stream(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                raise ClientGone
            if chunk := message.get("body", b""):
                yield chunk
            more = message.get("more_body", False)
        self._read.set()


async def _hand_on(part: str, answer: aiohttp.ClientResponse, send: Send) -> None:
    """The part's answer as ASGI messages, chunk by chunk. Raises AnswerCut."""
    headers = [
        (name.lower(), value)
        for name, value in between_hops(answer.raw_headers)
        if name.lower() not in OURS
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    content = answer.content
    more = True
    while more:
        try:
            chunk = await content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerCut(part) from error
        more = not content.at_eof()
        message: Message = {"type": "http.response.body", "body": chunk, "more_body": more}
        await send(message)
