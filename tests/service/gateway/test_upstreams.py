"""One suite over both ways to reach a part: in this process, and by HTTP in one of its own."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message

from gateway.upstream import AnswerCut, InProcess, PartAway, Upstream, ask
from tests.support.installation import free_port
from tests.support.upstreams import (
    CHUNK,
    Exchange,
    Part,
    by_http,
    exchange,
    served,
)
from tests.support.waiting import bounded


@pytest.fixture
def part() -> Part:
    return Part()


@pytest.fixture(params=["in process", "by http"])
async def upstream(request: pytest.FixtureRequest, part: Part) -> AsyncIterator[Upstream]:
    """Either way to the part."""
    if request.param == "in process":
        yield InProcess({"part": part})
        return
    async with served(part) as (address, _), by_http(address) as upstream:
        yield upstream


# ── Alike, whichever way ─────────────────────────────────────────────────────────────────────────


async def test_a_page_comes_whole_with_its_headers(upstream: Upstream) -> None:
    took = await exchange(upstream, "/page")
    assert (took.status, took.body, took.is_whole) == (200, b"a page", True)
    assert (b"x-kind", "été".encode()) in took.headers
    assert (b"content-length", b"6") in took.headers


async def test_a_part_is_handed_path_query_and_headers_as_they_came(
    upstream: Upstream, part: Part
) -> None:
    await exchange(upstream, "/page", headers=[(b"x-token", b"a b"), (b"accept", b"text/html")])
    [scope] = part.scopes
    headers = [(n, v) for n, v in scope["headers"] if n != b"connection"]
    assert sorted(headers) == [
        (b"accept", b"text/html"),
        (b"host", b"ville.localhost"),
        (b"x-token", b"a b"),
    ]
    assert (scope["method"], scope["raw_path"], scope["query_string"]) == ("GET", b"/page", b"")


async def test_an_answer_comes_while_the_body_is_still_sent(upstream: Upstream) -> None:
    """A piece is sent when the one before has come back: neither way is gathered up."""
    back: asyncio.Queue[bytes] = asyncio.Queue()
    sent = [b"one", b"two", b"three"]
    rest = list(sent)

    async def receive() -> Message:
        if len(rest) < len(sent):
            assert await back.get() == sent[len(sent) - len(rest) - 1]
        if not rest:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": rest.pop(0), "more_body": True}

    def seen(message: Message) -> None:
        if message.get("body"):
            back.put_nowait(message["body"])

    length = (b"content-length", str(sum(map(len, sent))).encode())
    took = await exchange(upstream, "/echo", "POST", headers=[length], receive=receive, seen=seen)
    assert (took.body, took.is_whole) == (b"onetwothree", True)


async def test_a_large_body_arrives_whole(upstream: Upstream) -> None:
    body = [CHUNK] * 256
    took = await exchange(upstream, "/digest", "POST", body=body)
    assert took.body.decode() == hashlib.sha256(b"".join(body)).hexdigest()


async def test_a_large_answer_arrives_whole(upstream: Upstream) -> None:
    took = await exchange(upstream, "/large")
    assert (len(took.body), took.is_whole) == (256 * len(CHUNK), True)


async def test_head_is_answered_by_headers(upstream: Upstream) -> None:
    took = await exchange(upstream, "/page", "HEAD")
    assert took.status == 200
    assert took.is_whole
    assert (b"content-length", b"6") in took.headers


async def test_what_is_unchanged_has_no_body(upstream: Upstream) -> None:
    took = await exchange(upstream, "/unchanged")
    assert (took.status, took.body, took.is_whole) == (304, b"", True)
    assert (b"etag", b'"1"') in took.headers


async def test_two_cookies_stay_two(upstream: Upstream) -> None:
    took = await exchange(upstream, "/cookies", "POST", body=[b"x"])
    assert [v for n, v in took.headers if n == b"set-cookie"] == [b"a=1", b"b=2"]
    assert took.status == 303  # and is not followed


async def test_a_refusal_before_the_body_was_read_arrives(upstream: Upstream) -> None:
    took = await exchange(upstream, "/refusal", "POST", body=[CHUNK] * 64)
    assert (took.status, took.body, took.is_whole) == (413, b"too large", True)


async def test_a_fault_that_is_answered_is_an_answer(upstream: Upstream) -> None:
    took = await exchange(upstream, "/fault")
    assert (took.status, took.body) == (500, b"a fault of ours")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_part_that_fails_before_it_answers_is_away(
    upstream: Upstream, part: Part, method: str
) -> None:
    took = Exchange()
    with pytest.raises(PartAway):
        await exchange(upstream, "/fails", method, took=took)
    assert took.messages == []
    assert len(part.scopes) == 1


@pytest.mark.parametrize("path", ["/breaks", "/short"])
async def test_a_part_that_fails_in_its_answer_cuts_it(upstream: Upstream, path: str) -> None:
    took = Exchange()
    with pytest.raises(AnswerCut):
        await exchange(upstream, path, took=took)
    assert (took.status, took.body, took.is_whole) == (200, b"half", False)


async def test_whoever_hangs_up_is_not_worked_for(upstream: Upstream, part: Part) -> None:
    gone = asyncio.Event()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    call = asyncio.create_task(exchange(upstream, "/waits", receive=receive))
    async with bounded(10):
        await part.waiting.wait()
        gone.set()
        await part.left.wait()
        await call


async def test_whoever_is_cancelled_is_not_worked_for(upstream: Upstream, part: Part) -> None:
    call = asyncio.create_task(exchange(upstream, "/waits"))
    async with bounded(10):
        await part.waiting.wait()
        call.cancel()
        await part.left.wait()
        await asyncio.gather(call, return_exceptions=True)


async def test_a_question_is_answered_in_json(upstream: Upstream) -> None:
    with pytest.raises(PartAway):
        await ask(upstream, "part", "POST", "/fault", [], {"of": "ours"})
    with pytest.raises(PartAway):
        await ask(upstream, "part", "GET", "/breaks", [])


# ── By HTTP alone ────────────────────────────────────────────────────────────────────────────────


async def test_whoever_hangs_up_in_their_body_leaves_the_part_nothing_whole(part: Part) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async with served(part) as (address, _), by_http(address) as upstream:
        took = await exchange(
            upstream, "/waits", "POST", headers=[(b"content-length", b"8")], receive=receive
        )
        assert took.messages == []
        async with bounded(10):
            await part.left.wait()


async def test_headers_of_one_hop_go_no_further(part: Part) -> None:
    given = [(b"connection", b"x-mine"), (b"x-mine", b"1"), (b"te", b"trailers"), (b"x-kept", b"1")]
    async with served(part) as (address, _), by_http(address) as upstream:
        took = await exchange(upstream, "/hops", headers=given)
    names = {name for name, _ in part.scopes[0]["headers"]}
    assert names & {b"x-mine", b"te", b"x-kept"} == {b"x-kept"}
    assert {b"keep-alive", b"connection", b"x-kept"} & {n for n, _ in took.headers} == {b"x-kept"}


async def test_a_silent_part_is_away(part: Part) -> None:
    async with served(part) as (address, _), by_http(address) as upstream:
        with pytest.raises(PartAway):
            await exchange(upstream, "/waits")
        await asyncio.wait_for(part.left.wait(), 10)  # and is told that nobody waits for it
        with pytest.raises(AnswerCut):
            await exchange(upstream, "/stalls")
    assert len(part.scopes) == 2, "a slow part is not asked twice"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_where_nobody_listens_the_next_is_asked(part: Part, method: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with served(part) as (address, _), by_http(nowhere, address) as upstream:
        took = await exchange(upstream, "/digest", method, body=[b"a body"])
        assert took.body.decode() == hashlib.sha256(b"a body").hexdigest()
        assert upstream._in_turn("part")[-1].port == int(nowhere.rpartition(":")[2])


async def test_where_nobody_listens_at_all_the_part_is_away() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with by_http(nowhere, nowhere) as upstream:
        with pytest.raises(PartAway):
            await exchange(upstream, "/page", "POST", body=[b"x"])


@asynccontextmanager
async def raw(
    converse: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that does what no good one does."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await converse(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_what_may_not_be_repeated_is_sent_once(part: Part) -> None:
    """A process that ends with a request in its hands: nobody knows what it did with it."""
    heads = []

    async def dies(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))

    async with (
        raw(dies) as dying,
        served(part) as (address, _),
        by_http(dying, address) as upstream,
    ):
        with pytest.raises(PartAway):
            await exchange(upstream, "/digest", "POST", body=[b"a body"])
        assert (len(heads), part.scopes) == (1, [])
        assert (await exchange(upstream, "/page")).body == b"a page"
        assert heads[1].startswith(b"GET /page")
        assert len(part.scopes) == 1


async def test_garbage_is_no_answer() -> None:
    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SMTP/2.0 hello\r\n\r\n")
        await writer.drain()

    async with raw(babbles) as address, by_http(address) as upstream:
        with pytest.raises(PartAway):
            await exchange(upstream, "/page")


async def test_headers_without_end_are_no_answer() -> None:
    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nx-large: " + b"x" * 64 * 1024 + b"\r\n\r\n")
        await writer.drain()

    async with raw(babbles) as address, by_http(address) as upstream:
        with pytest.raises(PartAway):
            await exchange(upstream, "/page")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_the_part_closed_is_no_fault(method: str) -> None:
    """It answers, promises to keep the connection, and closes it: so does one that is restarted."""
    answered = 0

    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        answered += 1

    async with raw(closes) as address, by_http(address) as upstream:
        for _ in range(50):
            assert (await exchange(upstream, "/page", method)).body == b"ok"
    assert answered == 50


async def test_a_process_that_leaves_is_asked_last(part: Part) -> None:
    other = Part()
    async with (
        served(part) as (first, front),
        served(other) as (second, _),
        by_http(first, second) as upstream,
    ):
        await exchange(upstream, "/page")
        front.leaving = True
        took = await exchange(upstream, "/page")  # it still serves
        assert (took.body, len(part.scopes)) == (b"a page", 2)
        assert not {b"connection", b"x-guichet-leaving"} & {name for name, _ in took.headers}
        for _ in range(5):
            await exchange(upstream, "/page", "POST", body=[b"x"])
    assert (len(part.scopes), len(other.scopes)) == (2, 5)
