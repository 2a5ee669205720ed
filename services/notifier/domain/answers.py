"""What became of a try, judged from the relay's answer (RFC 5321 §4.2, RFC 4954 §6)."""

from dataclasses import dataclass
from enum import StrEnum

from services.notifier.domain.lines import one_line

WORDS_MOST = 500

OURS_TO_MEND = frozenset({530, 534, 535, 538})
"""Refusals of us and not of the mail: the relay wants to be signed in to. Mended, it is sent."""


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


def judged(code: int, words: str) -> Answer:
    """What the relay's reply means for the mail."""
    if 200 <= code < 300:
        outcome = Outcome.ACCEPTED
    elif 500 <= code < 600 and code not in OURS_TO_MEND:
        outcome = Outcome.REFUSED
    else:
        outcome = Outcome.DEFERRED
    return Answer(outcome, code, one_line(words, WORDS_MOST))


def lost(*, perhaps_taken: bool, words: str) -> Answer:
    """No reply came, before or after the mail's text had been handed over."""
    return Answer(Outcome.UNKNOWN if perhaps_taken else Outcome.DEFERRED, None, words)


def unsendable(words: str) -> Answer:
    """No relay was asked: the mail can't be put on the wire at all."""
    return Answer(Outcome.REFUSED, None, words)
