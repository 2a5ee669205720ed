"""How many times one may try to sign in with one identifier, whether or not it is known."""

import hmac
from datetime import timedelta
from uuid import UUID

MOST = 10
WITHIN = timedelta(minutes=15)


def attempts_id(key: bytes, username_key: str) -> UUID:
    """The row that counts the attempts at this identifier: a keyed hash, so that what people typed
    (a password in the wrong field, say) is not in the database."""
    return UUID(bytes=hmac.digest(key, username_key.encode(), "sha256")[:16])
