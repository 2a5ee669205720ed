"""What is served reads HTTP/1.1 as it is written (RFC 9112): bad heads are refused, and bounded."""

import asyncio
import contextlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from guichet.http_heads import BoundedHeads
from guichet.serving import LARGEST_HEAD, Server, listen, server_of
from tests.support.waiting import soon

GET = b"GET / HTTP/1.1\r\nHost: ypok.localhost\r\n"
LAST = GET + b"Connection: close\r\n\r\n"


@dataclass
class Served:
    """A server whose app answers with what it was asked."""

    port: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        http = Request(scope, receive)
        try:
            body = await http.body()
        except ClientDisconnect:
            return
        told = {"path": scope["path"], "headers": dict(http.headers), "body": body.decode()}
        self.asked.append(told)
        answer = json.dumps(told).encode()
        length = str(len(answer)).encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
        )
        await send({"type": "http.response.body", "body": answer})

    async def says(self, pieces: Iterable[bytes]) -> bytes:
        """All that is answered to these bytes, until the server hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
            answered = b""
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(10):
                    while more := await reader.read(65536):
                        answered += more
            return answered
        finally:
            writer.close()


@pytest.fixture(scope="module", params=[False, True], ids=["gateway", "part"])
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    async with serving(behind_gateway=request.param) as (app, _):
        yield app


@contextlib.asynccontextmanager
async def serving(*, behind_gateway: bool = True) -> AsyncIterator[tuple[Served, Server]]:
    """An app, and its server until it has stopped."""
    app = Served()
    with listen("127.0.0.1", 0, "") as listener:
        app.port = listener.getsockname()[1]
        server = server_of(app, requests_end_within_s=5, behind_gateway=behind_gateway)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield app, server
        finally:
            server.should_exit = True
            await task


def bound(served: Served, request: pytest.FixtureRequest) -> int:
    return LARGEST_HEAD * (2 if "part" in request.node.name else 1)


REFUSED = {
    "a length and chunks": GET
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": GET + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a length below none": GET + b"Content-Length: -1\r\n\r\n",
    "a length in words": GET + b"Content-Length: four\r\n\r\n",
    "a length of signs": GET + b"Content-Length: +4\r\n\r\nabcd",
    "a length beyond all": GET + b"Content-Length: 99999999999999999999\r\n\r\n",
    "chunks, then something else": GET + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a chunk's size that is none": GET + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "a space before the colon": GET + b"Content-Length : 4\r\n\r\nabcd",
    "a header without a name": GET + b": none\r\n\r\n",
    "a header without a colon": GET + b"nothing\r\n\r\n",
    "a folded header": GET + b"X-One: a\r\n  b\r\n\r\n",
    "a NUL in a header": GET + b"X-One: a\x00b\r\n\r\n",
    "a line's end in a header": GET + b"X-One: a\rb\r\n\r\n",
    "a lone line feed": b"GET / HTTP/1.1\nHost: ypok.localhost\n\n",
    "no version": b"GET /\r\n\r\n",
    "another version": b"GET / HTTP/3.7\r\nHost: ypok.localhost\r\n\r\n",
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "a method of our own": b"FROBNICATE / HTTP/1.1\r\nHost: ypok.localhost\r\n\r\n",
    "a path that is no ASCII": "GET /é HTTP/1.1\r\nHost: ypok.localhost\r\n\r\n".encode(),
    "a space in the path": b"GET /a b HTTP/1.1\r\nHost: ypok.localhost\r\n\r\n",
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_no_request_is_refused_and_the_connection_ended(
    served: Served, what: str
) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\nHost: ypok.localhost\r\n\r\n"
    answered = await served.says([REFUSED[what] + hidden])
    assert answered.startswith(b"HTTP/1.1 400 Bad Request\r\n"), answered
    assert answered.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answered
    assert "/hidden" not in {one["path"] for one in served.asked}


async def test_every_request_of_a_connection_is_answered(served: Served) -> None:
    post = b"POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"
    third = b"GET /third?a=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    whole = GET + b"\r\n" + post + third
    for pieces in ([whole], [bytes([one]) for one in whole]):
        served.asked.clear()
        assert (await served.says(pieces)).count(b"HTTP/1.1 200 OK") == 3
        assert [(one["path"], one["body"]) for one in served.asked] == [
            ("/", ""),
            ("/second", "abcd"),
            ("/third", ""),
        ]


async def test_an_upgrade_is_passed_over(served: Served) -> None:
    for kind in (b"websocket", b"h2c"):
        answered = await served.says(
            [GET + b"Connection: Upgrade, close\r\nUpgrade: " + kind + b"\r\n\r\n"],
        )
        assert answered.startswith(b"HTTP/1.1 200 OK")


async def test_what_follows_the_last_chunk_is_no_header(served: Served) -> None:
    chunked = (
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"4\r\nabcd\r\n0\r\nX-Guichet-Token: mine\r\n\r\n"
    )
    assert (await served.says([chunked])).startswith(b"HTTP/1.1 200 OK")
    asked = served.asked[-1]
    assert asked["body"] == "abcd"
    assert "x-guichet-token" not in asked["headers"]


def endless(kind: str, size: int) -> Iterator[bytes]:
    """A request of that kind which goes on for so long."""
    begin, more = {
        "target": (b"GET /", b"a" * 1000),
        "name": (GET, b"a" * 1000),
        "value": (GET + b"X-One: ", b"a" * 1000),
        "headers": (GET, b"X-One: a\r\n" * 100),
        "trailer": (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-One: ", b"a" * 1000),
        "extension": (GET + b"Transfer-Encoding: chunked\r\n\r\n4;", b"a" * 1000),
        "chunks": (GET + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n" * 100),
    }[kind]
    yield begin
    for _ in range(size // len(more)):
        yield more


@pytest.mark.parametrize(
    "kind", ["target", "name", "value", "headers", "trailer", "extension", "chunks"]
)
async def test_what_never_ends_is_refused_and_not_kept(served: Served, kind: str) -> None:
    size = 20_000_000
    whole = b"".join(endless(kind, size))
    in_large_pieces = (whole[start : start + 60_000] for start in range(0, size, 60_000))
    for pieces in (endless(kind, size), in_large_pieces):
        tracemalloc.start()
        answered = await served.says(pieces)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert b"HTTP/1.1 431 " in answered or not answered
        assert b"200" not in answered
        assert peak < size / 8
    assert (await served.says([LAST])).startswith(b"HTTP/1.1 200 OK")


async def test_a_head_may_be_as_large_as_is_said(
    served: Served, request: pytest.FixtureRequest
) -> None:
    largest = bound(served, request)
    for size, status in ((largest - 200, b"200"), (largest + 200, b"431")):
        asked = GET + b"Connection: close\r\nX-One: " + b"a" * size + b"\r\n\r\n"
        for pieces in ([asked], [asked[:1000], asked[1000:-10], asked[-10:]]):
            assert (await served.says(pieces)).startswith(b"HTTP/1.1 " + status), size


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET], ids=["opened", "begun", "in its head"])
@pytest.mark.parametrize("used", [False, True], ids=["fresh", "kept"])
async def test_a_request_that_comes_as_the_server_stops_is_answered(
    begun: bytes, used: bool
) -> None:
    async with serving() as (app, server), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
        if used:
            writer.write(GET + b"\r\n")
            assert (await reader.readuntil(b'""}')).startswith(b"HTTP/1.1 200")
        writer.write(begun)
        connections = cast(set[BoundedHeads], server.server_state.connections)
        assert await soon(lambda: [one._in_head for one in connections] == [bool(begun)])
        server.should_exit = True
        assert await soon(lambda: not any(one.is_serving() for one in server.servers))
        writer.write((GET + b"\r\n")[len(begun) :])
        answered = await reader.read()
        writer.close()
    if used and not begun:
        assert answered == b""  # idle: whoever keeps a connection knows that it may be closed
    else:
        assert answered.startswith(b"HTTP/1.1 200 OK")
        assert b"connection: close" in answered
