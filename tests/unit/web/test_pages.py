"""Pages, refusals and redirections as a browser or a program gets them, of the gallery's app."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from jinja2 import TemplateNotFound

from chassis.access import SIGNED_IN
from chassis.problems import Conflict, Forbidden, Invalid, NotFound, Unavailable
from chassis.web import links
from chassis.web.errors import problem_page
from chassis.web.pages import SliceLoader, see_other_path
from tests.support.gallery import FILLED, TENANT, app, pages

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"accept": "application/json"}


class TooLate(Invalid):
    """A refusal with an instant in it."""

    title = "Too late since %(instant)s."


def refusing_app() -> FastAPI:
    """The gallery with routes that refuse."""
    refusing = app()
    problems = {
        "missing": NotFound(),
        "forbidden": Forbidden(),
        "conflict": Conflict(),
        "away": Unavailable(retry_s=3),
        "late": TooLate(instant=datetime(2018, 4, 5, 13, 31, tzinfo=UTC)),
        "http": HTTPException(413),
    }

    @refusing.get("/refuse/{why}")
    async def refuse(why: str) -> None:
        raise problems[why]

    @refusing.get("/internal/refuse")
    async def refuse_inside() -> None:
        raise NotFound

    @refusing.get("/things/{thing_id}")
    async def thing(thing_id: UUID) -> dict[str, str]:
        return {"thing": str(thing_id)}

    @refusing.get("/procedures/{slug}", dependencies=[SIGNED_IN])
    async def procedure(slug: str) -> dict[str, str]:
        return {"slug": slug}

    @refusing.post("/procedures/{slug}", dependencies=[SIGNED_IN])
    async def post_procedure(slug: str) -> dict[str, str]:
        return {"slug": slug}

    @refusing.post("/only-posted", dependencies=[SIGNED_IN])
    async def only_posted() -> None:
        return None

    return refusing


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a session, at an app that refuses."""
    transport = httpx.ASGITransport(refusing_app())
    async with httpx.AsyncClient(
        transport=transport, base_url="http://ypok.localhost", headers=HTML
    ) as client:
        yield client


