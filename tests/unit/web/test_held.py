"""A form that waits behind the sign-in: for its own account, of this tenant, for a while."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.ids import new_id
from chassis.keys import Keys
from chassis.web.held import HELD, THEN, WHOSE, Held, mark_of, opened, sealed

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)
TENANT, ACCOUNT = new_id(), new_id()
TYPED = {"what": "L’écran\nreste blanc <script>", "proofs": "a\nb"}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


def waiting(keys: Keys, **more: str) -> str:
    """A form of the account, as the sign-in page carries it."""
    fields = {**TYPED, WHOSE: mark_of(TENANT, ACCOUNT), **more}
    return sealed(keys, TENANT, Held("/procedures/a/form", fields), NOON)


def test_what_was_typed_comes_back(keys: Keys) -> None:
    held = opened(keys, TENANT, waiting(keys), ACCOUNT, NOON + timedelta(hours=1))
    assert held == Held("/procedures/a/form", TYPED)


def test_passwords_and_the_button_do_not(keys: Keys) -> None:
    text = waiting(keys, password="a", new_password_again="b", **{THEN: "save", HELD: "c"})
    held = opened(keys, TENANT, text, ACCOUNT, NOON)
    assert held is not None
    assert held.fields == TYPED


def test_nobody_reads_it_on_the_page(keys: Keys) -> None:
    assert "blanc" not in waiting(keys)
    assert waiting(keys) != waiting(keys)


def test_it_is_for_nobody_else(keys: Keys) -> None:
    text = waiting(keys)
    assert opened(keys, TENANT, text, new_id(), NOON) is None
    assert opened(keys, new_id(), text, ACCOUNT, NOON) is None
    assert opened(keys, TENANT, text, ACCOUNT, NOON + timedelta(hours=13)) is None
    assert opened(keys, TENANT, text, ACCOUNT, NOON - timedelta(minutes=1)) is None


@pytest.mark.parametrize("text", ["", "held.", "held.AAAA", "x" * 500, "held." + "A" * 400, "é"])
def test_what_is_altered_is_nothing(keys: Keys, text: str) -> None:
    assert opened(keys, TENANT, text, ACCOUNT, NOON) is None
    altered = waiting(keys)[:-8] + "AAAAAAAA"
    assert opened(keys, TENANT, altered, ACCOUNT, NOON) is None
