"""Security headers that every answer carries, and internal ones that none may bring or take."""

from collections.abc import Iterable

from chassis.principals import TOKEN_HEADER

SECURITY = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}

STRICT_TRANSPORT = "max-age=63072000"

INTERNAL = frozenset(
    {
        TOKEN_HEADER.encode(),
        b"cookie",
        b"forwarded",
        b"traceparent",
        b"tracestate",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
    }
)
"""What a client may not hand to a part: the gateway gives its own, or none."""


OF_ONE_HOP = frozenset(
    {
        b"connection",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""What two ends of one connection tell each other (RFC 9110 §7.6.1)."""


def between_hops(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that are handed on: not those of one hop, nor those that `Connection` names."""
    all_ = list(headers)
    named = {
        name.strip().lower()
        for header, value in all_
        if header.lower() == b"connection"
        for name in value.split(b",")
    }
    return [(n, v) for n, v in all_ if n.lower() not in OF_ONE_HOP and n.lower() not in named]


def inward(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The client's headers without those that are ours to give."""
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in INTERNAL and not name.lower().startswith(b"x-guichet")
    ]


def outward(headers: list[tuple[bytes, bytes]], *, https: bool) -> list[tuple[bytes, bytes]]:
    """A part's headers with the security headers; pages are kept by no shared cache.

    A part may ask for what it serves to be held in a sandbox besides, as a file is.
    """
    given = {name.lower() for name, _ in headers}
    added = {**SECURITY, **({"strict-transport-security": STRICT_TRANSPORT} if https else {})}
    if (b"content-security-policy", b"sandbox") in headers:
        added["content-security-policy"] += "; sandbox"
    if b"cache-control" not in given:
        added["cache-control"] = "no-store"
    kept = [(n, v) for n, v in headers if n.lower() not in {h.encode() for h in added}]
    return [*kept, *((name.encode(), value.encode()) for name, value in added.items())]
