"""A relay's replies, however their bytes are cut; and a text as it goes over the wire."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.delivery.dialogue import as_sent
from services.notifier.delivery.replies import LINE_MOST, LINES_MOST, Replies, Reply

SAID = (
    b"250-2.1.0 first\r\n250-\r\n250 2.1.0 last\r\n250\r\n"
    b"354 go on\r\n550 5.1.1 caf\xc3\xa9 \xff\n421 4.3.2 bye\r\n"
)
MEANT = [
    Reply(250, "2.1.0 first\n\n2.1.0 last"),
    Reply(250, ""),
    Reply(354, "go on"),
    Reply(550, "5.1.1 café \N{REPLACEMENT CHARACTER}"),
    Reply(421, "4.3.2 bye"),
]


def read(*pieces: bytes) -> tuple[list[Reply], Replies]:
    """What a reader makes of these bytes, one read a piece."""
    replies = Replies()
    return [one for piece in pieces for one in replies.feed(piece)], replies


@pytest.mark.parametrize("cut", range(len(SAID) + 1))
def test_replies_are_the_same_wherever_they_are_cut(cut: int) -> None:
    found, replies = read(SAID[:cut], SAID[cut:])
    assert found == MEANT
    assert replies.is_between


def test_replies_may_come_byte_by_byte() -> None:
    found, replies = read(*(SAID[at : at + 1] for at in range(len(SAID))))
    assert found == MEANT
    assert replies.is_between


@pytest.mark.parametrize("cut", range(1, len(b"250-one\r\n250 two\r\n")))
def test_a_reply_is_given_once_it_is_whole_and_not_before(cut: int) -> None:
    found, replies = read(b"250-one\r\n250 two\r\n"[:cut])
    assert found == []
    assert not replies.is_between


@pytest.mark.parametrize(
    "garbage",
    [
        b"what?\r\n",
        b"\r\n",
        b"25\r\n",
        b"2500 ok\r\n",
        b"250_ok\r\n",
        b" 250 ok\r\n",
        b"150 early\r\n",
        b"650 late\r\n",
        "٢٥٠ ok\r\n".encode(),
        b"250 one\rtwo\r\n",
        b"250-one\r\nwhat?\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\n",
        b"250 " + b"x" * LINE_MOST + b"\r\n",
        b"x" * (LINE_MOST + 1),
        b"250-more\r\n" * (LINES_MOST + 1),
    ],
)
def test_what_is_no_reply_is_refused_with_all_that_follows_it(garbage: bytes) -> None:
    found, replies = read(b"250 ok\r\n", garbage, b"250 ok\r\n")
    assert found == [Reply(250, "ok")]
    assert replies.garbled
    assert not replies.is_between


def test_what_came_before_garbage_in_one_read_is_given() -> None:
    found, replies = read(b"250 ok\r\nwhat?\r\n250 ok\r\n")
    assert found == [Reply(250, "ok")]
    assert replies.garbled


@given(st.lists(st.binary(max_size=40)))
def test_no_bytes_upset_the_reader(pieces: list[bytes]) -> None:
    found, _ = read(*pieces)
    assert all(200 <= one.code < 600 for one in found)
    assert found == read(b"".join(pieces))[0]


# ── The text ─────────────────────────────────────────────────────────────────────────────────────

TEXTS = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"..", b"\x00"])).map(b"".join)


@given(TEXTS)
def test_a_text_holds_no_end_but_its_own(text: bytes) -> None:
    sent = as_sent(text)
    assert sent.endswith(b"\r\n")
    assert re.search(rb"\r(?!\n)|(?<!\r)\n", sent) is None
    assert b".\r\n" not in (sent[:3], *(sent[at + 2 : at + 5] for at in ends(sent)))


@given(TEXTS)
def test_a_relay_reads_the_lines_that_were_written(text: bytes) -> None:
    lines = re.split(rb"\r\n|\r|\n", text)
    read_there = [one.removeprefix(b".") for one in as_sent(text).split(b"\r\n")]
    assert read_there == (lines if lines[-1] == b"" and text else [*lines, b""])


def test_a_text_that_is_well_goes_as_it_is() -> None:
    assert as_sent(b"a: b\r\n\r\nc.\r\n") == b"a: b\r\n\r\nc.\r\n"


def ends(sent: bytes) -> list[int]:
    return [found.start() for found in re.finditer(b"\r\n", sent)]
