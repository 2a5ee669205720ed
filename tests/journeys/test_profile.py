"""J8: one's own profile, a form for each thing, in each language; and sessions seen and ended."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from guichet.demo_data import DEMO
from tests.builders.identity import PASSWORD
from tests.journeys.test_customer import EACH_WAY, FEW, LOCALES, Way, heading, sign_in, sign_out
from tests.support.browser import context_of
from tests.support.installation import Running, link_in
from tests.support.people import Somebody, somebody
from tests.support.speech import Speech

pytestmark = [
    pytest.mark.xdist_group("journeys"),
    pytest.mark.timeout(180),
    pytest.mark.both_ways,
]

NEW = "neuf moulins tournent au vent"


@pytest.fixture(params=EACH_WAY, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@pytest.fixture
async def who(whole: Running, way: Way) -> Somebody:
    """Somebody with an account there."""
    host = f"{way.at.slug}.localhost"
    tenant = whole.installation.gateway.tenants.at(host)
    assert tenant is not None
    return await somebody(whole, tenant.tenant_id, host, language=way.language)


@pytest.fixture
async def page(browser: Browser, way: Way, portal_url: str, who: Somebody) -> AsyncIterator[Page]:
    """Their profile's page."""
    context = await context_of(browser, scripts=way.scripts, locale=LOCALES[way.language])
    page = await context.new_page()
    await signed_in(page, way, portal_url, who.username, PASSWORD)
    yield page
    await context.close()


async def signed_in(page: Page, way: Way, url: str, username: str, password: str) -> None:
    """Sign in by the pages, then look at the profile."""
    say = Speech(way.language)
    await page.goto(url.replace(DEMO, way.at.slug, 1) + "/sign-in?next=/profile")
    await sign_in(page, username, password, say=say)
    await expect(heading(page)).to_have_text(say("Mon profil"))


async def changes(page: Page, way: Way, link: str, **typed: str) -> None:
    """Follow the link to a form, type into its fields, and press its button."""
    await page.get_by_role("main").get_by_role("link", name=Speech(way.language)(link)).click()
    await fills(page, **typed)


async def fills(page: Page, **typed: str) -> None:
    for name, text in typed.items():
        await page.locator(f"[name={name}]").fill(text)
    async with page.expect_navigation():
        await page.get_by_role("main").locator("button[type=submit]").first.click()


async def test_a_person_changes_what_the_portal_knows_of_them(
    page: Page, way: Way, whole: Running, who: Somebody
) -> None:
    say = Speech(way.language)
    banner, main, told = (
        page.get_by_role("banner"),
        page.get_by_role("main"),
        page.get_by_role("status").first,
    )
    await changes(page, way, "Modifier mes coordonnées", birth_name="Durand-Roy", phone="12")
    await expect(page.get_by_role("alert").first).to_be_visible()
    await expect(page.locator("[name=birth_name]")).to_have_value("Durand-Roy")
    await fills(page, phone="04 72 00 00 00")
    await expect(told).to_have_text(say("Vos coordonnées ont été enregistrées."))
    await expect(banner).to_contain_text("Durand-Roy")
    await expect(main).to_contain_text("04 72 00 00 00")

    username = f"{who.username}-2"
    await changes(page, way, "Modifier mon identifiant", username=username)
    await expect(main).to_contain_text(username)

    typed = {"password": NEW, "password_again": NEW}
    await changes(page, way, "Modifier mon mot de passe", current_password="pas lui", **typed)
    await expect(page.get_by_role("alert").first).to_be_visible()
    await fills(page, current_password=PASSWORD, **typed)
    await expect(told).to_have_text(
        say("Votre mot de passe a été modifié. Vos autres sessions ont été fermées.")
    )

    moved = f"{who.username}@demenagee.example"
    await changes(page, way, "Modifier mon courriel", email=moved, current_password=NEW)
    await expect(main).to_contain_text(moved)
    await whole.settled()
    [mail] = await whole.mails_to(moved)
    await page.goto(link_in(mail))
    await page.get_by_role("button", name=say("Confirmer cette adresse")).click()
    await expect(heading(page)).to_have_text(say("Courriel confirmé"))
    await main.get_by_role("link", name=say("Mon profil")).click()
    await expect(main).to_contain_text(moved)
    await expect(main).not_to_contain_text(who.address)
    await whole.settled()
    assert len(await whole.mails_to(who.address, count=2)) == 2  # of the password, of the address

    await sign_out(page, say=say)
    await expect(heading(page)).to_have_text(say("Sélectionnez un service"))
    await page.goto(page.url + "sign-in")
    await sign_in(page, username, NEW, say=say)
    await expect(banner).to_contain_text("Durand-Roy")


@pytest.mark.parametrize("way", FEW, ids=str)
async def test_a_language_is_chosen_and_spoken_at_once(page: Page, way: Way) -> None:
    other = next(one for one in way.at.languages if one != way.language)
    await page.get_by_role("link", name=Speech(way.language)("Changer de langue")).click()
    await page.locator(f"input[name=language][value={other}]").check()
    await page.get_by_role("main").locator("button[type=submit]").first.click()
    await expect(page.locator("html")).to_have_attribute("lang", other)
    saved = "Votre langue a été enregistrée, pour ces pages comme pour vos courriels."
    await expect(page.get_by_role("status").first).to_have_text(Speech(other)(saved))


@pytest.mark.parametrize("way", FEW, ids=str)
async def test_sessions_are_seen_and_ended(
    page: Page, way: Way, browser: Browser, portal_url: str, who: Somebody
) -> None:
    say, main = Speech(way.language), page.get_by_role("main")
    context = await context_of(browser, scripts=way.scripts, locale=LOCALES[way.language])
    elsewhere = await context.new_page()
    await signed_in(elsewhere, way, portal_url, who.username, PASSWORD)
    await main.get_by_role("link", name=say("Voir mes sessions")).click()
    await expect(main.get_by_text(say("Ce navigateur"), exact=True)).to_have_count(1)
    await expect(main).to_contain_text("Chrome")
    end = main.get_by_role("button", name=say("Fermer cette session"))
    before = await end.count()
    await end.first.click()  # the one that was used last, elsewhere
    await expect(end).to_have_count(before - 1)
    await elsewhere.reload()
    await expect(heading(elsewhere)).to_have_text(say("Me connecter ou créer mon compte"))
    await page.reload()
    await expect(heading(page)).to_have_text(say("Mes sessions"))
    await context.close()
