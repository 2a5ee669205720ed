"""The links of a mail: the one that is minted at sending, and plain ones to pages."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.signatures import sign
from contracts.links import LIFETIMES, LINK_PARAMETER, PATHS, Purpose, address_hash

SIGN_IN_PATH = "/sign-in"
RECOVERY_PATH = "/recovery"
PROFILE_PATH = "/profile"


@dataclass(frozen=True)
class Link:
    """A usable link. Never stored, never logged."""

    url: str
    valid_until: datetime


def mint(
    signing_key: tuple[str, Ed25519PrivateKey],
    purpose: Purpose,
    id: UUID,
    *,
    tenant: UUID,
    origin: str,
    address: str,
    sent_at: datetime,
) -> Link:
    """The link that lets the bearer of a mail to `address` do what `purpose` says with `id`.

    Its age counts from `sent_at`, cut to whole seconds. `origin` is the tenant's own.
    """
    kid, private = signing_key
    sent = sent_at.replace(microsecond=0)
    claims = {
        "p": purpose,
        "i": id.hex,
        "t": str(tenant),
        "a": address_hash(address),
        "s": int(sent.timestamp()),
    }
    query = urlencode({LINK_PARAMETER: sign(private, kid, claims)})
    return Link(f"{origin}{PATHS[purpose]}?{query}", sent + LIFETIMES[purpose])
