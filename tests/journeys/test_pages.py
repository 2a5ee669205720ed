"""Every page that a browser can open, as people see it: errors and empty states included.

The pages are found in the services' routes: one that is not looked at fails the test. With
`GUICHET_TEST_SCREENSHOTS` naming a folder, pictures of all are kept there (`make screenshots`).
"""

import re

import pytest
from fastapi.routing import APIRoute
from playwright.async_api import Browser, Page, expect
from starlette.routing import compile_path

from guichet.beside import COMMAND
from guichet.embedded import SERVICES
from services.identity.accounts.invite_person import invite_person
from services.identity.tenants.resume_tenant import resume_tenant
from services.identity.tenants.suspend_tenant import suspend_tenant
from tests.journeys.test_customer import (
    PASSWORD,
    activate,
    fill_all,
    sign_in,
    sign_out,
    to_the_recap,
)
from tests.support.album import Album
from tests.support.browser import NARROW, context_of
from tests.support.installation import Running, link_in

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

LONG_TOWN = "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson " * 2
ADDRESS = "secretariat.general.de.la.commune@saint-remy-en-bouzemont-saint-genest-et-isson.example"
TERMS = "J'accepte les conditions générales d'utilisation du service"


def unseen(album: Album) -> set[str]:
    """The routes of pages that nobody looked at. What answers with a file says so by its tag."""
    routes = {
        route.path
        for service in SERVICES.values()
        for router in service.routers
        for route in router.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and not route.path.startswith("/internal")
        and "file" not in route.tags
    }
    seen = {
        route
        for route in routes
        if any(compile_path(route)[0].match(path) for path in album.paths.values())
    }
    return routes - seen


