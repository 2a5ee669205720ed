"""Every component, as a browser draws it: nothing for axe, nothing wider than the window."""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Literal

import jinja2
import pytest
from jinja2 import nodes
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chassis.web.assets import asset
from tests.support.gallery import app
from tests.support.gallery.browser import axe_violations, launched, scrolls_sideways, serving

PATHS = (
    "/",
    "/?signed=1",
    "/ui",
    "/components?signed=1",
    "/form",
    "/questions",
    "/paper",
    "/waiting",
    "/nowhere",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once for all."""
    with sync_playwright() as playwright:
        chromium = launched(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window at the gallery: (width, scheme), for axe, or a phone's with scripts off."""
    width: int
    scheme: Literal["light", "dark"]
    width, scheme = getattr(request, "param", (390, "light"))
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        base_url="http://ypok.localhost",
        java_script_enabled=hasattr(request, "param"),
    )
    opened = context.new_page()
    serving(opened, app())
    yield opened
    context.close()


WINDOWS = [(1280, "light"), (390, "dark")]
SHOWN = ("/", "/ui?signed=1", "/paper", "/waiting", "/nowhere")


@pytest.mark.parametrize("page", WINDOWS, indirect=True, ids=str)
def test_every_page_is_accessible_and_fits(page: Page) -> None:
    found = []
    for path in SHOWN:
        page.goto(path)
        if "signed" in path:
            page.get_by_text("Mon compte", exact=True).click()
        found += [f"{path}: {violation}" for violation in axe_violations(page)]
        found += _too_wide(page, path)
    page.goto("/form")
    page.get_by_role("button", name="Suivant").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += [f"errors: {violation}" for violation in axe_violations(page)]
    found += _too_wide(page, "errors")
    assert found == []


def _too_wide(page: Page, name: str) -> list[str]:
    """Faults as wide as the page is now, and on the narrowest screen."""
    found = [f"{name}: scrolls sideways"] if scrolls_sideways(page) else []
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 800})
    found += [f"{name}: scrolls sideways at 320"] if scrolls_sideways(page) else []
    if before is not None:
        page.set_viewport_size(before)
    return found


def test_the_menu_opens_without_script(page: Page) -> None:
    page.goto("/?signed=1")
    expect(page.get_by_role("button", name="Déconnexion")).not_to_be_visible()
    page.get_by_text("Mon compte", exact=True).click()
    expect(page.get_by_role("button", name="Déconnexion")).to_be_visible()


def test_a_link_of_the_summary_leads_to_its_field(page: Page) -> None:
    page.goto("/form")
    page.get_by_role("button", name="Suivant").click()
    page.get_by_role("link", name="Choisissez une réponse à «\u00a0Civilité\u00a0».").click()
    expect(page.get_by_role("radio", name="Mme")).to_be_focused()


def test_targets_are_high_enough_for_a_finger(page: Page) -> None:
    for path in PATHS:
        page.goto(path)
        low = page.evaluate(
            """() => [...document.querySelectorAll("a, button, summary, input, select, textarea")]
            .filter(one => !(one.tagName === "A" && getComputedStyle(one).display === "inline"))
            .filter(one => !["checkbox", "radio", "hidden"].includes(one.type))
            .map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0 && box.height < 43.5)
            .map(([html]) => html)"""
        )
        assert low == []


SCRIPTED = pytest.mark.parametrize("page", [(1280, "light")], indirect=True, ids=str)


@SCRIPTED
def test_without_a_network_what_was_typed_stays_and_one_is_told(page: Page) -> None:
    page.goto("/form")
    page.get_by_label("Nom de la ville").fill("Saint-Jean-de-Monts")
    page.context.set_offline(True)
    page.get_by_role("button", name="Suivant").click()
    expect(page.get_by_role("alert")).to_contain_text("Le réseau ne répond pas.")
    expect(page.get_by_label("Nom de la ville")).to_have_value("Saint-Jean-de-Monts")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Suivant").click()
    expect(page.locator("#error-summary")).to_be_focused()


@SCRIPTED
def test_a_banner_closes_in_place(page: Page) -> None:
    page.goto("/ui?signed=1")
    page.get_by_role("link", name="Fermer").click()
    expect(page.get_by_role("link", name="Fermer")).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()


def test_htmx_is_told_what_to_leave_in_strict_json(page: Page) -> None:
    page.goto("/ui")
    told = page.locator("meta[name=htmx-config]")
    brought = bool(asset("vendor/htmx.js"))  # what npm could not bring is done without
    assert bool(told.count()) == brought
    if brought:
        settings = json.loads(told.get_attribute("content") or "")
        assert settings["noSwap"] == [204, 304, 401, 403, 429, "5xx"]
        assert settings["extensions"] == "sse"


def test_the_keyboard_reaches_the_content_first(page: Page) -> None:
    page.goto("/form")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_paper_has_no_way_to_other_pages(page: Page) -> None:
    page.goto("/paper")
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="Retour")).not_to_be_visible()
    expect(page.get_by_role("heading", name="Demande 2026-000123")).to_be_visible()


# ── Does each macro have an example? ─────────────────────────────────────────────────────────────

TEMPLATES = resources.files("chassis.web") / "templates"
PARSER = jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def called(node: nodes.Node) -> set[str]:
    """The names of what is called within."""
    return {one.node.name for one in node.find_all(nodes.Call) if isinstance(one.node, nodes.Name)}


def macros() -> dict[str, set[str]]:
    """The macros of `ui/`, private ones too, with what each calls."""
    found: dict[str, set[str]] = {}
    for file in (TEMPLATES / "ui").iterdir():
        parsed = PARSER.parse(file.read_text("utf-8"))
        found |= {one.name: called(one) for one in parsed.find_all(nodes.Macro)}
    return found


def drawn() -> set[str]:
    """What the gallery calls, or the layout around it, or what those call in turn."""
    known = macros()
    names: set[str] = set()
    waiting = {
        name
        for template in ("gallery.html", "layout.html")
        for name in called(PARSER.parse((TEMPLATES / template).read_text("utf-8")))
    }
    while waiting:
        names |= waiting
        waiting = {name for one in waiting for name in known.get(one, ())} - names
    return names


def test_every_macro_has_an_example_in_the_gallery() -> None:
    assert len(macros()) > 20
    assert set(macros()) - drawn() == set()
