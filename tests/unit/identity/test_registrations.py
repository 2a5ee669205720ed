"""Registrations: the fixed form, and whether a further account may still be asked for."""

import pytest

from chassis.forms import read
from chassis.ids import new_id
from contracts.links import Purpose, address_hash
from services.identity.domain.links import GoneLink, Link, UsedLink
from services.identity.domain.registrations import FORM, BadPostcode, answers_of
from services.identity.registration.ask_for_further_account import check_further
from tests.unit.identity.test_links import ADDRESS, NOON

TYPED = {
    "town_name": "Givors",
    "city": "Givors",
    "postcode": "69 700",
    "title": "Mme",
    "birth_name": "Durand",
    "first_name": "Claire",
    "email": ADDRESS,
}
LINK = Link(Purpose.FURTHER_ACCOUNT, new_id(), new_id(), address_hash(ADDRESS), NOON)


def test_everything_is_mandatory() -> None:
    assert set(read(FORM, {}).errors) == set(TYPED)


def test_answers_are_read_from_the_form() -> None:
    form = read(FORM, TYPED)
    told = answers_of({key: form.text(key) for key in TYPED})
    assert form.ok
    assert (told.town_name, told.postcode, told.email) == ("Givors", "69700", ADDRESS)


@pytest.mark.parametrize("postcode", ["6970", "697000", "2A004", "٦٩٧٠٠"])
def test_a_postcode_has_five_digits(postcode: str) -> None:
    with pytest.raises(BadPostcode):
        answers_of({**TYPED, "postcode": postcode})


def test_a_further_account_is_asked_for_once_while_the_registration_stands() -> None:
    check_further(LINK, "known", ADDRESS)
    for state in ("opened", "activated"):
        with pytest.raises(UsedLink):
            check_further(LINK, state, ADDRESS)
    for state, address in (("lapsed", ""), ("submitted", ADDRESS), ("known", "x@y.example")):
        with pytest.raises(GoneLink):
            check_further(LINK, state, address)
