"""The browser's cookies: the session's, the anonymous one that only tells browsers apart, choices.

`__Host-` names need HTTPS; over plain HTTP, as on localhost, the names are bare.
"""

from starlette.responses import Response

from chassis.settings import Settings

LONGEST_S = 30 * 24 * 3600
CHOICE_S = 365 * 24 * 3600


def session_cookie_name(settings: Settings) -> str:
    """The name of the cookie that holds a session's opaque id."""
    return "__Host-guichet" if settings.public_scheme == "https" else "guichet"


def browser_cookie_name(settings: Settings) -> str:
    """The name of the anonymous cookie that the gateway sets."""
    return session_cookie_name(settings) + "-browser"


def language_cookie_name(settings: Settings) -> str:
    """The name of the cookie that holds the language that was chosen in this browser."""
    return session_cookie_name(settings) + "-language"


def theme_cookie_name(settings: Settings) -> str:
    """The name of the cookie that says light or dark, where it was chosen."""
    return session_cookie_name(settings) + "-theme"


def set_language_cookie(response: Response, settings: Settings, language: str) -> None:
    """Have the browser keep the language that was chosen."""
    _keep_choice(response, settings, language_cookie_name(settings), language)


def set_theme_cookie(response: Response, settings: Settings, theme: str) -> None:
    """Have the browser keep the theme that was chosen."""
    _keep_choice(response, settings, theme_cookie_name(settings), theme)


def _keep_choice(response: Response, settings: Settings, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=CHOICE_S,
        path="/",
        secure=settings.public_scheme == "https",
        httponly=True,
        samesite="lax",
    )


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
