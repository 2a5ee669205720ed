"""What somebody sent after their session had ended, carried through the sign-in and given back.

A form that needs a session and comes without one is led on to the sign-in page as it was sent
(307). That page carries what was typed, encrypted, beside its own questions: nobody stores
anything for whom it does not know, and who sits down at that browser next reads nothing. After the
sign-in it is given back by a form that posts it to where it was going, to the same account only.
"""

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.keys import Keys
from chassis.principals import decode, encode

WHOSE = "_whose"
"""The input by which a form says whose page it was on."""

HELD = "_held"
"""The input of the sign-in page that carries a form."""

FILES = "_files"
"""The input of a form given back that names its files, sealed by the service that keeps them."""

THEN = "_then"
"""The input of the button that was pressed. It is not given back: whoever signs in again is back
at their page, and presses once more."""

LIFETIME = timedelta(hours=12)
_NONCE_BYTES = 12
_PREFIX = "held."

current_mark: ContextVar[str] = ContextVar("current_mark", default="")
"""Whose the page is that is being made; empty for visitors."""


@dataclass(frozen=True)
class Held:
    """A form that waits behind the sign-in."""

    path: str
    fields: Mapping[str, str]


def mark_of(tenant: UUID, account_id: UUID | None) -> str:
    """What tells an account's pages from another's, and nothing else about it."""
    if account_id is None:
        return ""
    return hashlib.sha256(f"whose {tenant} {account_id}".encode()).hexdigest()[:16]


@contextmanager
def marking(mark: str) -> Iterator[None]:
    """Within the block, pages are this account's."""
    token = current_mark.set(mark)
    try:
        yield
    finally:
        current_mark.reset(token)


def sealed(keys: Keys, tenant: UUID, held: Held, now: datetime) -> str:
    """The form as the sign-in page carries it. Passwords stay behind."""
    kept = {
        name: value
        for name, value in held.fields.items()
        if "password" not in name and name not in (THEN, HELD)
    }
    told = [held.path, kept, now.timestamp()]
    return _PREFIX + seal(keys.secret("held"), tenant, told)


def opened(keys: Keys, tenant: UUID, text: str, account_id: UUID, now: datetime) -> Held | None:
    """The form, for the account that it was sent from; None for another, altered or too old."""
    told = unseal(keys.secret("held"), tenant, text.removeprefix(_PREFIX))
    if told is None:
        return None
    path, fields, at = told
    whose = fields.pop(WHOSE, "")
    if whose and whose != mark_of(tenant, account_id):
        return None
    if not timedelta(0) <= now - datetime.fromtimestamp(at, now.tzinfo) <= LIFETIME:
        return None
    return Held(path, fields)


def seal(secret: bytes, tenant: UUID, told: object) -> str:
    """What is told, as JSON that only this secret opens, at this tenant."""
    plain = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return encode(nonce + AESGCM(secret).encrypt(nonce, zlib.compress(plain), tenant.bytes))


def unseal(secret: bytes, tenant: UUID, text: str) -> Any:
    """What was told; None where it is altered, or another's."""
    try:
        raw = decode(text)
        packed = AESGCM(secret).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], tenant.bytes)
    except (InvalidTag, ValueError):
        return None
    return json.loads(zlib.decompress(packed))
