"""Language and theme on pages: how what the gateway found reaches them, and the switches."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from chassis.principals import ANONYMOUS, Call
from chassis.web import pseudo
from chassis.web.i18n import (
    Catalogues,
    format_date,
    format_datetime,
    format_number,
    format_stamp,
    name_of,
    speaking,
)
from chassis.web.pages import language_tag
from chassis.words import locale_of, shown
from tests.support.gallery import TENANT, app, pages

BOTH = replace(TENANT, languages=("fr", "en"))
INSTANT = datetime(2018, 4, 5, 13, 31, 13, tzinfo=UTC)


def speaking_app(*, language: str = "", theme: str = "") -> FastAPI:
    """The gallery on a portal of two languages, as the gateway would have it answer."""
    gallery = app(BOTH)

    @gallery.middleware("http")
    async def stand_in(http: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """What the token brings."""
        http.state.call = Call(BOTH.id, "http", ANONYMOUS, language=language, theme=theme)
        return await go_on(http)

    @gallery.get("/things/{thing_id}")
    async def thing(thing_id: UUID, many: int = 0) -> dict[str, str]:
        return {"thing": f"{thing_id}{many}"}

    return gallery


@asynccontextmanager
async def reading(**call: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody for whom the gateway found this."""
    transport = httpx.ASGITransport(speaking_app(**call))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://ypok.localhost", headers={"Accept": "text/html"}
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("found", "spoken", "words"),
    [("", "fr", "Me connecter"), ("en", "en", "Sign in"), ("xx", "fr", "Me connecter")],
)
async def test_a_page_speaks_what_the_gateway_found(found: str, spoken: str, words: str) -> None:
    async with reading(language=found) as client:
        page = await client.get("/")
    assert page.headers["content-language"] == spoken
    assert page.headers["vary"] == "Accept-Language, Cookie"
    assert f'<html lang="{spoken}"' in page.text
    assert f">{words}</a>" in page.text


async def test_the_other_language_is_a_button_in_its_own_words() -> None:
    async with reading(language="en") as client:
        page = (await client.get("/form?a=1&b=%26")).text
    assert '<span lang="en" aria-current="true">English</span>' in page
    assert 'name="language" value="fr" lang="fr">Français</button>' in page
    assert '<input type="hidden" name="back" value="/form?a=1&amp;b=%26">' in page


async def test_where_there_is_one_language_there_is_no_switch() -> None:
    transport = httpx.ASGITransport(app(replace(TENANT, languages=("fr",))))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        page = (await client.get("/")).text
    assert 'action="/language"' not in page
    assert 'action="/theme-choice"' in page


async def test_after_a_form_one_is_led_back_to_a_page_that_can_be_read() -> None:
    async with reading(language="en") as client:
        bad = await client.post("/form", data={})
        missing = await client.get("/nowhere?a=1")
    assert bad.status_code == 422
    assert 'name="back" value="/form"' in bad.text
    assert 'name="back" value="/"' in missing.text


