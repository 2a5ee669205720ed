"""What goes along from page to page of a registration: signed, so that nobody can make it up."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis import clock
from chassis.app import HTTPRequest
from chassis.runtime import Runtime
from chassis.signatures import BadSignature, read, sign
from chassis.web.pages import principal
from services.identity.domain.registrations import AcceptedTerms

SIGNED_BY = "identity"

TERMS, PRINT = "terms", "print"

TERMS_SERVE = timedelta(days=7)
PRINT_SERVES = timedelta(hours=1)


def terms_handle(http: HTTPRequest, number: int) -> str:
    """That this browser has just accepted this version of the terms."""
    now = clock.now()
    return _signed(http, {"p": TERMS, "v": number, "s": int(now.timestamp())})


def accepted_terms(http: HTTPRequest, handle: str) -> AcceptedTerms | None:
    """What a handle of this browser says, or None: altered, another's or too old."""
    claims = _claims(http, handle, TERMS)
    if claims is None or claims["b"] != principal(http).browser:
        return None
    accepted_at = datetime.fromtimestamp(claims["s"], UTC)
    if clock.now() - accepted_at > TERMS_SERVE:
        return None
    return AcceptedTerms(claims["v"], accepted_at)


def print_handle(http: HTTPRequest, request_id: UUID) -> str:
    """That this browser made the request, and may see and print it for an hour."""
    until = clock.now() + PRINT_SERVES
    return _signed(http, {"p": PRINT, "r": str(request_id), "u": int(until.timestamp())})


def is_print_handle(http: HTTPRequest, handle: str) -> bool:
    """Did we sign it for this browser? Its age is for the print page to check."""
    claims = _claims(http, handle, PRINT)
    return claims is not None and claims["b"] == principal(http).browser


def _signed(http: HTTPRequest, claims: dict[str, object]) -> str:
    runtime: Runtime = http.app.state.runtime
    kid, private = runtime.keys.signing_key(SIGNED_BY)
    place = {"t": str(http.state.call.tenant), "b": principal(http).browser}
    return sign(private, kid, {**claims, **place})


def _claims(http: HTTPRequest, handle: str, purpose: str) -> dict[str, Any] | None:
    """What we signed for this tenant and this purpose."""
    runtime: Runtime = http.app.state.runtime
    try:
        claims = read(runtime.keys.public_keys(SIGNED_BY), handle)
    except BadSignature:
        return None
    if claims.get("p") != purpose or claims.get("t") != str(http.state.call.tenant):
        return None
    return claims
