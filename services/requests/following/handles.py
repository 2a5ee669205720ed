"""The handle by which identity shows a signed-out visitor the request they have just made.

It is bound to one request, one tenant and one browser, and serves for an hour; it can be checked
before the request has arrived here.
"""

from datetime import datetime
from uuid import UUID

from chassis import signatures
from chassis.keys import Keys
from chassis.principals import Principal

PURPOSE = "print"


def request_named(
    keys: Keys, handle: str, *, tenant: UUID, principal: Principal, now: datetime
) -> UUID | None:
    """The request that the handle shows, or None: altered, another's, or too old."""
    try:
        claims = signatures.read(keys.public_keys("identity"), handle)
    except signatures.BadSignature:
        return None
    if claims.get("p") != PURPOSE or _id(claims.get("t")) != tenant:
        return None
    if not principal.browser or claims.get("b") != principal.browser:
        return None
    if not isinstance(claims.get("u"), int | float) or claims["u"] < now.timestamp():
        return None
    return _id(claims.get("r"))


def _id(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
