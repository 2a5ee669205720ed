"""The consent that pages carry."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.keys import Keys
from services.requests.filing.consents import Consent, opened, sealed
from tests.builders.requests import NOON


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


def a_consent() -> Consent:
    return Consent(new_id(), new_id(), new_id(), terms_version=2, begun_at=NOON, accepts=True)


def read(keys: Keys, statement: str, consent: Consent, hours: float = 1) -> Consent | None:
    return opened(
        keys,
        statement,
        tenant=consent.tenant,
        person_id=consent.person_id,
        procedure_id=consent.procedure_id,
        now=NOON + timedelta(hours=hours),
    )


def test_it_says_again_what_was_accepted(keys: Keys) -> None:
    consent = a_consent()
    assert read(keys, sealed(keys, consent), consent) == consent


@pytest.mark.parametrize("name", ["tenant", "person_id", "procedure_id"])
def test_it_serves_one_person_at_one_procedure(keys: Keys, name: str) -> None:
    consent = a_consent()
    other: dict[str, Any] = {name: new_id()}
    assert read(keys, sealed(keys, consent), replace(consent, **other)) is None


def test_it_serves_for_a_day(keys: Keys) -> None:
    consent = a_consent()
    assert read(keys, sealed(keys, consent), consent, hours=23.9) is not None
    assert read(keys, sealed(keys, consent), consent, hours=24.1) is None


def test_an_altered_one_is_none(keys: Keys, tmp_path: Path) -> None:
    consent = a_consent()
    good = sealed(keys, consent)
    other = "B" if good[-20] == "A" else "A"  # the last letter of all holds bits that don't count
    assert read(keys, good[:-20] + other + good[-19:], consent) is None
    assert read(keys, sealed(Keys(tmp_path / "other"), consent), consent) is None
    assert read(keys, "", consent) is None
