"""Choosing a language or a theme loses nothing of what was typed, on any page that asks something.

With scripts and without: the choice's buttons are the page's own form's.
"""

import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.builders.files import a_picture
from tests.journeys.test_customer import fill_all
from tests.journeys.test_every_form import HOST, Way, effects, found, somebody_new
from tests.support.browser import context_of
from tests.support.installation import Running

__all__ = ["found"]  # a fixture

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

SCRIPTS = pytest.mark.parametrize("scripts", [False, True], ids=["plain", "scripts"])
TEXTS = "input:is([type=text], [type=email], [type=tel]), textarea"
ANSWERS = """form => [...form.elements].filter(one => one.name && !one.disabled
  && !["submit", "file", "password"].includes(one.type) && !/^_(consent|asked)$/.test(one.name))
  .map(one => [one.name, one.type === "radio" || one.type === "checkbox" ? one.checked : one.value])
"""
"""All that a form holds, but for what pages seal anew and say in their language."""


@contextlib.asynccontextmanager
async def somebodys_page(
    browser: Browser, portal_url: str, whole: Running, *, scripts: bool, is_signed_in: bool = True
) -> AsyncIterator[Page]:
    """A page of a person whom nobody knew before."""
    context = await context_of(browser, scripts=scripts)
    async with somebody_new(whole, is_signed_in=is_signed_in) as (client, _who):
        for cookie in client.cookies.jar:
            assert cookie.value
            await context.add_cookies(
                [{"name": cookie.name, "value": cookie.value, "url": portal_url}]
            )
    yield await context.new_page()
    await context.close()


def form_at(page: Page, action: str) -> Locator:
    """The form that posts there."""
    return page.locator(f'main form[action="{action}"]').last


async def comes_to(page: Page, portal_url: str, way: Way) -> Locator:
    """The last form of the way, reached by it."""
    await page.goto(portal_url + way.path)
    for action, then in pairwise(way.actions):
        for _ in range(12):  # answers may bring up more to answer
            await fill_all(page)
            async with page.expect_navigation():
                await form_at(page, action).locator(".button--primary").last.click()
            if await form_at(page, then).count():
                break
    return form_at(page, way.actions[-1])


async def types_into(form: Locator) -> int:
    """Something into each text; answers into how many."""
    fields = await form.locator(TEXTS).locator("visible=true").all()
    for number, one in enumerate(fields):
        await one.fill(f"Réponse {number}")
    return len(fields)


async def chooses(page: Page, name: str, attribute: str, value: str) -> None:
    """Press that choice, and see it followed."""
    await page.get_by_role("button", name=name, exact=True).click()
    await expect(page.locator("html")).to_have_attribute(attribute, value)


@SCRIPTS
async def test_a_choice_loses_nothing_that_was_typed(
    browser: Browser, portal_url: str, whole: Running, found: list[Way], scripts: bool
) -> None:
    lost: dict[str, object] = {}
    texts = 0
    tenant = whole.installation.gateway.tenants.at(HOST)
    assert tenant is not None
    for way in found:
        async with somebodys_page(
            browser, portal_url, whole, scripts=scripts, is_signed_in=way.signed_in
        ) as page:
            form = await comes_to(page, portal_url, way)
            texts += await types_into(form)
            if not await form.evaluate("form => form.id"):  # nothing is typed there
                if await form.locator(TEXTS).count():
                    lost[str(way)] = "is not kept"
                continue
            before = await form.evaluate(ANSWERS)
            made = {} if scripts else await effects(whole, tenant.tenant_id)  # drafts are, by them
            await chooses(page, "English", "lang", "en")
            await chooses(page, "Dark", "data-theme", "dark")
            await chooses(page, "Français", "lang", "fr")
            form = form_at(page, way.actions[-1])
            after = await form.evaluate(ANSWERS) if await form.count() else page.url
            if after != before:
                lost[str(way)] = (before, after)
            elif not scripts and made != await effects(whole, tenant.tenant_id):
                lost[str(way)] = "did something"
            passwords = await page.locator("input[type=password]").all()
            assert [await one.input_value() for one in passwords] == [""] * len(passwords)
    assert lost == {}
    assert texts >= 30


@SCRIPTS
async def test_enter_presses_no_choice(
    browser: Browser, portal_url: str, whole: Running, scripts: bool
) -> None:
    async with somebodys_page(
        browser, portal_url, whole, scripts=scripts, is_signed_in=False
    ) as page:
        await page.goto(f"{portal_url}/recovery/username")
        await page.get_by_label("Votre courriel").fill("personne@nulle-part.example")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{portal_url}/recovery/sent")
        await expect(page.locator("html")).to_have_attribute("lang", "fr")


async def test_files_that_were_chosen_are_kept_by_a_choice(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    async with somebodys_page(browser, portal_url, whole, scripts=False) as page:
        await page.goto(f"{portal_url}/procedures/anomalie-logiciel-ypolice")
        await page.get_by_role("button", name="Faire une demande en ligne").click()
        chooser = page.locator("input[type=file]")
        while not await chooser.count():
            await fill_all(page)
            await page.get_by_role("button", name="Suivant", exact=True).click()
        area = page.locator("textarea:visible").first
        await area.fill("Ce qui est déjà écrit")
        await chooser.set_input_files(
            {"name": "écran.png", "mimeType": "image/png", "buffer": a_picture()}
        )
        await chooses(page, "English", "lang", "en")
        await expect(page.get_by_role("list", name="Files attached")).to_contain_text("écran.png")
        await expect(area).to_have_value("Ce qui est déjà écrit")
