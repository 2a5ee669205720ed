"""The handle that shows a signed-out visitor what they have just saved."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis import signatures
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import Principal
from services.requests.following.handles import request_named
from tests.builders.requests import NOON

TENANT, REQUEST = new_id(), new_id()
BROWSER = Principal(browser="b" * 64)


def a_handle(keys: Keys, part: str = "identity", **changes: Any) -> str:
    claims = {
        "p": "print",
        "r": str(REQUEST),
        "t": str(TENANT),
        "b": BROWSER.browser,
        "u": (NOON + timedelta(hours=1)).timestamp(),
    }
    kid, private = keys.signing_key(part)
    return signatures.sign(private, kid, {**claims, **changes})


def shown(keys: Keys, handle: str, who: Principal = BROWSER, now: datetime = NOON) -> UUID | None:
    return request_named(keys, handle, tenant=TENANT, principal=who, now=now)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


def test_it_shows_its_request_for_an_hour(keys: Keys) -> None:
    handle = a_handle(keys)
    assert shown(keys, handle) == REQUEST
    assert shown(keys, handle, now=NOON + timedelta(minutes=59)) == REQUEST
    assert shown(keys, handle, now=NOON + timedelta(minutes=61)) is None


def test_ids_may_be_written_in_hexadecimal(keys: Keys) -> None:
    assert shown(keys, a_handle(keys, r=REQUEST.hex, t=TENANT.hex)) == REQUEST


@pytest.mark.parametrize(
    "changes",
    [
        {"p": "other"},
        {"t": str(new_id())},
        {"t": None},
        {"b": "c" * 64},
        {"b": ""},
        {"u": None},
        {"u": "tomorrow"},
        {"r": "no id"},
    ],
)
def test_it_shows_nothing_for_anything_else(keys: Keys, changes: dict[str, Any]) -> None:
    assert shown(keys, a_handle(keys, **changes)) is None


def test_a_browser_without_its_cookie_sees_nothing(keys: Keys) -> None:
    assert shown(keys, a_handle(keys, b=""), who=Principal()) is None


def test_only_identity_signs_handles(keys: Keys) -> None:
    assert shown(keys, a_handle(keys, part="requests")) is None
    assert shown(keys, a_handle(keys) + "A") is None
    assert shown(keys, "nothing") is None
