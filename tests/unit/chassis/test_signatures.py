"""Signed statements: read back by whoever has the public key, refused when a character differs."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from chassis.keys import Keys, kid_of
from chassis.principals import encode
from chassis.signatures import BadSignature, read, sign

PRIVATE = Ed25519PrivateKey.generate()
KID = kid_of(PRIVATE.public_key())
PUBLICS = {KID: PRIVATE.public_key()}
CLAIMS = {"p": "activation", "i": "0" * 32, "s": 1_700_000_000, "who": "Zoë"}
STATEMENT = sign(PRIVATE, KID, CLAIMS)


def test_what_was_signed_is_read_each_time() -> None:
    assert [read(PUBLICS, STATEMENT) for _ in range(3)] == [CLAIMS] * 3


def test_a_statement_can_stand_in_an_address() -> None:
    assert STATEMENT.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert STATEMENT.isascii()


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(STATEMENT) - 1))
    other = data.draw(st.characters(exclude_characters=STATEMENT[at]))
    with pytest.raises(BadSignature):
        read(PUBLICS, STATEMENT[:at] + other + STATEMENT[at + 1 :])


@given(st.integers(0, len(STATEMENT) - 1))
def test_none_can_be_cut(length: int) -> None:
    with pytest.raises(BadSignature):
        read(PUBLICS, STATEMENT[:length])


@pytest.mark.parametrize("text", ["", ".", "..", "KID", "KID.", "KID..", "KID.e30.", "é.é.é"])
def test_nothing_else_is_a_statement(text: str) -> None:
    with pytest.raises(BadSignature):
        read(PUBLICS, text.replace("KID", KID))


def test_an_unknown_key_signs_nothing() -> None:
    stranger = Ed25519PrivateKey.generate()
    for kid in (kid_of(stranger.public_key()), KID):  # under its own name, and under ours
        with pytest.raises(BadSignature):
            read(PUBLICS, sign(stranger, kid, CLAIMS))


def test_a_statement_under_another_keys_name_is_refused() -> None:
    other = Ed25519PrivateKey.generate()
    kid = kid_of(other.public_key())
    with pytest.raises(BadSignature):
        read({**PUBLICS, kid: other.public_key()}, STATEMENT.replace(KID, kid))


@pytest.mark.parametrize("body", [b"[]", b'"words"', b"1", b"{", b"\xff"])
def test_what_is_signed_but_no_claims_is_refused(body: bytes) -> None:
    signed = f"{KID}.{encode(body)}"
    statement = f"{signed}.{encode(PRIVATE.sign(signed.encode()))}"
    with pytest.raises(BadSignature):
        read(PUBLICS, statement)


def test_the_previous_key_still_verifies(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    kid, private = keys.signing_key("notifier")
    before = sign(private, kid, CLAIMS)
    (tmp_path / "notifier.ed25519").rename(tmp_path / "notifier.ed25519.previous")
    kid, private = keys.signing_key("notifier")
    after = sign(private, kid, CLAIMS)
    publics = keys.public_keys("notifier")
    assert len(publics) == 2
    assert read(publics, before) == read(publics, after) == CLAIMS
    (tmp_path / "notifier.ed25519.previous").unlink()
    with pytest.raises(BadSignature):
        read(keys.public_keys("notifier"), before)
