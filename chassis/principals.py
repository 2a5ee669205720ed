"""Who acts: the principal, and the short-lived token by which the gateway tells a service.

A token is base64url(JSON) "." base64url(HMAC-SHA-256), with a key for each part: a part could
forge only to itself. It names tenant, part, HTTP request and principal, and lives for a minute.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

TOKEN_HEADER = "x-guichet-token"
LIFETIME = timedelta(seconds=60)

CUSTOMER = "customer"
MANAGER = "manager"  # of an organisation
AGENT = "agent"
ADMINISTRATOR = "administrator"  # of a tenant
OPERATOR = "operator"  # of the installation


_written = json.JSONEncoder(separators=(",", ":")).encode


class BadToken(Exception):
    """Not a token for this part, not from the gateway, or too old."""


@dataclass(frozen=True)
class Principal:
    """A visitor, a signed-in person, or a part of the installation itself."""

    kind: Literal["anonymous", "person", "part"] = "anonymous"
    account_id: UUID | None = None
    person_id: UUID | None = None
    organisation_id: UUID | None = None
    session_id: UUID | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    display_name: str = ""
    language: str = ""  # that a person chose for themselves
    browser: str = ""  # a hash of the gateway's anonymous cookie: this browser, signed in or not
    part: str = ""

    @property
    def signed_in(self) -> bool:
        """Is this a person with a session?"""
        return self.kind == "person"


ANONYMOUS = Principal()


PRINCIPAL_FACTS = frozenset(Principal.__dataclass_fields__)


@dataclass(frozen=True)
class Call:
    """What a valid token says: whose portal, which HTTP request, who acts, and how to answer."""

    tenant: UUID
    http_id: str
    principal: Principal
    language: str = ""  # to answer in; empty: the tenant's first
    theme: str = ""  # "light" or "dark"; empty: as the reader's system has it


def mint(key: bytes, part: str, call: Call, now: datetime) -> str:
    """A token for `part`, valid from now for a minute."""
    facts = {name: value for name, value in vars(call.principal).items() if value}
    facts["roles"] = sorted(call.principal.roles)
    body = {
        "part": part,
        "tenant": str(call.tenant),
        "http_id": call.http_id,
        "until": (now + LIFETIME).timestamp(),
        "principal": {k: str(v) if isinstance(v, UUID) else v for k, v in facts.items()},
        **({"language": call.language} if call.language else {}),
        **({"theme": call.theme} if call.theme else {}),
    }
    encoded = encode(_written(body).encode())
    return f"{encoded}.{encode(_mac(key, encoded))}"


def verify(key: bytes, part: str, token: str, now: datetime) -> Call:
    """What the token says; what a newer gateway tells besides is passed over. Raises BadToken."""
    encoded, _, mac = token.partition(".")
    try:
        if not hmac.compare_digest(decode(mac), _mac(key, encoded)):
            raise BadToken("signature")
        body: dict[str, Any] = json.loads(decode(encoded))
    except ValueError as error:
        raise BadToken("form") from error
    if body["part"] != part or body["until"] < now.timestamp():
        raise BadToken("part or age")
    told: dict[str, Any] = body["principal"]
    facts = {name: fact for name, fact in told.items() if name in PRINCIPAL_FACTS}
    for name in ("account_id", "person_id", "organisation_id", "session_id"):
        if name in facts:
            facts[name] = UUID(facts[name])
    facts["roles"] = frozenset(facts["roles"])
    return Call(
        UUID(body["tenant"]),
        body["http_id"],
        Principal(**facts),
        language=body.get("language", ""),
        theme=body.get("theme", ""),
    )


def _mac(key: bytes, encoded: str) -> bytes:
    return hmac.new(key, encoded.encode("ascii", "replace"), hashlib.sha256).digest()


def encode(raw: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of unpadded base64url. Raises ValueError.

    Takes the one text that `encode` makes of them: the last character's spare bits, which Python
    passes over, would let a signed statement be written in several ways.
    """
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(raw) != text:
        raise ValueError("not as it was encoded")
    return raw
