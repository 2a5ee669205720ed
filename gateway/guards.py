"""What is refused before any part sees it: cross-site writes, floods, bodies too large."""

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD"})
METHODS = SAFE_METHODS | {"POST"}
LARGEST_BODY = 2 * 1024 * 1024
LARGEST_UPLOAD = 26 * 1024 * 1024
UPLOADS = ("/procedures/", "/sign-in/again")
"""Where files are sent to, and where a form with files is led whose session has ended."""
MOST_ADDRESSES = 20_000
MOST_DIGITS = 15  # of a length: more is too large, and too much for `int` to read


def is_cross_site(headers: Mapping[str, str], own_origins: frozenset[str]) -> bool:
    """May this unsafe request come from another site?

    `Sec-Fetch-Site` must be `same-origin` or `none` (tenants under one domain are *same-site*);
    where a browser does not send it, `Origin` must be our own. With neither, it may.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or origin not in own_origins


def host_name(header: str) -> str:
    """The name in a Host header, lower-case, without its port. Empty when it is no name."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def body_length(header: str) -> int | None:
    """How many bytes a Content-Length announces; None when it is no number, or not there."""
    if not header.isdecimal():
        return None
    return int(header) if len(header) <= MOST_DIGITS else 10**MOST_DIGITS


def largest_body(path: str) -> int:
    """How many bytes may be sent there."""
    return LARGEST_UPLOAD if path.startswith(UPLOADS) else LARGEST_BODY


class Throttle:
    """A bucket for each address: so many unsafe requests a minute, refilled evenly."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, address: str) -> float:
        """Take one. 0 if it may pass, else in how many seconds it may."""
        if not self._a_minute:
            return 0.0
        now = time.monotonic()
        left, at = self._buckets.pop(address, (float(self._a_minute), now))
        left = min(self._a_minute, left + (now - at) * self._a_minute / 60)
        if len(self._buckets) >= MOST_ADDRESSES:
            del self._buckets[next(iter(self._buckets))]  # the one that was longest away
        if left < 1:
            self._buckets[address] = (left, now)
            return (1 - left) * 60 / self._a_minute
        self._buckets[address] = (left - 1, now)
        return 0.0
