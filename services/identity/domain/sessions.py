"""Sessions: how long one lasts, and what is kept of its cookie."""

import hashlib
import secrets
from datetime import datetime, timedelta

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
SEEN_TO_WITHIN = timedelta(minutes=5)
"""When a session was last seen is written only this often: most look-ups only read."""


def new_cookie() -> str:
    """A fresh cookie value: 256 random bits."""
    return secrets.token_urlsafe(32)


def cookie_hash(cookie: str) -> str:
    """What the database keeps of it. The value is random, so a plain hash can't be searched."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def ends_at(started_at: datetime, seen_at: datetime) -> datetime:
    """Until when a session serves, unless it is seen again."""
    return min(seen_at + IDLE, started_at + LONGEST)
