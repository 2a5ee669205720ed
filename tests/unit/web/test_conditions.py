"""What a page shows at once, by its script, is what the server asks; without one it comes next."""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chassis import forms
from tests.support.gallery import app
from tests.support.gallery.browser import launched, serving
from tests.support.gallery.every_kind import EVERY_KIND

FORM = "[...new FormData(document.querySelector('main form'))]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once for all."""
    with sync_playwright() as playwright:
        chromium = launched(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The form of every kind; with scripts unless a test says otherwise."""
    context = browser.new_context(java_script_enabled=getattr(request, "param", True))
    opened = context.new_page()
    serving(opened, app())
    opened.goto("http://ypok.localhost/questions")
    yield opened
    context.close()


def sent_by(page: Page) -> dict[str, str]:
    """What the form would send now, but for files."""
    values: dict[str, str] = {}
    for name, value in page.evaluate(f"() => {FORM}.filter(([, it]) => typeof it === 'string')"):
        values[name] = f"{values[name]}\n{value}" if name in values else value
    return values


def in_sight(page: Page) -> set[str]:
    """The questions that somebody sees, of those that depend on others."""
    hidden = page.locator("[data-question]")
    return {str(one.get_attribute("data-question")) for one in hidden.all() if one.is_visible()}


def test_what_comes_into_sight_is_what_the_server_asks(page: Page) -> None:
    dependent = {
        str(one.get_attribute("data-question")) for one in page.locator("[data-question]").all()
    }
    assert dependent == {"affected_other", "since", "call_at"}
    for other, blocked in product((True, False), ("Oui", "Non", "Oui")):
        page.get_by_label("Autre chose").set_checked(other)
        page.get_by_label(blocked, exact=True).check()
        asked = {one.key for one in forms.shown(EVERY_KIND, sent_by(page)).fields()}
        assert in_sight(page) == asked & dependent
        # The heading over questions none of which is in sight is out of sight itself.
        assert page.get_by_text("L’arrêt").is_visible() is (blocked == "Oui")


def test_what_was_in_sight_once_is_not_told_as_unseen(page: Page) -> None:
    assert sent_by(page)[forms.UNSEEN] == "affected_other since call_at"
    page.get_by_label("Oui", exact=True).check()
    page.get_by_label("Non", exact=True).check()
    assert sent_by(page)[forms.UNSEEN] == "affected_other"


def test_what_was_typed_before_it_was_hidden_is_there_again(page: Page) -> None:
    page.get_by_label("Oui", exact=True).check()
    page.get_by_label("Depuis quand").fill("2024-11-04")
    page.get_by_label("Non", exact=True).check()
    expect(page.get_by_label("Depuis quand")).to_be_hidden()
    page.get_by_label("Oui", exact=True).check()
    expect(page.get_by_label("Depuis quand")).to_have_value("2024-11-04")


@pytest.mark.parametrize("page", [False], indirect=True, ids=["no scripts"])
def test_without_scripts_new_questions_come_with_the_next_step(page: Page) -> None:
    page.get_by_label("Oui", exact=True).check()
    expect(page.get_by_label("Depuis quand")).to_be_hidden()
    page.get_by_role("button", name="Suivant").click()
    told = page.get_by_role("status")
    expect(told).to_contain_text("Vos réponses appellent d’autres questions.")
    expect(told.get_by_role("link")).to_have_text(
        ["Depuis quand\u00a0?", "À quelle heure vous rappeler\u00a0?"]
    )
    told.get_by_role("link").first.click()
    expect(page.get_by_label("Depuis quand")).to_be_focused()
    expect(page.get_by_label("Depuis quand")).to_have_accessible_description("Nouvelle question")
    # It was news once: left open a second time, it is asked for.
    page.get_by_role("button", name="Suivant").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Remplissez «\u00a0Depuis quand\u00a0?\u00a0»."
    )


@pytest.mark.parametrize("page", [True, False], indirect=True, ids=["scripts", "no scripts"])
def test_entries_come_and_go_with_their_answers(page: Page) -> None:
    serials = page.get_by_label("Numéro de série")
    page.get_by_role("button", name="Ajouter un appareil").click()
    expect(serials).to_have_count(3)
    expect(page.get_by_role("button", name="Ajouter un appareil")).to_have_count(0)
    serials.nth(2).fill("CD-5678")
    page.get_by_role("button", name="Retirer\u00a0: Appareil 2").click()
    expect(serials).to_have_count(2)
    expect(serials.nth(0)).to_have_value("AB-1234")
    expect(serials.nth(1)).to_have_value("CD-5678")
