"""The browser's cookies: the session's, and the anonymous one that only tells browsers apart.

`__Host-` names need HTTPS; over plain HTTP, as on localhost, the names are bare.
"""

from starlette.responses import Response

from chassis.settings import Settings

LONGEST_S = 30 * 24 * 3600


def session_cookie_name(settings: Settings) -> str:
    """The name of the cookie that holds a session's opaque id."""
    return "__Host-guichet" if settings.public_scheme == "https" else "guichet"


def browser_cookie_name(settings: Settings) -> str:
    """The name of the anonymous cookie that the gateway sets."""
    return session_cookie_name(settings) + "-browser"


def set_session_cookie(response: Response, settings: Settings, value: str) -> None:
    """Have the browser keep the session."""
    response.set_cookie(
        session_cookie_name(settings),
        value,
        max_age=LONGEST_S,
        path="/",
        secure=settings.public_scheme == "https",
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Have the browser forget the session."""
    response.delete_cookie(
        session_cookie_name(settings),
        path="/",
        secure=settings.public_scheme == "https",
        httponly=True,
        samesite="lax",
    )
