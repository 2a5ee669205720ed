"""Numbers of requests: the year in the tenant's time zone, and how many were filed in it."""

from datetime import datetime
from zoneinfo import ZoneInfo


def year_of(instant: datetime, timezone: str) -> int:
    """The year that the tenant's calendar shows at that instant; `timezone` is an IANA name."""
    return instant.astimezone(ZoneInfo(timezone)).year


def numbered(year: int, count: int) -> str:
    """The number that people know a request by, such as 2026-000123; it grows past a million."""
    return f"{year}-{count:06d}"
