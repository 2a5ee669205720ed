"""Usernames: what one may be, and which to propose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.usernames import (
    BadUsername,
    candidates,
    check_username,
    cleaned,
    first_free,
    username_key,
)


@pytest.mark.parametrize("name", ["lyon", "Mairie de Givors", "claire@givors.example", "L'Haÿ-2"])
def test_names_people_choose_are_accepted(name: str) -> None:
    check_username(cleaned(name))


@pytest.mark.parametrize("name", ["", "ab", "x" * 65, "<script>", "a/b/c", "tab\x00"])
def test_others_are_refused(name: str) -> None:
    with pytest.raises(BadUsername):
        check_username(cleaned(name))


def test_neither_case_nor_accents_nor_blanks_tell_two_apart() -> None:
    assert username_key("  SAINT-Étienne  du  Bois ") == username_key("saint-etienne du bois")
    assert username_key("lyon") != username_key("lyon-2")


@pytest.mark.parametrize(
    ("town", "first"),
    [
        ("Givors", "givors"),
        ("Saint-Étienne-du-Bois", "saint-etienne-du-bois"),
        ("L'Haÿ-les-Roses", "l-hay-les-roses"),
        ("Y", "mairie-y"),
        ("東京", "mairie"),
    ],
)
def test_a_town_is_proposed_its_own_name(town: str, first: str) -> None:
    assert candidates(town)[0] == first


def test_the_first_free_one_is_proposed() -> None:
    assert first_free(candidates("Givors"), {"givors", "givors-2"}) == "givors-3"


@given(st.text(max_size=200))
def test_whatever_a_town_is_called_its_proposals_may_be_chosen(town: str) -> None:
    for name in candidates(town)[::50]:
        check_username(cleaned(name))
        assert username_key(name) == name
