"""Every component, as a browser draws it: nothing for axe, nothing wider than the window."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser import axe_violations, launched, scrolls_sideways, serving
from tests.support.gallery import app

PATHS = ("/", "/?signed=1", "/components?signed=1", "/form", "/paper", "/waiting", "/nowhere")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once for all."""
    with sync_playwright() as playwright:
        chromium = launched(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(params=[1280, 390, 320])
def width(request: pytest.FixtureRequest) -> int:
    """How wide the window is."""
    wide: int = request.param
    return wide


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, width: int, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window of that width, at the gallery, scripts off as for whoever switches them off."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=request.param,
        base_url="http://ypok.localhost",
    )
    opened = context.new_page()
    serving(opened, app())
    yield opened
    context.close()


def test_every_page_is_accessible_and_fits(page: Page) -> None:
    found = []
    for path in PATHS:
        page.goto(path)
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
    assert axe_violations(page) == []
    assert not scrolls_sideways(page)


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