async def test_every_page_can_be_read_by_all_at_every_width(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    album = Album()
    context = await context_of(browser)
    page = await context.new_page()
    await look_as_visitor(page, portal_url, album)
    await look_at_registration(page, portal_url, album)
    await whole.settled()
    await look_at_links(page, portal_url, album, whole)
    await look_as_customer(page, portal_url, album)
    await look_at_profile(page, portal_url, album, whole)
    await look_at_refusals(page, portal_url, album, whole)
    await context.close()
    assert album.faults == []
    assert unseen(album) == set()


async def test_what_is_wrong_with_a_page_is_seen(browser: Browser, portal_url: str) -> None:
    album = Album()
    context = await context_of(browser)
    page = await context.new_page()
    await page.goto(portal_url)
    await page.locator("main").evaluate(
        "main => { main.innerHTML = '<input>'; main.style.width = '900px' }"
    )
    await album.look(page, "broken")
    await context.close()
    assert any("sideways at 320" in fault for fault in album.faults)
    assert any(f"at {NARROW}: label" in fault for fault in album.faults)


async def look_as_visitor(page: Page, url: str, album: Album) -> None:
    for name, path in {
        "home": "/",
        "category": "/categories/ypolice",
        "sign-in": "/sign-in",
        "sign-in-asked": "/procedures/assistance-ypolice",
        "recovery": "/recovery",
        "recovery-username": "/recovery/username",
        "recovery-password": "/recovery/password",
        "recovery-sent": "/recovery/sent",
        "reset-altered": "/reset?link=altered",
        "terms": "/texts/terms",
        "legal": "/texts/legal",
        "privacy": "/texts/privacy",
        "accessibility": "/texts/accessibility",
        "help": "/texts/help",
        "not-found": "/nowhere",
        "not-found-text": "/texts/nothing",
        "not-found-handle": "/requests/handle/altered",
        "link-altered": "/activate?link=altered",
        "invitation-altered": "/invitation?link=altered",
        "further-altered": "/register/further?link=altered",
        "further-asked": "/register/further/asked",
        "link-sent": "/activate/sent",
    }.items():
        await page.goto(url + path)
        await album.look(page, name)
    await page.goto(f"{url}/sign-in")
    await page.get_by_role("button", name="Me connecter").click()
    await album.look(page, "sign-in-empty")
    await sign_in(page, "personne", "pas le bon mot de passe")
    await album.look(page, "sign-in-refused")
    await page.goto(f"{url}/recovery/password")
    await page.get_by_role("button", name="Envoyer").click()
    await album.look(page, "recovery-password-empty")


async def look_at_registration(page: Page, url: str, album: Album) -> None:
    await page.goto(f"{url}/register")
    await album.look(page, "register")
    await page.get_by_role("button", name="Faire une demande en ligne").click()
    await album.look(page, "register-without-tick")
    await page.get_by_label(TERMS).check()
    await page.get_by_role("button", name="Faire une demande en ligne").click()
    await album.look(page, "register-form")
    await page.get_by_role("button", name="Suivant").click()
    await expect(page).to_have_title(re.compile("^Erreur"))
    await album.look(page, "register-form-errors")
    await page.get_by_label("Nom de la ville *").fill(LONG_TOWN)
    await page.get_by_label("Ville *", exact=True).fill(LONG_TOWN)
    await page.get_by_label("Code postal *").fill("51290")
    await page.get_by_label("M.", exact=True).check()
    await page.get_by_label("Nom de naissance *").fill("d’Outrelépont de La Bruyère-Vauxelles")
    await page.get_by_label("Prénom *").fill("Jean-Christophe-Alexandre")
    await page.get_by_label("Email *").fill(ADDRESS)
    await page.get_by_role("button", name="Suivant").click()
    await album.look(page, "register-recap")
    await page.get_by_role("button", name="Enregistrer la demande").click()
    await album.look(page, "register-saved")
    await page.get_by_role("link", name="Retour à mes demandes").click()
    await album.look(page, "sign-in-after-register")
    await page.go_back()
    await page.get_by_role("link", name="Voir et imprimer la demande").click()
    await expect(page.get_by_role("main")).to_contain_text("Création de compte")
    await album.look(page, "register-print")


async def look_at_links(page: Page, url: str, album: Album, whole: Running) -> None:
    [mail] = await whole.mails_to(ADDRESS)
    link = link_in(mail)
    await page.goto(link)
    await album.look(page, "activate")
    await page.get_by_role("button", name="Valider et accéder à votre compte").click()
    await album.look(page, "activate-errors")
    await activate(page, link)
    await album.look(page, "home-signed-in")
    await page.goto(link)
    await album.look(page, "link-used")
    database = whole.installation.runtimes["identity"].database
    tenant = whole.installation.gateway.tenants.at("ypok.localhost")
    assert tenant is not None
    async with database.begin(tenant.tenant_id, COMMAND) as work:
        await invite_person(work, "equipe@ypok.example")
    await whole.settled()
    [invitation] = await whole.mails_to("equipe@ypok.example")
    await page.goto(link_in(invitation))
    await album.look(page, "invitation")


async def look_as_customer(page: Page, url: str, album: Album) -> None:
    await page.goto(url)
    await page.get_by_text("Mon compte").click()
    await album.look(page, "home-menu-open")
    for name, path in {
        "category-signed-in": "/categories/ygrc",
        "profile": "/profile",
        "exchanges": "/exchanges",
        "requests": "/requests",
        "procedure": "/procedures/anomalie-logiciel-ypolice",
        "procedure-unknown": "/procedures/nothing",
        "request-unknown": "/requests/0191d1a0-0000-7000-8000-000000000000",
    }.items():
        await page.goto(url + path)
        await album.look(page, name)
    await page.goto(f"{url}/procedures/anomalie-logiciel-ypolice")
    await page.get_by_role("button", name="Faire une demande en ligne").click()
    await album.look(page, "form")
    await page.get_by_role("button", name="Suivant").click()
    await expect(page).to_have_title(re.compile("^Erreur"))
    await album.look(page, "form-errors")
    await page.get_by_role("button", name="Enregistrer le brouillon").click()
    await expect(page.get_by_text("Brouillon enregistré à")).to_be_visible()
    await page.goto(f"{url}/requests")
    await album.look(page, "requests-draft")
    await page.goto(f"{url}/procedures/anomalie-logiciel-ypolice")
    await album.look(page, "procedure-draft")
    await page.get_by_role("button", name="Reprendre").click()
    await fill_all(page)
    await page.get_by_role("button", name="Suivant", exact=True).click()
    await album.look(page, "form-step-2")
    await to_the_recap(page)
    await album.look(page, "recap")
    await page.get_by_role("button", name="Enregistrer la demande").click()
    await album.look(page, "saved")
    await page.get_by_role("link", name="Voir et imprimer la demande").click()
    await album.look(page, "print")
    await page.goto(f"{url}/requests")
    await album.look(page, "requests-some")
    await page.get_by_role("link", name=re.compile(r"Anomalie|\d{4}-\d{6}")).first.click()
    await album.look(page, "request")
    await page.goto(f"{url}/procedures/anomalie-logiciel-ypolice/form")
    await album.look(page, "form-opened-again")


async def look_at_profile(page: Page, url: str, album: Album, whole: Running) -> None:
    for name in ("details", "identifier", "password", "address", "language", "sessions"):
        await page.goto(f"{url}/profile/{name}")
        await album.look(page, f"profile-{name}")
    await page.goto(f"{url}/profile/password")
    await page.get_by_role("button", name="Enregistrer le nouveau mot de passe").click()
    await album.look(page, "profile-password-errors")
    moved = f"nouvelle.{ADDRESS}"
    await page.goto(f"{url}/profile/address")
    await page.get_by_label("Nouveau courriel").fill(moved)
    await page.get_by_label("Mot de passe actuel").fill(PASSWORD)
    await page.get_by_role("button", name="Envoyer le lien").click()
    await album.look(page, "profile-address-asked")
    await whole.settled()
    [confirmation] = await whole.mails_to(moved)
    await page.goto(link_in(confirmation))
    await album.look(page, "confirm-address")
    await page.get_by_role("button", name="Confirmer cette adresse").click()
    await album.look(page, "confirm-address-done")
    await page.goto(f"{url}/recovery")
    await page.get_by_label("Mon mot de passe").check()
    await expect(page.get_by_label("Votre courriel")).to_be_visible()
    await album.look(page, "recovery-chosen")
    await page.get_by_label("Votre courriel").fill(moved)
    await page.get_by_role("button", name="Envoyer").click()
    await expect(page).to_have_title(re.compile("^Un courriel est en route"))
    await whole.settled()
    await page.goto(link_in((await whole.mails_to(moved, count=2))[0]))
    await album.look(page, "reset")


async def look_at_refusals(page: Page, url: str, album: Album, whole: Running) -> None:
    await page.goto(url)
    await sign_out(page)
    await album.look(page, "signed-out")
    await page.goto(f"http://nobody.localhost:{whole.port}/")
    await album.look(page, "unknown-host")
    tenant = await whole.tenant("closed")
    database = whole.installation.runtimes["identity"].database
    async with database.begin(tenant, COMMAND) as work:
        await suspend_tenant(work)
    await whole.settled()
    await page.goto(f"http://closed.localhost:{whole.port}/")
    await album.look(page, "suspended")
    async with database.begin(tenant, COMMAND) as work:
        await resume_tenant(work)
