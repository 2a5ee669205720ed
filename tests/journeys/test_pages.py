"""Every page that a browser can open, as people see it: errors and empty states included.

The pages are found in the services' routes: one that is not looked at fails the test. Readers of
every demo tenant look, each in its first language and on a worker of their own where there are
several. Where `GUICHET_TEST_SCREENSHOTS` names a folder, as for `make screenshots`, readers of all
languages do, and pictures of all are kept there.
"""

import re
from dataclasses import dataclass

import pytest
from fastapi.routing import APIRoute
from playwright.async_api import Browser, Page, expect
from starlette.routing import compile_path

from guichet.beside import COMMAND
from guichet.demo_data import DEMO
from guichet.parts import SERVICES
from services.identity.accounts.invite_person import invite_person
from services.identity.tenants.resume_tenant import resume_tenant
from services.identity.tenants.suspend_tenant import suspend_tenant
from tests.journeys.test_customer import (
    LOCALES,
    PASSWORD,
    activate,
    fill_all,
    sign_in,
    sign_out,
    to_the_recap,
)
from tests.support.album import LOOKS, Album, pictures_go_to
from tests.support.browser import NARROW, WIDE, context_of
from tests.support.demo import Demo, demos
from tests.support.installation import Running, link_in
from tests.support.speech import Speech

pytestmark = pytest.mark.timeout(900)

LONG_TOWN = "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson " * 2
LONG_HOST = "saint-remy-en-bouzemont-saint-genest-et-isson.example"
TERMS = "J'accepte les conditions générales d'utilisation du service"


@dataclass(frozen=True)
class Reader:
    """Who looks: at which tenant's portal, in which language."""

    at: Demo
    language: str

    def __str__(self) -> str:
        return f"{self.at}-{self.language}"

    @property
    def say(self) -> Speech:
        """Labels in their language, from the manual's French."""
        return Speech(self.language)

    @property
    def address(self) -> str:
        """Where mails reach them: a long one, of theirs alone."""
        return f"secretariat.general.de.la.commune.{self}@{LONG_HOST}"


READERS = [
    pytest.param(Reader(at, language), marks=pytest.mark.xdist_group(f"pages of {at}-{language}"))
    for at in demos()
    for language in (at.languages if pictures_go_to() else at.languages[:1])
]


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


@pytest.mark.parametrize("reader", READERS, ids=str)
async def test_every_page_can_be_read_by_all_at_every_width(
    browser: Browser, portal_url: str, whole: Running, reader: Reader
) -> None:
    url = portal_url.replace(DEMO, reader.at.slug, 1)
    album = Album(prefix=f"{reader}-")
    context = await context_of(browser, locale=LOCALES[reader.language])
    page = await album.opened(context)
    await look_as_visitor(page, url, album, reader)
    await look_at_registration(page, url, album, reader)
    await whole.settled()
    await look_at_links(page, url, album, whole, reader)
    await look_as_customer(page, url, album, reader)
    await look_at_profile(page, url, album, whole, reader)
    await look_at_refusals(page, url, album, whole, reader)
    await context.close()
    assert not album.faults, "\n".join(album.faults)
    assert unseen(album) == set()


SPOIL = """(rule) => {
  document.querySelector("main").innerHTML = "<h1>Town</h1><label>Name <input></label>";
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`input { max-width: 100% } ${rule}`);
  document.adoptedStyleSheets = [sheet];
}"""
"""A page with one question, which a style sheet spoils in some circumstances."""

NAMELESS = "label { visibility: hidden } input { visibility: visible }"


@pytest.mark.xdist_group("journeys")
@pytest.mark.parametrize(
    ("spoilt", "faults"),
    [
        ("(width: 320px) { main { width: 900px } }", ["scrolls sideways at 320: 900 wide"]),
        (
            f"(width: {WIDE}px) {{ main {{ width: 60rem; max-width: none }} }}",
            [f"with text at 200 % scrolls sideways at {WIDE}: 1920 wide"],
        ),
        (
            f"(width: {NARROW}px) {{ {NAMELESS} }}",
            [f"at {NARROW}, {look}: label" for look in LOOKS],
        ),
        (
            "(prefers-color-scheme: dark) { main { color: #333 } }",
            [f"at {width}, dark: color-contrast" for width in (WIDE, NARROW)],
        ),
        (
            f"(prefers-color-scheme: dark) {{ {NAMELESS} }}",
            [f"at {width}, dark: label" for width in (WIDE, NARROW)],
        ),
        (
            f"(forced-colors: active) {{ {NAMELESS} }}",
            [f"at {width}, forced: label" for width in (WIDE, NARROW)],
        ),
    ],
)
async def test_what_is_wrong_with_a_page_is_seen_wherever_it_is(
    browser: Browser, portal_url: str, spoilt: str, faults: list[str]
) -> None:
    album = Album()
    context = await context_of(browser)
    page = await album.opened(context)
    await page.goto(portal_url)
    await page.evaluate(SPOIL, f"@media {spoilt}")
    await album.look(page, "spoilt")
    await context.close()
    assert [fault.partition(" [")[0] for fault in album.faults] == [
        f"spoilt {fault}" for fault in faults
    ]


