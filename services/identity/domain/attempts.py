"""How many times one may try to sign in with one identifier, whether or not it is known.

The same rows count who gives their current password, and who says what they lost.
"""

import hmac
from datetime import timedelta
from uuid import UUID

MOST = 10
WITHIN = timedelta(minutes=15)


def attempts_id(key: bytes, *at: str) -> UUID:
    """The row that counts the attempts at this, such as an identifier: a keyed hash, so that what
    people typed (a password in the wrong field, say) is not in the database."""
    return UUID(bytes=hmac.digest(key, "\0".join(at).encode(), "sha256")[:16])
