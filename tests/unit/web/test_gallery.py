"""Every component, as a browser draws it: nothing for axe, nothing wider than the window."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.gallery import app
from tests.support.gallery.browser import axe_violations, launched, scrolls_sideways, serving

PATHS = ("/", "/?signed=1", "/components?signed=1", "/form", "/paper", "/waiting", "/nowhere")


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


WINDOWS = [(width, scheme) for width in (1280, 390, 320) for scheme in ("light", "dark")]


@pytest.mark.parametrize("page", WINDOWS, indirect=True, ids=str)
def test_every_page_is_accessible_and_fits(page: Page) -> None:
    found = []
    for path in PATHS:
        page.goto(path)
        if "signed" in path:
            page.get_by_text("Mon compte", exact=True).click()
        found += [f"{path}: {violation}" for violation in axe_violations(page)]
        found += [f"{path}: scrolls sideways"] if scrolls_sideways(page) else []
    page.goto("/form")
    page.get_by_role("button", name="Suivant").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += [f"errors: {violation}" for violation in axe_violations(page)]
    found += ["errors: scroll sideways"] if scrolls_sideways(page) else []
    assert found == []


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