async def send(page: Page, button: str) -> None:
    """Press that button of the page's content, and wait for the page that answers."""
    async with page.expect_navigation():
        await page.get_by_role("main").get_by_role("button", name=button, exact=True).click()


async def look_as_visitor(page: Page, url: str, album: Album, reader: Reader) -> None:
    say = reader.say
    for name, path in {
        "home": "/",
        "category": f"/categories/{reader.at.category}",
        "sign-in": "/sign-in",
        "sign-in-asked": f"/procedures/{reader.at.procedure_slug}",
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
    await send(page, say("Me connecter"))
    await album.look(page, "sign-in-empty")
    await sign_in(page, "personne", "pas le bon mot de passe", say=say)
    await album.look(page, "sign-in-refused")
    await page.goto(f"{url}/recovery/password")
    await send(page, say("Envoyer"))
    await album.look(page, "recovery-password-empty")


async def look_at_registration(page: Page, url: str, album: Album, reader: Reader) -> None:
    say = reader.say
    await page.goto(f"{url}/register")
    await album.look(page, "register")
    await send(page, say("Faire une demande en ligne"))
    await album.look(page, "register-without-tick")
    await page.get_by_label(say(TERMS)).check()
    await send(page, say("Faire une demande en ligne"))
    await album.look(page, "register-form")
    await send(page, say("Suivant"))
    await expect(page.locator("#error-summary")).to_be_visible()
    await album.look(page, "register-form-errors")
    await page.get_by_label(say("Nom de la ville *")).fill(LONG_TOWN)
    await page.get_by_label(say("Ville *", among="Post town"), exact=True).fill(LONG_TOWN)
    await page.get_by_label(say("Code postal *")).fill("51290")
    await page.get_by_label(say("M."), exact=True).check()
    await page.get_by_label(say("Nom de naissance *")).fill("d’Outrelépont de La Bruyère-Vauxelles")
    await page.get_by_label(say("Prénom *")).fill("Jean-Christophe-Alexandre")
    await page.get_by_label(say("Email *")).fill(reader.address)
    await send(page, say("Suivant"))
    await album.look(page, "register-recap")
    await send(page, say("Enregistrer la demande"))
    await album.look(page, "register-saved")
    await page.get_by_role("link", name=say("Retour à mes demandes")).click()
    await album.look(page, "sign-in-after-register")
    await page.go_back()
    await page.get_by_role("link", name=say("Voir et imprimer la demande")).click()
    await expect(page.get_by_role("main")).to_contain_text(say("Création de compte"))
    await album.look(page, "register-print")


async def look_at_links(page: Page, url: str, album: Album, whole: Running, reader: Reader) -> None:
    say = reader.say
    [mail] = await whole.mails_to(reader.address)
    link = link_in(mail)
    await page.goto(link)
    await album.look(page, "activate")
    await send(page, say("Valider et accéder à votre compte"))
    await album.look(page, "activate-errors")
    await activate(page, link, say=say)
    await album.look(page, "home-signed-in")
    await page.goto(link)
    await album.look(page, "link-used")
    database = whole.installation.runtimes["identity"].database
    tenant = whole.installation.gateway.tenants.at(f"{reader.at}.localhost")
    assert tenant is not None
    async with database.begin(tenant.tenant_id, COMMAND) as work:
        await invite_person(work, f"equipe-{reader}@portail.example")
    await whole.settled()
    [invitation] = await whole.mails_to(f"equipe-{reader}@portail.example")
    await page.goto(link_in(invitation))
    await album.look(page, "invitation")


async def look_as_customer(page: Page, url: str, album: Album, reader: Reader) -> None:
    say = reader.say
    await page.goto(url)
    await page.get_by_text(say("Mon compte"), exact=True).click()
    await album.look(page, "home-menu-open")
    for name, path in {
        "category-signed-in": f"/categories/{reader.at.category}",
        "profile": "/profile",
        "exchanges": "/exchanges",
        "requests": "/requests",
        "procedure": f"/procedures/{reader.at.procedure_slug}",
        "procedure-unknown": "/procedures/nothing",
        "request-unknown": "/requests/0191d1a0-0000-7000-8000-000000000000",
    }.items():
        await page.goto(url + path)
        await album.look(page, name)
    await page.goto(f"{url}/procedures/{reader.at.procedure_slug}")
    await send(page, say("Faire une demande en ligne"))
    await album.look(page, "form")
    await send(page, say("Suivant"))
    await expect(page.locator("#error-summary")).to_be_visible()
    await album.look(page, "form-errors")
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await page.get_by_role("button", name=say("Enregistrer le brouillon")).click()
    await page.goto(f"{url}/requests")
    await album.look(page, "requests-draft")
    await page.goto(f"{url}/procedures/{reader.at.procedure_slug}")
    await album.look(page, "procedure-draft")
    await send(page, say("Reprendre"))
    await expect(page.locator("form[data-draft]")).to_be_visible()
    await fill_all(page)
    await album.look(page, "form-filled")
    await send(page, say("Suivant"))
    await expect(page.locator("#error-summary")).to_have_count(0)
    await album.look(page, "form-step-2")
    if await page.get_by_role("button", name=say("Suivant"), exact=True).count():
        await to_the_recap(page, say=say)
    await album.look(page, "recap")
    await send(page, say("Enregistrer la demande"))
    await album.look(page, "saved")
    await page.get_by_role("link", name=say("Voir et imprimer la demande")).click()
    await album.look(page, "print")
    await page.goto(f"{url}/requests")
    await album.look(page, "requests-some")
    await page.get_by_role("link", name=re.compile(r"\d{4}-\d{6}")).first.click()
    await album.look(page, "request")
    await page.goto(f"{url}/procedures/{reader.at.procedure_slug}/form")
    await album.look(page, "form-opened-again")


async def look_at_profile(
    page: Page, url: str, album: Album, whole: Running, reader: Reader
) -> None:
    say = reader.say
    await page.goto(f"{url}/profile/identifier")
    username = await page.locator("#f-username").input_value()
    for name in ("details", "identifier", "password", "address", "language", "sessions"):
        await page.goto(f"{url}/profile/{name}")
        await album.look(page, f"profile-{name}")
    await page.goto(f"{url}/profile/password")
    await send(page, say("Enregistrer le nouveau mot de passe"))
    await album.look(page, "profile-password-errors")
    moved = f"nouvelle.{reader.address}"
    await page.goto(f"{url}/profile/address")
    await page.get_by_label(say("Nouveau courriel")).fill(moved)
    await page.get_by_label(say("Mot de passe actuel")).fill(PASSWORD)
    await send(page, say("Envoyer le lien"))
    await album.look(page, "profile-address-asked")
    await whole.settled()
    [confirmation] = await whole.mails_to(moved)
    await page.goto(link_in(confirmation))
    await album.look(page, "confirm-address")
    await send(page, say("Confirmer cette adresse"))
    await album.look(page, "confirm-address-done")
    await page.goto(f"{url}/recovery")
    await page.get_by_label(say("Mon mot de passe")).check()
    await expect(page.get_by_label(say("Votre courriel"))).to_be_visible()
    await album.look(page, "recovery-chosen")
    await page.get_by_label(say("Votre courriel")).fill(moved)
    await send(page, say("Envoyer"))
    await expect(page).to_have_url(re.compile("/recovery/sent"))
    await whole.settled()
    await page.goto(link_in((await whole.mails_to(moved, count=2))[0]))
    await album.look(page, "reset")
    await page.goto(f"{url}/profile/details")
    await page.context.clear_cookies()
    await send(page, say("Enregistrer"))
    await album.look(page, "sign-in-again")
    await sign_in(page, username, PASSWORD, say=say)
    await album.look(page, "given-back")


async def look_at_refusals(
    page: Page, url: str, album: Album, whole: Running, reader: Reader
) -> None:
    await page.goto(url)
    await sign_out(page, say=reader.say)
    await album.look(page, "signed-out")
    await page.goto(f"http://nobody.localhost:{whole.port}/")
    await album.look(page, "unknown-host")
    tenant = await whole.tenant(slug := f"closed-{reader}".lower())
    database = whole.installation.runtimes["identity"].database
    async with database.begin(tenant, COMMAND) as work:
        await suspend_tenant(work)
    await whole.settled()
    await page.goto(f"http://{slug}.localhost:{whole.port}/")
    await album.look(page, "suspended")
    async with database.begin(tenant, COMMAND) as work:
        await resume_tenant(work)
