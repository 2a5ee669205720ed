"""The dialogue about a mail on an open connection, led by command and in two writes (RFC 2920).

What a relay's misdeeds lead to in the queue is in test_bad_relays. All is tried on asyncio's own
loop and on libuv's, whose transports are of another make.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from chassis.settings import RelayAt, Tls
from services.notifier.delivery.mails import Letter
from services.notifier.delivery.pipelined import Pipelined
from services.notifier.delivery.send import SmtpLine
from services.notifier.delivery.steps import MayEnd
from services.notifier.domain.answers import Answer, Outcome
from tests.support.certificates import self_signed
from tests.support.scripted_smtp import (
    Manner,
    ScriptedSmtp,
    Talk,
    answering,
    cutting,
    scripted_smtp,
    stalling,
)

LETTER = Letter("sav@ypok.example", "mairie@saint-amand.example", b"Subject: a\r\n\r\n.b\r\n")
LONG = replace(LETTER, message=b"0123456789 much of this\r\n" * 1_000_000)
PATIENCE_S = 30  # how long what must come may take on a busy machine

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH = pytest.mark.parametrize("offers", [(), ("PIPELINING",)], ids=["by command", "pipelined"])


@pytest.fixture(
    scope="module",
    params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy],
    ids=lambda p: p.__module__,
)
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    """Whose loop the tests run on."""
    policy: asyncio.AbstractEventLoopPolicy = request.param()
    return policy


@asynccontextmanager
async def a_line(
    *script: Manner,
    offers: tuple[str, ...] = ("PIPELINING",),
    tls: Tls = "none",
    timeout_s: float = 1,
) -> AsyncIterator[tuple[SmtpLine, ScriptedSmtp]]:
    """A connection to a relay that treats its first callers so."""
    async with scripted_smtp(list(script), *offers) as smtp:
        at = RelayAt(host="127.0.0.1", port=smtp.port, timeout_s=timeout_s, tls=tls)
        line = SmtpLine(at, own_name="test")
        try:
            yield line, smtp
        finally:
            await line.close()


async def yes() -> bool:
    return True


async def sent(line: SmtpLine, letter: Letter = LETTER, may_end: MayEnd = yes) -> Answer:
    """What became of the mail."""
    answer = await line.send(letter, may_end)
    assert answer is not None
    return answer


@BOTH
async def test_a_mail_arrives_as_it_was_written(offers: tuple[str, ...]) -> None:
    async with a_line(offers=offers) as (line, smtp):
        for _ in range(3):
            assert await sent(line) == Answer(Outcome.ACCEPTED, 250, "2.0.0 taken")
    assert smtp.ended == [b"Subject: a\r\n\r\n..b\r\n"] * 3
    assert smtp.connections == 1


async def test_a_mails_commands_go_in_one_write_and_its_text_in_another() -> None:
    heard: list[bytes] = []

    async def manner(talk: Talk) -> None:
        await talk.says("220 scripted.test")
        await talk.hears()
        await talk.says("250-scripted.test", "250 PIPELINING")
        for replies in (("250 ok", "250 ok", "354 go on"), ("250 taken",)):
            heard.append(await talk.reader.read(1024))
            await talk.says(*replies)

    async with a_line(manner) as (line, _):
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert heard == [
            b"MAIL FROM:<sav@ypok.example>\r\nRCPT TO:<mairie@saint-amand.example>\r\nDATA\r\n",
            b"Subject: a\r\n\r\n..b\r\n.\r\n",
        ]


async def test_the_three_replies_may_come_in_any_pieces() -> None:
    async def manner(talk: Talk) -> None:
        await talk.says("220 scripted.test")
        await talk.hears()
        await talk.says("250-scripted.test", "250 PIPELINING")
        while await talk.hears():
            await talk.hears()
            await talk.hears()
            for byte in b"250-2.1.0 a\r\n250 b\r\n250 2.1.5 c\r\n354 d\r\n":
                talk.writer.write(bytes((byte,)))
                await talk.writer.drain()
                await asyncio.sleep(0)
            assert await talk.text()
            await talk.says("250 taken")

    async with a_line(manner) as (line, _):
        for _ in range(3):
            assert (await sent(line)).outcome is Outcome.ACCEPTED


@BOTH
async def test_whoever_may_not_end_a_mail_sends_no_dot(offers: tuple[str, ...]) -> None:
    async def no() -> bool:
        return False

    async with a_line(offers=offers) as (line, smtp):
        assert await line.send(LETTER, no) is None
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert (len(smtp.ended), smtp.unended, smtp.connections) == (1, 1, 2)


async def test_of_a_long_text_the_lease_is_asked_for_once_the_relay_reads_it() -> None:
    reads = asyncio.Event()
    asked: list[bool] = []

    async def may_end() -> bool:
        asked.append(reads.is_set())
        return True

    async def slow(talk: Talk) -> None:
        async def wait() -> None:
            await talk.says("354 go on")
            assert await talk.reader.read(10)
            reads.set()
            assert await talk.text()
            await talk.says("250 taken")

        await talk.serve(before="DATA", instead=wait)

    async with a_line(slow) as (line, smtp):
        assert (await sent(line, LONG, may_end)).outcome is Outcome.ACCEPTED
    assert asked == [True]
    assert len(smtp.ended[0]) == len(LONG.message) - 10


async def test_where_no_recipient_was_taken_nothing_follows_though_the_text_is_asked_for() -> None:
    heard: list[bytes] = []

    async def disordered(talk: Talk) -> None:
        async def refuse() -> None:
            await talk.says("550 5.1.1 unknown")
            assert await talk.hears() == "DATA"
            await talk.says("354 go on")
            with suppress(ConnectionResetError):
                heard.append(await talk.reader.read())

        await talk.serve(before="RCPT", instead=refuse)

    async with a_line(disordered) as (line, smtp):
        assert (await sent(line)).code == 550
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert (len(smtp.ended), smtp.connections) == (1, 2)
    assert b"".join(heard) == b""


async def test_of_a_text_that_was_given_up_no_end_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Pipelined, "AT_ONCE", len(LONG.message))
    given_up, over = asyncio.Event(), asyncio.Event()

    async def stuck(talk: Talk) -> None:
        async def wait() -> None:
            await talk.says("354 go on")
            await given_up.wait()
            with suppress(ConnectionResetError):
                await talk.text()
            over.set()

        await talk.serve(before="DATA", instead=wait)

    async with a_line(stuck, timeout_s=0.05) as (line, smtp):
        assert (await sent(line, LONG)).outcome is Outcome.UNKNOWN
        given_up.set()
        await over.wait()
        assert smtp.ended == []


@BOTH
@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("MAIL", Outcome.DEFERRED),
        ("RCPT", Outcome.DEFERRED),
        ("DATA", Outcome.DEFERRED),
        (".", Outcome.UNKNOWN),
    ],
)
async def test_every_wait_comes_to_its_end(
    offers: tuple[str, ...], command: str, outcome: Outcome
) -> None:
    async with a_line(stalling(command), offers=offers, timeout_s=0.1) as (line, _):
        async with asyncio.timeout(PATIENCE_S):
            assert (await sent(line)).outcome is outcome


@BOTH
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
async def test_a_refusal_leaves_the_connection_to_the_next_mail(
    offers: tuple[str, ...], command: str
) -> None:
    async with a_line(answering(command, "554 5.7.1 no"), offers=offers) as (line, smtp):
        assert await sent(line) == Answer(Outcome.REFUSED, 554, "5.7.1 no")
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert smtp.connections == 1


@BOTH
@pytest.mark.parametrize(
    "manner", [answering("MAIL", "421 4.3.2 bye"), cutting("MAIL")], ids=["421", "reset"]
)
async def test_a_relay_that_hangs_up_before_a_mail_began_is_called_again_at_once(
    offers: tuple[str, ...], manner: Manner
) -> None:
    async with a_line(manner, offers=offers) as (line, smtp):
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert smtp.connections == 2


@BOTH
@pytest.mark.parametrize(
    ("command", "words", "outcome"),
    [
        ("RCPT", "421 4.3.2 bye", Outcome.DEFERRED),
        ("DATA", "421 4.3.2 bye", Outcome.DEFERRED),
        ("DATA", "250 ok", Outcome.DEFERRED),
        ("RCPT", "354 go on", Outcome.DEFERRED),
        ("DATA", "what?", Outcome.DEFERRED),
        (".", "421 4.3.2 bye", Outcome.DEFERRED),
        (".", "354 go on", Outcome.UNKNOWN),
        (".", "what?", Outcome.UNKNOWN),
    ],
)
async def test_a_reply_out_of_place_ends_the_connection(
    offers: tuple[str, ...], command: str, words: str, outcome: Outcome
) -> None:
    async with a_line(answering(command, words), offers=offers) as (line, smtp):
        assert (await sent(line)).outcome is outcome
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert smtp.connections == 2


@pytest.mark.parametrize("more", ["250 again", "421 4.3.2 bye", "what?"])
async def test_a_relay_that_says_more_than_it_was_asked_is_not_used_again(more: str) -> None:
    async def chatty(talk: Talk) -> None:
        await talk.serve(before=".", instead=lambda: talk.says("250 taken", more))

    async with a_line(chatty) as (line, smtp):
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert smtp.connections == 2


@pytest.mark.parametrize(
    ("words", "code"), [("451 4.3.0 no room", 451), ("554 5.7.1 no", 554), ("250 taken", None)]
)
async def test_an_answer_to_a_text_that_has_not_ended_is_heard_and_no_dot_sent(
    words: str, code: int | None
) -> None:
    said = asyncio.Event()

    async def hasty(talk: Talk) -> None:
        async def answer() -> None:
            await talk.says("354 go on", words)
            said.set()
            await talk.text()

        await talk.serve(before="DATA", instead=answer)

    async def may_end() -> bool:
        await said.wait()
        return True

    async with a_line(hasty) as (line, smtp):
        answer = await sent(line, LETTER, may_end)
        assert (answer.code, answer.outcome is not Outcome.ACCEPTED) == (code, True)
        await sent(line)
        assert (len(smtp.ended), smtp.connections) == (1, 2)


@BOTH
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", ">\r\nRSET", "\x00"])
@pytest.mark.parametrize(
    "place", [lambda a: replace(LETTER, sender=a), lambda a: replace(LETTER, recipient=a)]
)
async def test_an_address_that_holds_a_command_is_never_sent(
    offers: tuple[str, ...], end: str, place: Callable[[str], Letter]
) -> None:
    heard: list[str] = []

    async def listening(talk: Talk) -> None:
        hears = talk.hears

        async def noting() -> str:
            heard.append(await hears())
            return heard[-1]

        talk.hears = noting  # type: ignore[method-assign]
        await talk.serve()

    letter = place(f"a@b.example{end}DATA")
    async with a_line(listening, offers=(*offers, "SMTPUTF8")) as (line, _):
        for one in (letter, place(f"é@b.example{end}DATA")):
            answer = await sent(line, one)
            assert answer.outcome is Outcome.REFUSED
            assert answer.code is None
    assert not [one for one in heard if "DATA" in one]


@BOTH
async def test_an_address_beyond_ascii_goes_where_it_is_understood(
    offers: tuple[str, ...],
) -> None:
    letter = replace(LETTER, recipient="élu@saint-amand.example")
    async with a_line(offers=(*offers, "SMTPUTF8")) as (line, _):
        assert (await sent(line, letter)).outcome is Outcome.ACCEPTED
    async with a_line(offers=offers) as (line, smtp):
        assert (await sent(line, letter)).outcome is Outcome.REFUSED
        assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert smtp.connections == 1


@BOTH
async def test_in_tls_what_counts_is_what_the_relay_offers_there(
    offers: tuple[str, ...], tmp_path: Path
) -> None:
    context = self_signed(tmp_path)

    async def securing(talk: Talk) -> None:
        await talk.says("220 scripted.test")
        await talk.hears()
        await talk.says("250-scripted.test", "250-PIPELINING", "250 STARTTLS")
        assert await talk.hears() == "STARTTLS"
        await talk.says("220 go ahead")
        await talk.writer.start_tls(context)
        await talk.serve(greeting=False)

    async with a_line(securing, offers=offers, tls="starttls-unverified") as (line, smtp):
        for _ in range(2):
            assert (await sent(line)).outcome is Outcome.ACCEPTED
        assert isinstance(line._connection, Pipelined) == bool(offers)
        assert (len(smtp.ended), smtp.connections) == (2, 1)
