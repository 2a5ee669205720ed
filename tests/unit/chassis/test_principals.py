"""Tokens by which the gateway tells a service who acts: read back, and never another's."""

import secrets
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import clock
from chassis.ids import new_id
from chassis.principals import (
    ANONYMOUS,
    LIFETIME,
    BadToken,
    Call,
    Principal,
    decode,
    encode,
    mint,
    verify,
)

KEY = secrets.token_bytes(32)
NOW = clock.now()
PERSON = Principal(
    kind="person",
    account_id=new_id(),
    person_id=new_id(),
    organisation_id=new_id(),
    session_id=new_id(),
    roles=frozenset({"customer", "manager"}),
    display_name="Durand-Lévêque Zoë",
    browser="0" * 32,
)
CALL = Call(new_id(), "http-1", PERSON)
TOKEN = mint(KEY, "requests", CALL, NOW)


@pytest.mark.parametrize("principal", [ANONYMOUS, PERSON, Principal(kind="part", part="gateway")])
def test_a_token_says_who_acts(principal: Principal) -> None:
    call = Call(new_id(), "http-1", principal)
    assert verify(KEY, "requests", mint(KEY, "requests", call, NOW), NOW) == call


@pytest.mark.parametrize("age", [timedelta(0), LIFETIME, -timedelta(seconds=5)])
def test_a_token_serves_for_a_minute(age: timedelta) -> None:
    assert verify(KEY, "requests", TOKEN, NOW + age) == CALL


def test_then_it_serves_no_more() -> None:
    with pytest.raises(BadToken):
        verify(KEY, "requests", TOKEN, NOW + LIFETIME + timedelta(milliseconds=1))


def test_a_token_serves_one_part() -> None:
    with pytest.raises(BadToken):
        verify(KEY, "identity", TOKEN, NOW)


def test_another_key_signs_nothing_here() -> None:
    with pytest.raises(BadToken):
        verify(KEY, "requests", mint(secrets.token_bytes(32), "requests", CALL, NOW), NOW)


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    other = data.draw(st.characters(exclude_characters=TOKEN[at]))
    with pytest.raises(BadToken):
        verify(KEY, "requests", TOKEN[:at] + other + TOKEN[at + 1 :], NOW)


@given(st.integers(0, len(TOKEN) - 1))
def test_no_token_can_be_cut(length: int) -> None:
    with pytest.raises(BadToken):
        verify(KEY, "requests", TOKEN[:length], NOW)


@given(st.text())
def test_nothing_else_is_a_token(text: str) -> None:
    with pytest.raises(BadToken):
        verify(KEY, "requests", text, NOW)


@given(st.binary())
def test_base64url_is_read_back(raw: bytes) -> None:
    assert decode(encode(raw)) == raw
    assert set(encode(raw)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


@pytest.mark.parametrize(
    "text", ["a", "ab=", "ab==", "+-", "a/bc", "ab cd", "ab\n", "é", "AB", "AAB"]
)
def test_only_one_text_stands_for_some_bytes(text: str) -> None:
    """`AB` would be the byte of `AA`: a signature's last character could be changed."""
    with pytest.raises(ValueError):  # noqa: PT011  # the words are of no matter
        decode(text)
