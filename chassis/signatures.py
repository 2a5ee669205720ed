"""Signed statements from one part to all: Ed25519 (RFC 8032), `kid.body.signature`.

Links in mails and handles between pages are such. The signature covers `kid.body`; which key a
`kid` names is the reader's to know, so a previous key can serve for a while.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chassis.principals import decode, encode


class BadSignature(Exception):
    """Altered, of an unknown key, or no signed statement at all."""


def sign(private: Ed25519PrivateKey, kid: str, claims: Mapping[str, Any]) -> str:
    """The claims as one URL-safe string."""
    body = f"{kid}.{encode(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{body}.{encode(private.sign(body.encode()))}"


def read(publics: Mapping[str, Ed25519PublicKey], statement: str) -> dict[str, Any]:
    """What was signed. Raises BadSignature."""
    kid, _, rest = statement.partition(".")
    if kid not in publics:
        raise BadSignature("key")
    _verified(publics[kid].public_bytes_raw(), statement)
    try:
        claims = json.loads(decode(rest.partition(".")[0]))
    except ValueError as error:
        raise BadSignature("form") from error
    if not isinstance(claims, dict):
        raise BadSignature("form")
    return claims


@lru_cache(maxsize=4096)  # a verification costs 135 µs; a page's reload asks for the same again
def _verified(public: bytes, statement: str) -> None:
    body, _, signature = statement.rpartition(".")
    try:
        key = Ed25519PublicKey.from_public_bytes(public)  # a key itself can't be hashed
        key.verify(decode(signature), body.encode("ascii"))
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("signature") from error
