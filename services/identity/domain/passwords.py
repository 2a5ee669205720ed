"""Passwords: long enough, and not what a guesser tries first. No rules of composition.

`common_passwords.txt` holds, folded, the passwords and words that leaks are full of: the long and
the wordlike ones of the list that Django ships (20,000, by Royce Williams, BSD licence), and
French ones. `check_password` looks for them inside a password too.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from chassis.problems import Invalid
from chassis.words import N_

SHORTEST = 12
SHORTEST_WHERE_ASKED = 15
"""What a tenant may ask instead."""
LONGEST = 256


class TooShort(Invalid):
    """Fewer characters than the tenant asks."""

    title = N_("Choose a password of at least %(minimum)s characters, such as a short sentence.")
    field = "password"


class TooLong(Invalid):
    """Nobody types that; hashing it would only cost."""

    title = N_("Choose a password of at most %(maximum)s characters.")
    field = "password"


class TooCommon(Invalid):
    """Made of what a guesser tries first."""

    title = N_(
        "This password is too easy to guess: common words, names of this place or sequences. "
        "Add several words that have nothing to do with it."
    )
    field = "password"


class NotRepeated(Invalid):
    """The two are not the same."""

    title = N_("The two passwords are not the same. Type the same one twice.")
    field = "password_again"


def prepared(password: str) -> str:
    """The password as it is hashed and measured: one form, however a keyboard composed it."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, again: str, *, minimum: int, context: Iterable[str]) -> None:
    """Raises TooShort, TooLong, TooCommon or NotRepeated.

    `context` holds what a guesser knows of this account: its names, town, address, portal.
    """
    kept = prepared(password)
    if len(kept) < minimum:
        raise TooShort(minimum=minimum)
    if len(kept) > LONGEST:
        raise TooLong(maximum=LONGEST)
    if is_guessable(kept, context):
        raise TooCommon
    if prepared(again) != kept:
        raise NotRepeated


def is_guessable(password: str, context: Iterable[str]) -> bool:
    """Is it one or two known words, with little else than sequences and years around them?

    Three words or more pass: four common words in a row are a good password.
    """
    plain = _folded(password)
    spelt = plain.translate(_LEET)  # same length: `p@ssw0rd` is read as `password`
    words = common_words() | {word for text in context for word in _words_of(text)}
    longest = max(map(len, words))
    found: set[str] = set()
    left = position = 0
    while position < len(plain):
        word = _word_at(plain, spelt, position, words, longest)
        run = _run_at(plain, position)
        if word and len(word) >= run:
            found.add(word)
            position += len(word)
        elif run:
            position += run
        else:
            left += plain[position] not in _BETWEEN
            position += 1
    few = left < LEAST_LEFT and len(found) <= MOST_WORDS
    return few or len(set(plain)) < LEAST_DIFFERENT


MOST_WORDS = 2
LEAST_LEFT = 4
"""So many characters beside words and sequences, and no guesser's list holds the password."""

LEAST_DIFFERENT = 5
"""How many different characters a password has at least."""

_SHORTEST_WORD = 4
_BETWEEN = " -_.,'"
_LEET = str.maketrans("@4301$5!7", "aaeoissit")
_YEAR = re.compile(r"(19|20)\d\d")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1a2z3e4r5t6y7u8i9o0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "aqwzsxedcrfvtgbyhnuj",
)
_SEQUENCES = (*_ROWS, *(row[::-1] for row in _ROWS))
_SHORTEST_RUN = 3


@cache
def common_words() -> frozenset[str]:
    """The shipped list."""
    shipped = files(__package__).joinpath("common_passwords.txt").read_text(encoding="ascii")
    return frozenset(shipped.split())


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one for one in apart if not unicodedata.combining(one))


def _words_of(text: str) -> set[str]:
    parts = re.split(r"[^a-z0-9]+", _folded(text))
    return {word for word in (*parts, "".join(parts)) if len(word) >= _SHORTEST_WORD}


def _word_at(plain: str, spelt: str, position: int, words: frozenset[str], longest: int) -> str:
    for length in range(min(longest, len(plain) - position), _SHORTEST_WORD - 1, -1):
        for text in (plain, spelt):
            if text[position : position + length] in words:
                return text[position : position + length]
    return ""


def _run_at(plain: str, position: int) -> int:
    """How many characters from here on are a repetition, a year or a row of a keyboard."""
    rest = plain[position:]
    same = len(rest) - len(rest.lstrip(rest[0]))
    year = 4 if _YEAR.match(rest) else 0
    row = 0
    for sequence in _SEQUENCES:
        start = sequence.find(rest[:_SHORTEST_RUN])
        if start < 0 or len(rest) < _SHORTEST_RUN:
            continue
        length = _SHORTEST_RUN
        while rest[:length] in sequence and length <= len(rest):
            length += 1
        row = max(row, length - 1)
    longest = max(same, year, row)
    return longest if longest >= _SHORTEST_RUN else 0