async def test_the_theme_that_was_chosen_is_told_to_the_style() -> None:
    for theme, attribute in (("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')):
        async with reading(theme=theme) as client:
            assert attribute in (await client.get("/")).text
    async with reading() as client:
        page = (await client.get("/")).text
    assert "data-theme" not in page
    assert '<span aria-current="true">Auto</span>' in page


async def test_refusals_and_problems_details_speak_it_too() -> None:
    async with reading(language="en") as client:
        for path in ("/nowhere", "/things/none", f"/things/{UUID(int=1)}?many=x"):
            page = await client.get(path)
            assert page.headers["content-language"] == "en"
            assert "Back to the home page" in page.text
            problem = await client.get(path, headers={"Accept": "application/json"})
            assert problem.headers["content-type"] == "application/problem+json"
            assert problem.headers["content-language"] == "en"
        assert problem.json()["detail"] == "Go back and check what you entered: it has been kept."
        hurried = await client.get("/hurried")
        assert hurried.status_code == 429
        assert "Too many attempts. Wait a moment, then try again." in hurried.text
    async with reading(language="fr") as client:
        problem = await client.get("/nowhere", headers={"Accept": "application/json"})
        assert problem.json()["detail"].startswith("Cette page n’existe pas")


async def test_a_bad_form_says_so_in_english() -> None:
    async with reading(language="en") as client:
        page = (await client.post("/form", data={"seats": "many"})).text
    assert "<title>Error: " in page
    assert "things to put right" in page


# ── How a language writes ────────────────────────────────────────────────────────────────────────


def test_english_is_written_as_in_britain() -> None:
    with speaking("en", "Europe/Paris"):
        assert format_date(date(2018, 4, 5)) == "5 April 2018"
        assert format_datetime(INSTANT) == "5 April 2018, 15:31"
        assert format_stamp(INSTANT) == "5 April 2018, 15:31:13"
        assert format_number(Decimal("1234.5678")) == "1,234.5678"


def test_french_is_written_as_the_manual_does() -> None:
    with speaking("fr", "Europe/Paris"):
        assert format_stamp(INSTANT) == "05/04/2018 15:31:13"
        assert format_number(12345) == "12\u202f345"


def test_the_pseudo_locale_writes_as_english_does() -> None:
    with speaking(pseudo.LANGUAGE, "Europe/Paris"):
        assert format_date(date(2018, 4, 5)) == "5 April 2018"


@pytest.mark.parametrize(
    ("language", "locale"),
    [("fr", "fr"), ("en", "en_GB"), ("fr-CA", "fr_CA"), ("en_XA", "en_GB"), ("xx", "en_GB")],
)
def test_babel_is_asked_for_what_it_knows(language: str, locale: str) -> None:
    assert locale_of(language) == locale


def test_languages_are_named_in_their_own_words_and_tagged() -> None:
    assert [name_of(one) for one in ("fr", "en", "pt_BR")] == [
        "Français",
        "English",
        "Português (Brasil)",
    ]
    assert language_tag("pt_BR") == "pt-BR"


def test_words_are_shown_in_the_language_or_in_its_own_of_no_country() -> None:
    words = {"fr": "Ville", "en": "Town"}
    assert [shown(words, one) for one in ("en", "en_XA", "en-GB", "de")] == [
        "Town",
        "Town",
        "Town",
        "Ville",
    ]


# ── The pseudo-locale ────────────────────────────────────────────────────────────────────────────


def test_a_sentence_is_longer_accented_and_bracketed() -> None:
    strange = pseudo.made_strange("Give “%(label)s” as %(maximum)s or less: 100 %%.")
    assert strange.startswith("⟦Ĝîṽé “%(label)s” åš %(maximum)s öŕ ļéšš: 100 %%.")
    assert strange.endswith("⟧")
    assert len(strange) > 1.2 * len("Give “%(label)s” as %(maximum)s or less: 100 %%.")
    assert strange % {"label": "Town", "maximum": 3}


def test_it_is_spoken_and_never_offered() -> None:
    catalogues = Catalogues()
    assert catalogues.languages == ("en", "fr")
    assert catalogues.speaks(pseudo.LANGUAGE)
    with speaking(pseudo.LANGUAGE):
        assert catalogues.say("Sign in").startswith("⟦Šîĝñ îñ")
        assert catalogues.words("Sign in")[pseudo.LANGUAGE].startswith("⟦Šîĝñ îñ")
        spoken = catalogues.translator(pseudo.LANGUAGE)
        assert spoken.ngettext("%(num)d mail", "%(num)d mails", 2).startswith("⟦%(num)d ɱåîļš")
        assert spoken.pgettext("verb", "Close").startswith("⟦Çļöšé")
        assert spoken.npgettext("a", "One", "More", 1).startswith("⟦Öñé")
    assert pages.offered(BOTH, "fr") == ("fr", "en")
    assert pages.offered(BOTH, pseudo.LANGUAGE) == ("fr", "en", pseudo.LANGUAGE)
