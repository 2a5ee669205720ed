"""J5: who lost identifier or password comes back in, in each language, by real mails."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from guichet.demo_data import DEMO
from tests.journeys.test_customer import EACH_WAY, LOCALES, Way, heading, sign_in, sign_out
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
async def page(browser: Browser, way: Way, portal_url: str) -> AsyncIterator[Page]:
    """The tenant's sign-in page before somebody whose browser reads that language."""
    context = await context_of(browser, scripts=way.scripts, locale=LOCALES[way.language])
    page = await context.new_page()
    await page.goto(portal_url.replace(DEMO, way.at.slug, 1) + "/sign-in")
    yield page
    await context.close()


@pytest.fixture
async def who(whole: Running, way: Way) -> Somebody:
    """Somebody with an account there."""
    host = f"{way.at.slug}.localhost"
    tenant = whole.installation.gateway.tenants.at(host)
    assert tenant is not None
    return await somebody(whole, tenant.tenant_id, host, language=way.language)


async def say_what_is_lost(page: Page, way: Way, lost: str) -> None:
    """From the sign-in page to the fields that go with what was lost."""
    say = Speech(way.language)
    await page.get_by_role("link", name=say("Mot de passe ou identifiant oublié ?")).click()
    await expect(page.get_by_role("radiogroup", name=say("Qu'avez-vous perdu ?"))).to_be_visible()
    await expect(page.get_by_label(say("Votre courriel"))).to_have_count(0)
    await page.get_by_label(say(lost), exact=True).check()
    if not way.scripts:
        await page.get_by_role("button", name=say("Envoyer")).click()
    await expect(page.get_by_label(say("Votre courriel"))).to_be_visible()
    assert page.url.endswith("/recovery") == way.scripts


async def send(page: Page, way: Way) -> None:
    """The button, and what is said to everybody."""
    say = Speech(way.language)
    await page.get_by_role("button", name=say("Envoyer")).click()
    await expect(heading(page)).to_have_text(
        say("Un courriel est en route, si nous vous connaissons")
    )
    await expect(page.get_by_role("main").locator("a[href^='tel:']")).to_be_visible()


async def test_a_lost_identifier_comes_by_mail(
    page: Page, way: Way, whole: Running, who: Somebody
) -> None:
    say = Speech(way.language)
    await say_what_is_lost(page, way, "Mon identifiant")
    note = say("Votre nom d'utilisateur vous sera transmis par courriel.")
    await expect(page.get_by_text(note)).to_be_visible()
    await page.get_by_role("button", name=say("Envoyer")).click()
    await expect(page.get_by_role("alert").first).to_contain_text(say("Indiquez votre courriel."))
    await page.get_by_label(say("Votre courriel")).fill(who.address)
    await send(page, way)
    await whole.settled()
    [mail] = await whole.mails_to(who.address)
    text = mail.get_body(("plain",))
    assert text is not None
    assert who.username in text.get_content()


async def test_a_lost_password_is_set_anew_by_the_mailed_link(
    page: Page, way: Way, whole: Running, who: Somebody
) -> None:
    say = Speech(way.language)
    await say_what_is_lost(page, way, "Mon mot de passe")
    note = (
        "Un courriel vous sera envoyé afin de vous permettre de réinitialiser votre mot de passe."
    )
    await expect(page.get_by_text(say(note))).to_be_visible()
    await page.get_by_label(say("Votre nom d'utilisateur")).fill(who.username)
    await send(page, way)
    await whole.settled()
    [mail] = await whole.mails_to(who.address)
    link = link_in(mail)
    assert urlsplit(link).path == "/reset"

    await page.goto(link)
    await expect(page.get_by_role("main")).to_contain_text(who.username)
    await page.get_by_label(say("Nouveau mot de passe")).fill("trop court")
    save = page.get_by_role("button", name=say("Enregistrer le nouveau mot de passe"))
    await save.click()
    await expect(page).to_have_title(re.compile("^(Erreur|Error)"))
    first, again = (
        page.get_by_label(say("Nouveau mot de passe")),
        page.get_by_label(say("Répéter votre mot de passe")),
    )
    await expect(first).to_have_value("")
    await first.fill(NEW)
    await again.fill(NEW)
    shown = page.get_by_label(say("Afficher ce que je saisis"))
    await expect(shown).to_have_count(1 if way.scripts else 0)
    if way.scripts:
        await shown.check()
        await expect(first).to_have_attribute("type", "text")
    await save.click()
    done = say(
        "Votre mot de passe a été modifié et votre session est ouverte. Les autres ont été fermées."
    )
    await expect(page.get_by_role("status").first).to_have_text(done)

    await sign_out(page, say=say)
    await page.goto(link)
    await expect(heading(page)).to_have_text(say("Ce lien ne fonctionne pas"))
    await page.get_by_role("main").get_by_role("link", name=say("Me connecter")).click()
    await sign_in(page, who.username, NEW, say=say)
    await expect(page.get_by_role("banner")).to_contain_text("Durand")
    await whole.settled()
    assert len(await whole.mails_to(who.address, count=2)) == 2  # it was told of the change
