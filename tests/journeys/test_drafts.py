"""What is typed and attached is kept as one goes, with scripts: nothing is pressed."""

import re

import pytest
from playwright.async_api import Browser, expect

from guichet.demo_data import DEMO
from tests.builders.files import HTML, a_picture
from tests.journeys.test_customer import fill_all, to_the_recap
from tests.support.browser import context_of
from tests.support.installation import Running
from tests.support.people import signed_in, somebody

pytestmark = pytest.mark.xdist_group("journeys")

HOST = f"{DEMO}.localhost"


async def test_what_is_typed_survives_a_closed_browser(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    tenant = whole.installation.gateway.tenants.at(HOST)
    assert tenant is not None
    who = await somebody(whole, tenant.tenant_id, HOST)
    async with whole.visitor(HOST) as client:
        signed_in(client, whole, who)
        [cookie] = client.cookies.jar
    assert cookie.value
    procedure = f"{portal_url}/procedures/anomalie-logiciel-ypolice"

    context = await context_of(browser)
    await context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": portal_url}])
    page = await context.new_page()
    await page.goto(procedure)
    await page.get_by_role("button", name="Faire une demande en ligne").click()
    status = page.locator("[data-draft-status]")
    await expect(status).to_have_text("")
    field = page.locator("main form input[type=text]:visible").first
    await field.fill("Version 12")
    await expect(status).to_contain_text(re.compile(r"Brouillon enregistré à \d\d:\d\d"))
    await field.press("Enter")  # keeps, and does not send
    await expect(page).to_have_url(procedure)

    await context.set_offline(True)
    await field.fill("Version 13")
    await expect(status).to_contain_text("Pas de connexion")
    await context.set_offline(False)
    await expect(status).to_contain_text("Brouillon enregistré à")
    await context.close()

    context = await context_of(browser)
    await context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": portal_url}])
    page = await context.new_page()
    await page.goto(f"{portal_url}/requests")
    await page.get_by_role("link", name="Anomalie - logiciel YPolice").click()
    await page.get_by_role("button", name="Reprendre").click()
    field = page.locator("main form input[type=text]:visible").first
    await expect(field).to_have_value("Version 13")
    await context.close()


async def test_files_go_as_soon_as_they_are_chosen(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    tenant = whole.installation.gateway.tenants.at(HOST)
    assert tenant is not None
    who = await somebody(whole, tenant.tenant_id, HOST)
    context = await context_of(browser)
    async with whole.visitor(HOST) as client:
        signed_in(client, whole, who)
        [cookie] = client.cookies.jar
    assert cookie.value
    await context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": portal_url}])
    page = await context.new_page()
    await page.goto(f"{portal_url}/procedures/anomalie-logiciel-ypolice")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Faire une demande en ligne").click()
    chooser = page.locator("input[type=file]")
    while not await chooser.count():
        await fill_all(page)
        async with page.expect_navigation():
            await page.get_by_role("button", name="Suivant", exact=True).click()
    area = page.locator("textarea:visible").first
    await area.fill("Ce qui est déjà écrit")
    png = a_picture()
    await chooser.set_input_files({"name": "écran.png", "mimeType": "image/png", "buffer": png})
    attached = page.get_by_role("list", name="Fichiers joints")
    await expect(attached).to_contain_text("écran.png")
    await expect(page.locator("progress")).to_have_count(0)
    await chooser.set_input_files({"name": "faux.png", "mimeType": "image/png", "buffer": HTML})
    wrong = page.locator("fieldset.files .error")
    await expect(wrong).to_contain_text("ne correspond pas à son nom")
    await expect(attached).to_contain_text("écran.png")
    await expect(area).to_have_value("Ce qui est déjà écrit")
    await to_the_recap(page)
    await expect(page.get_by_role("main")).to_contain_text("écran.png")
    await page.get_by_role("button", name="Enregistrer la demande").click()
    await page.get_by_role("link", name="Fermer").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="écran.png").click()
    assert (await download.value).suggested_filename == "écran.png"
    await context.close()