def heading(response: httpx.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", response.text, re.DOTALL)
    assert found is not None
    return found[1]


# ── The layout ───────────────────────────────────────────────────────────────────────────────────


async def test_a_visitor_is_offered_the_two_ways_in(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    assert '<a href="/sign-in">Me connecter</a>' in page
    assert "Créer mon compte</a>" in page
    assert "Déconnexion" not in page
    assert '<html lang="fr">' in page
    assert "<title>Sélectionnez un service – YService</title>" in page


async def test_a_signed_in_person_sees_their_name_and_menu(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/?signed=1")).text
    assert "Me connecter" not in page
    assert "Élodie de La Rochefoucauld" in page
    for label, path in (("Échanges", "/exchanges"), ("Mes demandes", "/requests")):
        assert f'<a href="{path}">{label}</a>' in page
    for label in ("Mon compte", "Accueil", "Mon profil"):
        assert f">{label}<" in page
    assert '<form method="post" action="/sign-out"><button type="submit">Déconnexion' in page


async def test_the_foot_tells_how_to_reach_the_support(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    assert 'href="tel:0472260686">04.72.26.06.86</a>' in page
    assert "24h/24 et 7j/7" in page
    assert 'href="mailto:support@ypok.example"' in page
    for path in (links.HELP, links.LEGAL, links.PRIVACY, links.ACCESSIBILITY, links.TERMS):
        assert f'href="{path}"' in page


async def test_a_page_of_a_tenant_not_told_of_yet_is_neutral() -> None:
    transport = httpx.ASGITransport(app(tenant=None))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        page = await client.get("/")
    assert page.status_code == 200
    assert "Guichet</bdi>" in page.text
    assert "/theme/" not in page.text


@pytest.mark.parametrize("path", ["/", "/components", "/form", "/paper", "/waiting", "/nowhere"])
async def test_no_page_has_an_inline_script_a_style_attribute_or_a_meta_refresh(
    browser: httpx.AsyncClient, path: str
) -> None:
    page = (await browser.get(path)).text
    page = re.sub(r'<script [^>]*src="/static/[^"]+"[^>]*></script>', "", page)
    assert not re.search(r"<script|<style|\sstyle=|http-equiv|\son\w+=|javascript:", page)


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_form_begins_with_what_is_known(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/form")).text
    assert 'value="mairie@st-remy.example"' in page
    assert "Erreur" not in page


async def test_a_bad_form_comes_back_with_all_that_was_typed(browser: httpx.AsyncClient) -> None:
    typed = {**FILLED, "city": "", "day": "31/02/2018", "seats": "9999"}
    response = await browser.post("/form", data=typed)
    assert response.status_code == 422
    page = response.text
    assert "<title>Erreur\u00a0: Création de compte – YService</title>" in page
    assert 'role="alert"' in page
    assert "3 points à corriger" in page
    assert '<a href="#f-city">Indiquez la ville.</a>' in page
    assert page.index('role="alert"') < page.index("<h1>")
    assert re.search(r'id="f-city" name="city"[^>]*aria-describedby="f-city-error"', page)
    assert re.search(r'id="f-city"[^>]*aria-invalid="true"', page)
    assert re.search(r'id="f-day"[^>]*type="text"[^>]*value="31/02/2018"', page)
    assert 'value="9999"' in page
    assert ">Au lancement, l’écran reste blanc.\n\nIl fallait voir la liste.</textarea>" in page
    assert '<option value="high" selected>' in page
    assert 'value="mme" checked' in page
    assert FILLED["secret"] not in page


async def test_what_a_verb_refuses_stands_at_its_field(browser: httpx.AsyncClient) -> None:
    response = await browser.post("/form", data={**FILLED, "name": "Lyon"})
    assert '<a href="#f-name">This name is taken by Lyon.</a>' in response.text
    assert response.text.count("This name is taken by Lyon.") == 2


async def test_a_good_form_leads_on_by_get(browser: httpx.AsyncClient) -> None:
    response = await browser.post("/form", data=FILLED)
    assert response.status_code == 303
    assert response.headers["location"] == "/components?signed=1"


async def test_what_was_typed_is_never_markup(browser: httpx.AsyncClient) -> None:
    typed = {**FILLED, "name": '"><script>alert(1)</script>', "story": "</textarea><b>", "city": ""}
    page = (await browser.post("/form", data=typed)).text
    assert "<script>" not in page
    assert "<b>" not in page


async def test_a_file_where_none_is_asked_is_refused(browser: httpx.AsyncClient) -> None:
    response = await browser.post("/form", files={"name": ("a.txt", b"a")})
    assert response.status_code == 400
    assert heading(response) == "Cet envoi n’a pas été compris"


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/nowhere", 404, "Page introuvable"),
        ("/refuse/missing", 404, "Page introuvable"),
        ("/refuse/forbidden", 403, "Accès refusé"),
        ("/refuse/conflict", 409, "La situation vient de changer"),
        ("/refuse/away", 503, "Indisponible pour un instant"),
        ("/refuse/http", 413, "Envoi trop volumineux"),
        ("/hurried", 429, "Trop de tentatives"),
        ("/only-posted", 405, "Cette adresse n’accepte pas cet envoi"),
    ],
)
async def test_a_refusal_is_a_page_in_the_readers_language(
    browser: httpx.AsyncClient, path: str, status: int, title: str
) -> None:
    response = await browser.get(path)
    assert response.status_code == status
    assert heading(response) == title
    assert 'href="/">Retour à l’accueil</a>' in response.text
    assert response.headers["cache-control"] == "no-store"


async def test_an_id_of_another_form_is_as_one_of_nothing(browser: httpx.AsyncClient) -> None:
    malformed, unknown = await browser.get("/things/12"), await browser.get("/refuse/missing")
    assert malformed.status_code == 404
    assert malformed.text == unknown.text


async def test_it_says_when_to_come_back(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/hurried")).headers["retry-after"] == "13"
    assert (await browser.get("/refuse/away")).headers["retry-after"] == "3"


async def test_a_405_says_what_is_taken(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/only-posted")).headers["allow"] == "POST"


async def test_instants_in_a_refusal_are_written_for_readers(browser: httpx.AsyncClient) -> None:
    assert "Too late since 5 avril 2018, 15:31." in (await browser.get("/refuse/late")).text


@pytest.mark.parametrize(
    ("path", "headers"), [("/refuse/missing", JSON), ("/internal/refuse", HTML)]
)
async def test_a_program_gets_problem_details(
    browser: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    response = await browser.get(path, headers=headers)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Cette page n’existe pas, ou ne vous est pas destinée.",
    }


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        (
            "GET",
            "/procedures/anomalie?a=1&b=2",
            "/sign-in?next=%2Fprocedures%2Fanomalie%3Fa%3D1%26b%3D2&why=procedure",
        ),
        ("POST", "/procedures/anomalie", "/sign-in/again?form=%2Fprocedures%2Fanomalie"),
    ],
)
async def test_who_must_sign_in_is_led_there_and_back(
    browser: httpx.AsyncClient, method: str, path: str, location: str
) -> None:
    response = await browser.request(method, path)
    assert response.status_code == (303 if method == "GET" else 307)
    assert response.headers["location"] == location


async def test_a_program_that_must_sign_in_is_told_so(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/procedures/a", headers=JSON)).status_code == 401


async def test_an_error_of_ours_has_a_page_too() -> None:
    broken = app()

    @broken.get("/broken")
    async def page(http: Request) -> object:
        return problem_page(http, 500)

    transport = httpx.ASGITransport(broken)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        response = await client.get("/broken", headers=HTML)
    assert response.status_code == 500
    assert heading(response) == "Un problème est survenu"


# ── Waiting, leading on, finding ─────────────────────────────────────────────────────────────────


async def test_a_page_that_waits_looks_again_by_itself(browser: httpx.AsyncClient) -> None:
    response = await browser.get("/waiting")
    assert response.status_code == 202
    assert response.headers["refresh"] == "600; url=/components"
    assert 'href="/components"' in response.text


@pytest.mark.parametrize(
    ("path", "led_to"),
    [
        ("/requests?a=1", "/requests?a=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("requests", "/"),
        ("", "/"),
        ("/a\nSet-Cookie: b", "/"),
    ],
)
def test_only_a_local_path_is_led_to(path: str, led_to: str) -> None:
    assert links.local(path) == led_to
    assert see_other_path(led_to).headers["location"] == led_to


@pytest.mark.parametrize(
    "name",
    ["../pages.py", "samples/../../secret.html", "samples/nothing.html", "samples", "/etc/passwd"],
)
def test_templates_are_found_in_their_slice_only(name: str) -> None:
    with pytest.raises(TemplateNotFound):
        SliceLoader("tests.support.gallery").get_source(pages._environment, name)


def test_the_first_language_of_the_tenant_that_there_is_is_spoken() -> None:
    assert pages.language(TENANT) == "fr"
    assert pages.language(None) == "fr"
