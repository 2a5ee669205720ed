"""Passwords: long, and not what a guesser tries first."""

import pytest

from services.identity import hashing
from services.identity.domain.passwords import (
    NotRepeated,
    TooCommon,
    TooLong,
    TooShort,
    check_password,
    common_words,
    prepared,
)

TOWN = ("Givors", "Durand", "Claire", "mairie@givors.example", "69700", "YService")


def check(password: str, again: str | None = None, minimum: int = 12) -> None:
    check_password(password, password if again is None else again, minimum=minimum, context=TOWN)


@pytest.mark.parametrize(
    "password",
    [
        "quatre chevaux lents boivent",
        "correct horse battery staple",
        "9f!kQz83mLp2",
        "une phrase assez longue",
        "été à la plage avec toi",
        "x🐢kjfd8mznqw",
    ],
)
def test_what_no_guesser_tries_is_accepted(password: str) -> None:
    check(password)


@pytest.mark.parametrize(
    "password",
    [
        "motdepasse2024!",
        "M0tdep@sse123",
        "azertyuiop12",
        "123456789012",
        "aaaaaaaaaaaa",
        "121212121212",
        "Givors69700!!",
        "Mairie-Givors-2026",
        "claire.durand1",
        "yservice-2026-",
        "Marseille1993!",
        "qwertyqwerty",
    ],
)
def test_common_words_names_of_the_place_and_sequences_are_refused(password: str) -> None:
    with pytest.raises(TooCommon):
        check(password)


def test_length_counts_characters_once_composed() -> None:
    with pytest.raises(TooShort):
        check("kzt vif zwq")
    with pytest.raises(TooShort):
        check("e\u0301" * 10 + "z")  # ten é and a z only look like 21
    with pytest.raises(TooShort):
        check("kzt vif zwqd 1", minimum=15)
    with pytest.raises(TooLong):
        check("kzt vif zwq " * 30)


def test_both_must_be_the_same_however_they_were_composed() -> None:
    check("un été à givry", "un e\u0301te\u0301 a\u0300 givry")
    with pytest.raises(NotRepeated):
        check("un été à givry", "un ete a givry")


def test_the_shipped_list_is_folded() -> None:
    words = common_words()
    assert {"motdepasse", "azertyuiop", "password1234"} <= words
    assert all(word == word.lower() and word.isascii() for word in words)


async def test_a_hash_matches_its_password_alone() -> None:
    kept = await hashing.hashed("un été à givry")
    assert "m=19456,t=2,p=1" in kept
    assert not hashing.is_outdated(kept)
    assert await hashing.matches(kept, prepared("un e\u0301te\u0301 a\u0300 givry"))
    assert not await hashing.matches(kept, "un autre")
    assert not await hashing.matches(None, "un été à givry")
    assert not await hashing.matches("no hash", "un été à givry")
