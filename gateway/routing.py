"""Which part serves a path: one static table of prefixes, tested against all routes."""

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


def part_of(path: str) -> str | None:
    """The part that serves this path, or None where no part does."""
    if path == "/":
        return "catalog"
    first = "/" + path.lstrip("/").split("/", 1)[0]
    return PREFIXES.get(first) if path.startswith("/") and not path.startswith("//") else None
