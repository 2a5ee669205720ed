"""What a reader chose: the language and the theme. Read with every call, set by two small forms,
or beside a form of a part, which is then only shown again with what is typed in it.

The language: chosen in this browser, else that of whoever is signed in, else what the browser asks
for, each among those that the tenant speaks; else the tenant's first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from chassis.access import LANGUAGE_CHOICE, THEME_CHOICE
from chassis.principals import Principal
from chassis.sessions import (
    language_cookie_name,
    set_language_cookie,
    set_theme_cookie,
    theme_cookie_name,
)
from chassis.settings import Settings
from chassis.web import links, pseudo
from chassis.web.negotiation import accepted
from chassis.web.pages import see_other_path
from contracts.identity import TenantChanged
from gateway import pages

THEMES = ("light", "dark")
AUTO = "auto"
PATHS = frozenset({links.LANGUAGE, links.THEME_CHOICE})
LARGEST_CHOICE = 8 * 1024  # bytes: a value, and an address to go back to
MOST_FIELDS = 20


@dataclass(frozen=True)
class Beside:
    """What is chosen by the button of another form; empty: not this."""

    language: str = ""
    theme: str = ""


NOTHING = Beside()


class NotOffered(Exception):
    """No choice that is offered."""


class Choices:
    """The choices that this installation offers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._strange = (pseudo.LANGUAGE,) if settings.pseudo_locale else ()

    def languages(self, tenant: TenantChanged | None) -> tuple[str, ...]:
        """Those that may be chosen at this tenant: its own that are spoken, its first in front."""
        known = pages.pages.catalogues
        if tenant is None:
            return known.languages
        return (*(one for one in tenant.languages if known.speaks(one)), *self._strange)

    def language(
        self,
        tenant: TenantChanged | None,
        headers: Mapping[str, str],
        cookies: Mapping[str, str],
        principal: Principal,
    ) -> str:
        """The language to answer in; empty: the tenant's first."""
        offered = self.languages(tenant)
        for chosen in (cookies.get(language_cookie_name(self._settings), ""), principal.language):
            if chosen in offered:
                return chosen
        asked_for = headers.get("accept-language", "")
        return accepted(asked_for, [one for one in offered if one not in self._strange]) or ""

    def theme(self, cookies: Mapping[str, str]) -> str:
        """Light or dark, where it was chosen; else empty."""
        chosen = cookies.get(theme_cookie_name(self._settings), "")
        return chosen if chosen in THEMES else ""

    def beside(self, scope: Scope, tenant: TenantChanged) -> Beside:
        """What the address of a form chooses. Raises NotOffered."""
        if scope["method"] != "POST":
            return NOTHING
        told = _parsed(scope["query_string"])
        language, theme = _first(told, LANGUAGE_CHOICE), _first(told, THEME_CHOICE)
        if language not in ("", *self.languages(tenant)) or theme not in ("", AUTO, *THEMES):
            raise NotOffered
        return Beside(language, theme)

    def cookies_for(self, chosen: Beside) -> list[tuple[bytes, bytes]]:
        """The headers that have the browser keep what was chosen."""
        answer = Response()
        if chosen.language:
            set_language_cookie(answer, self._settings, chosen.language)
        if chosen.theme:
            set_theme_cookie(answer, self._settings, chosen.theme)
        return [one for one in answer.raw_headers if one[0] == b"set-cookie"]

    async def answer(
        self, scope: Scope, receive: Receive, tenant: TenantChanged
    ) -> Response | None:
        """Keep what was chosen and lead back; None for what is no choice that is offered."""
        sent = await _sent(scope, receive)
        back = see_other_path(links.local(_first(sent, "back")))
        if scope["path"] == links.LANGUAGE:
            language = _first(sent, "language")
            if language not in self.languages(tenant):
                return None
            set_language_cookie(back, self._settings, language)
            return back
        theme = _first(sent, "theme")
        if theme not in (AUTO, *THEMES):
            return None
        set_theme_cookie(back, self._settings, theme)
        return back


async def _sent(scope: Scope, receive: Receive) -> dict[str, list[str]]:
    return _parsed(await Request(scope, receive).body())


def _parsed(raw: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(raw.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:  # more than any form of ours
        return {}


def _first(sent: Mapping[str, Sequence[str]], name: str) -> str:
    return sent.get(name, [""])[0]
