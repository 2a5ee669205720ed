"""What became of a try, judged from the relay's answer (RFC 5321 §4.2, RFC 4954 §6)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from contracts.notifier import Cause
from services.notifier.domain.lines import one_line

WORDS_MOST = 500

OURS_TO_MEND = frozenset({530, 534, 535, 538})
"""Refusals of us and not of the mail: the relay wants to be signed in to. Mended, it is sent."""

DOUBTS_MOST = 10
"""Each try after which a relay may have the mail may make a copy: not more of them."""

HIDDEN = "…"
ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>]*[^\s<>.,:;)\]}'\"]>?")
QUERY = re.compile(r"(https?://[^\s?#]+)[?#]\S*")
SECRET = re.compile(r"[A-Za-z0-9_.~-]{60,}")
"""As long as only a link's token is."""


class Outcome(StrEnum):
    """How a try ended."""

    ACCEPTED = "accepted"  # the relay answers for the mail from now on
    REFUSED = "refused"  # for good
    DEFERRED = "deferred"  # surely not taken; to be tried again
    UNKNOWN = "unknown"  # perhaps taken: tried again under the same Message-ID


@dataclass(frozen=True)
class Answer:
    """The outcome, with the code and the words that the relay gave, or ours where it gave none."""

    outcome: Outcome
    code: int | None
    words: str
    cause: Cause | None = None
    """Of a refusal that is not the relay's."""


def judged(code: int, words: str, recipient: str = "") -> Answer:
    """What the relay's reply means for the mail to this recipient."""
    if 200 <= code < 300:
        outcome = Outcome.ACCEPTED
    elif 500 <= code < 600 and code not in OURS_TO_MEND:
        outcome = Outcome.REFUSED
    else:
        outcome = Outcome.DEFERRED
    return Answer(outcome, code, kept(words, recipient))


def lost(*, perhaps_taken: bool, words: str) -> Answer:
    """No reply came, before or after the mail's text had been handed over."""
    return Answer(Outcome.UNKNOWN if perhaps_taken else Outcome.DEFERRED, None, words)


def unsendable(words: str) -> Answer:
    """No relay was asked: the mail can't be put on the wire at all."""
    return Answer(Outcome.REFUSED, None, words, Cause.UNSENDABLE)


def final(answer: Answer, *, tries: int, most: int, doubts: int) -> Answer:
    """The answer, or a refusal where the mail has been tried often enough, this try included."""
    if answer.outcome in (Outcome.ACCEPTED, Outcome.REFUSED):
        return answer
    if tries < most and doubts < DOUBTS_MOST:
        return answer
    return Answer(Outcome.REFUSED, answer.code, answer.words, Cause.GAVE_UP)


def kept(words: str, recipient: str = "") -> str:
    """A relay's words on one line, without addresses and without what a link could be made of.

    Relays quote: the address that they don't know, or the text that they take for spam.
    """
    if "@" in words:
        words = ADDRESS.sub(HIDDEN, words)
    if "://" in words:
        words = QUERY.sub(rf"\1{HIDDEN}", words)
    local = recipient.rpartition("@")[0]
    if len(local) > 2 and (local.lower() in words.lower() or not (local + words).isascii()):
        words = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", HIDDEN, words, flags=re.IGNORECASE)
    return one_line(SECRET.sub(HIDDEN, words), WORDS_MOST)
