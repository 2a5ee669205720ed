"""A form that answers: what depends on others, entry by entry, with scripts and without."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import yaml
from playwright.async_api import Browser, Page, expect

from chassis.sessions import session_cookie_name
from guichet.demo_data import DEMO, demo_file
from tests.journeys.test_customer import heading
from tests.support.browser import context_of
from tests.support.installation import Running
from tests.support.people import somebody

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(180)]

HARDWARE = "anomalie-materiel-pve"
NEXT = "Suivant"
RECAP = "Informations de la demande"


@pytest.fixture(params=[True, False], ids=["scripts", "plain"])
async def form(
    browser: Browser, whole: Running, portal_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[Page]:
    """The first page of a form about hardware, before somebody of a town."""
    tenant = UUID(yaml.safe_load(demo_file(DEMO, "tenant.yaml"))["tenant_id"])
    who = await somebody(whole, tenant, f"{DEMO}.localhost")
    context = await context_of(browser, scripts=request.param)
    name = session_cookie_name(whole.installation.settings)
    await context.add_cookies([{"name": name, "value": who.cookie, "url": portal_url}])
    page = await context.new_page()
    await page.goto(f"{portal_url}/procedures/{HARDWARE}")
    await page.get_by_role("button", name="Faire une demande en ligne").click()
    yield page
    await context.close()


async def goes_on(page: Page) -> None:
    await page.get_by_role("button", name=NEXT, exact=True).click()


async def tells_of_devices(page: Page) -> None:
    """Two devices, the second of which is none of those on the list; a third goes again."""
    await page.get_by_label("Terminal de verbalisation").check()
    await page.get_by_label("Marque et modèle").fill("Trimble T1")
    await page.get_by_label("Numéro de série").fill("AB-1234")
    for _ in range(2):
        async with page.expect_navigation():
            await page.get_by_role("button", name="Ajouter un appareil").click()
    second = page.get_by_role("group", name="Appareil 2")
    await second.get_by_label("Imprimante portable").check()
    await page.get_by_role("button", name="Retirer\u00a0: Appareil 2").click()
    await expect(page.get_by_role("group", name="Appareil 3")).to_have_count(0)
    await second.get_by_label("Autre matériel").check()
    await second.get_by_label("Marque et modèle").fill("Inconnue")
    await second.get_by_label("Numéro de série").fill("CD-5678")
    await page.get_by_label("Numéro et rue").fill("2 place de la Mairie")
    await page.get_by_label("Code postal").fill("85160")
    await page.get_by_label("Ville", exact=True).fill("Saint-Jean-de-Monts")


async def test_one_tells_of_several_devices_and_of_what_each_answer_brings_up(form: Page) -> None:
    page = form
    await tells_of_devices(page)
    which = page.get_by_label("Quel matériel\u00a0?").nth(1)
    if not await which.is_visible():  # without scripts it comes with the next step
        await goes_on(page)
        await expect(page.get_by_role("status").last).to_contain_text("d’autres questions")
    await which.fill("Lecteur de plaques")
    await goes_on(page)

    await page.get_by_label("Ce qui s’est passé").fill("Il ne s’allume plus.")
    await page.get_by_label("Ce que l’appareil devrait faire").fill("S’allumer.")
    await page.get_by_label("Oui", exact=True).check()
    await page.get_by_label("Depuis quand\u00a0?").fill("2024-11-04")
    how = page.get_by_label("Dans quelles circonstances\u00a0?")
    if not await how.is_visible():
        await goes_on(page)
    await how.fill("Tombé d’un toit.")
    await page.get_by_label("Non", exact=True).check()  # on second thoughts
    await goes_on(page)

    await page.get_by_label("Le travail n’est presque pas gêné").check()
    await page.get_by_label("Nombre de personnes concernées").fill("2")
    await page.get_by_label("Téléphone").fill("02 51 00 00 00")
    await goes_on(page)
    await expect(heading(page)).to_contain_text(RECAP)
    main = page.get_by_role("main")
    for said in ("Appareil 1", "Appareil 2", "Lecteur de plaques", "2 place de la Mairie"):
        await expect(main).to_contain_text(said)
    await expect(main).not_to_contain_text("Appareil 3")
    # What was typed and is not asked any more does not go without a word.
    dropped = main.locator(".notice", has_text="Dans quelles circonstances")
    await expect(dropped).to_contain_text("Tombé d’un toit.")
    await page.get_by_role("button", name="Enregistrer la demande").click()
    await expect(page.get_by_role("status").first).to_contain_text("a été enregistrée.")
    await page.get_by_role("link", name="Voir et imprimer la demande").click()
    await expect(main).to_contain_text("Lecteur de plaques")
    await expect(main).not_to_contain_text("Tombé d’un toit.")
