"""Usernames: what one may be, when two are the same, and which one to propose to a town."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from chassis.problems import Invalid
from chassis.words import N_

SHORTEST, LONGEST = 3, 64

MOST_CANDIDATES = 200

_ALLOWED = re.compile(r"[\w.@+' -]+")
_SEPARATORS = re.compile(r"[^a-z0-9]+")


class BadUsername(Invalid):
    """Too short, too long, or with characters that a username may not have."""

    title = N_(
        "Choose a username of 3 to 64 characters: letters, digits, spaces "
        "and the signs . - _ @ + or '."
    )
    field = "username"


class UsernameTaken(Invalid):
    """Somebody of this tenant has one that counts as the same."""

    title = N_("This username is taken. Choose another one.")
    field = "username"


def cleaned(username: str) -> str:
    """The username as it is kept and shown: composed characters, single spaces, none outside."""
    return " ".join(unicodedata.normalize("NFC", username).split())


def username_key(username: str) -> str:
    """What makes two usernames the same: neither case nor accents tell them apart."""
    apart = unicodedata.normalize("NFKD", cleaned(username))
    return "".join(one for one in apart if not unicodedata.combining(one)).casefold()


def check_username(username: str) -> None:
    """Raises BadUsername. Takes what `cleaned` answers."""
    if not SHORTEST <= len(username) <= LONGEST or not _ALLOWED.fullmatch(username):
        raise BadUsername


def candidates(town: str) -> list[str]:
    """What to propose to a town of this name, best first: `lyon`, `lyon-2`, `lyon-3`, …"""
    stem = _SEPARATORS.sub("-", username_key(town)).strip("-")[: LONGEST - 4].strip("-")
    if len(stem) < SHORTEST:
        stem = f"mairie-{stem}".strip("-")
    return [stem, *(f"{stem}-{number}" for number in range(2, MOST_CANDIDATES + 1))]


def first_free(candidates: Sequence[str], taken: Collection[str]) -> str:
    """The first that nobody has; the last where all are taken, to be changed by its person."""
    return next((one for one in candidates if one not in taken), candidates[-1])
