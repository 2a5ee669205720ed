"""Which part serves a path: one static table of prefixes, tested against all routes."""

from chassis.web.links import LANGUAGE, THEME_CHOICE

PREFIXES = {
    "/categories": "catalog",
    "/procedures": "requests",
    "/requests": "requests",
    "/exchanges": "requests",
    "/register": "identity",
    "/sign-in": "identity",
    "/sign-out": "identity",
    "/activate": "identity",
    "/invitation": "identity",
    "/recovery": "identity",
    "/reset": "identity",
    "/confirm-address": "identity",
    "/profile": "identity",
    "/texts": "identity",
}
"""First segment of a path → part. `/` itself is the catalog's; `/internal` is never routed."""


OWN = frozenset({"/livez", "/readyz", "/static", "/theme", "/ops", LANGUAGE, THEME_CHOICE})
"""What the gateway answers by itself, as it is counted."""


def part_of(path: str) -> str | None:
    """The part that serves this path, or None where no part does."""
    if path == "/":
        return "catalog"
    first = "/" + path.lstrip("/").split("/", 1)[0]
    return PREFIXES.get(first) if path.startswith("/") and not path.startswith("//") else None


def prefix_of(path: str) -> str:
    """What is counted by, of a path: its prefix in a table, or nothing where nobody serves it."""
    first = "/" + path.lstrip("/").split("/", 1)[0]
    return first if first == "/" or first in PREFIXES or first in OWN else ""
