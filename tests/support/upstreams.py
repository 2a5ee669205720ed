"""A part that answers in many ways, and requests that are handed on to it as the gateway does."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.front import Front
from gateway.by_http import ByHttp
from gateway.upstream import Upstream
from guichet.serving import server_of
from tests.support.installation import free_port
from tests.support.waiting import bounded

CHUNK = b"x" * 64 * 1024
SILENT_FOR_S = 0.5


@dataclass
class Part:
    """A part of the tests' own: what it was handed, and answers of many kinds by path."""

    scopes: list[Scope] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        self.scopes.append(scope)
        await getattr(self, scope["path"].strip("/"))(scope, receive, send)

    async def echo(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Each piece back as it comes."""
        await start(send, 200)
        async for piece in pieces(receive):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def digest(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """What the whole body comes to."""
        digest = hashlib.sha256()
        async for piece in pieces(receive):
            digest.update(piece)
        await answer(send, 200, digest.hexdigest().encode())

    async def large(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Sixteen megabytes of no announced length."""
        await start(send, 200)
        for _ in range(256):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def page(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """A page; to HEAD, its length."""
        await answer(send, 200, b"a page", (b"x-kind", "été".encode()))

    async def unchanged(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Nothing but headers."""
        await start(send, 304, (b"etag", b'"1"'))
        await send({"type": "http.response.body", "body": b""})

    async def cookies(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Two of one name of header."""
        await answer(send, 303, b"", (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))

    async def refusal(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """An answer before the body was read."""
        await answer(send, 413, b"too large")

    async def fault(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """An answer that says so."""
        await answer(send, 500, b"a fault of ours")

    async def fails(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        """No answer at all."""
        raise RuntimeError

    async def breaks(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Half an answer."""
        await start(send, 200)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    async def short(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Less than was announced."""
        await start(send, 200, (b"content-length", b"100"))
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    async def waits(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        """For whoever asked to go away."""
        self.waiting.set()
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.left.set()

    async def stalls(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begins, then is silent."""
        await start(send, 200)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await self.waits(scope, receive, send)

    async def hops(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Headers that are for the next hop alone."""
        await answer(send, 200, b"ok", (b"keep-alive", b"timeout=9"), (b"x-kept", b"1"))


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it comes."""
    more = True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)


async def start(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers]})


async def answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await start(send, status, (b"content-length", str(len(body)).encode()), *headers)
    await send({"type": "http.response.body", "body": body})


@dataclass
class Exchange:
    """A request through an upstream, and what came of it."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return list(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(one.get("body", b"") for one in self.messages[1:])

    @property
    def is_whole(self) -> bool:
        return bool(self.messages) and not self.messages[-1].get("more_body", False)


async def exchange(
    upstream: Upstream,
    path: str,
    method: str = "GET",
    *,
    body: Sequence[bytes] = (),
    headers: Sequence[tuple[bytes, bytes]] = (),
    receive: Receive | None = None,
    took: Exchange | None = None,
    seen: Callable[[Message], None] = lambda _message: None,
) -> Exchange:
    """Hand a request on as the gateway's server would, and keep what is answered."""
    took = took if took is not None else Exchange()
    waiting = list(body)
    length = [(b"content-length", str(sum(map(len, body))).encode())] if body else []
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"ville.localhost"), *length, *headers],
        "client": ("127.0.0.1", 1),
        "server": None,
    }
    asked = False

    async def receiving() -> Message:
        nonlocal asked
        if waiting:
            piece = waiting.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(waiting)}
        if not asked and not body:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def sending(message: Message) -> None:
        took.messages.append(message)
        seen(message)

    async with bounded(20):
        await upstream.forward("part", scope, receive or receiving, sending)
    return took


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[tuple[str, Front]]:
    """The app on a port of its own; its address."""
    front, port = Front(app), free_port()
    server = server_of(front, requests_end_within_s=1, behind_gateway=True)
    server.config.port = port
    serving = asyncio.create_task(server.serve())
    async with bounded(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn sets a flag, no event
            await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{port}", front
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def by_http(*addresses: str, **limits: Any) -> AsyncIterator[ByHttp]:
    """An upstream to one part at these addresses, the first of them asked first."""
    upstream = ByHttp({"part": addresses}, silent_for_s=SILENT_FOR_S, **limits)
    upstream._turns["part"] = iter(lambda: 0, 1)  # type: ignore[assignment]  # always the first
    try:
        yield upstream
    finally:
        await upstream.close()
