"""The consent that pages carry from the introduction to the save: which terms were accepted.

It is signed, since it travels through the browser, and serves its person for that procedure alone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis import signatures
from chassis.keys import Keys

PURPOSE = "consent"
LIFETIME = timedelta(hours=24)
"""Longer than a session may idle: who comes back later begins at the introduction again."""


@dataclass(frozen=True)
class Consent:
    """A person began a procedure, the terms of that moment being accepted."""

    tenant: UUID
    person_id: UUID
    procedure_id: UUID
    terms_version: int
    begun_at: datetime
    accepts: bool  # accepted then and there; else they had been before


def sealed(keys: Keys, consent: Consent) -> str:
    """The consent as a page carries it."""
    kid, private = keys.signing_key("requests")
    claims = {
        "p": PURPOSE,
        "t": consent.tenant.hex,
        "i": consent.person_id.hex,
        "q": consent.procedure_id.hex,
        "v": consent.terms_version,
        "s": consent.begun_at.timestamp(),
        "a": consent.accepts,
    }
    return signatures.sign(private, kid, claims)


def opened(
    keys: Keys, statement: str, *, tenant: UUID, person_id: UUID, procedure_id: UUID, now: datetime
) -> Consent | None:
    """What the page carried; None if it is altered, another's, for something else, or too old."""
    try:
        claims = signatures.read(keys.public_keys("requests"), statement)
    except signatures.BadSignature:
        return None
    expected = {"p": PURPOSE, "t": tenant.hex, "i": person_id.hex, "q": procedure_id.hex}
    if any(claims.get(name) != value for name, value in expected.items()):
        return None
    begun_at = datetime.fromtimestamp(claims["s"], UTC)
    if now - begun_at > LIFETIME:
        return None
    return Consent(tenant, person_id, procedure_id, claims["v"], begun_at, claims["a"])
