"""The links that mails hold: what each is for, and the path of the page that it opens.

The notifier mints them when it sends; identity checks them. A link's token stands in the query,
as `?link=…`; opening the page changes nothing, its button does.
"""

import hashlib
from datetime import timedelta
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """What a mailed link lets its bearer do."""

    ACTIVATION = "activation"
    INVITATION = "invitation"
    FURTHER_ACCOUNT = "further_account"
    RESET = "reset"  # a new password
    EMAIL_CHANGE = "email_change"  # confirmed from the new address


PATHS = {
    Purpose.ACTIVATION: "/activate",
    Purpose.INVITATION: "/invitation",
    Purpose.FURTHER_ACCOUNT: "/register/further",
    Purpose.RESET: "/reset",
    Purpose.EMAIL_CHANGE: "/confirm-address",
}
"""Where each purpose's page stands on the tenant's host."""

REQUESTS_PATH = "/requests"
"""Where a person's own requests stand, after signing in."""


def request_path(request_id: UUID) -> str:
    """Where one of them stands, after signing in as its person."""
    return f"{REQUESTS_PATH}/{request_id}"


LIFETIMES = {
    Purpose.ACTIVATION: timedelta(hours=24),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.FURTHER_ACCOUNT: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.EMAIL_CHANGE: timedelta(hours=24),
}
"""How long each serves, counted from the moment at which its mail was sent."""

CLOCK_TOLERANCE = timedelta(minutes=2)
"""By how much the clocks of who sends and who checks may differ."""

LINK_PARAMETER = "link"
"""The query parameter that holds the token."""


def normalised_address(address: str) -> str:
    """The mail address as it is compared: without case, though RFC 5321 §2.4 allows telling it."""
    return address.strip().lower()


def address_hash(address: str) -> str:
    """The claim `a` of a link: whom it was mailed to, without saying it (128 bits of SHA-256)."""
    return hashlib.sha256(normalised_address(address).encode()).hexdigest()[:32]
