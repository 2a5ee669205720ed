"""A town's way from the vendor's portal to its first request (J1–J4 and J6), in each language.

Labels are the manual's, in French; `Speech` says them in the language of the journey.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from guichet.demo_data import DEMO
from tests.support.browser import context_of
from tests.support.demo import Demo, demos
from tests.support.installation import Running, link_in
from tests.support.speech import Speech

pytestmark = [
    pytest.mark.xdist_group("journeys"),
    pytest.mark.timeout(180),
    pytest.mark.both_ways,
]

TOWN = "Saint-Jean-de-Monts"
PASSWORD = "une phrase bien longue 7"
FRENCH = Speech()
LOCALES = {"fr": "fr-FR", "en": "en-GB"}  # as browsers name what their people read


@dataclass(frozen=True)
class Way:
    """How a journey is made: at which tenant, in which language, with scripts or without."""

    at: Demo
    language: str
    scripts: bool

    def __str__(self) -> str:
        return f"{self.at}-{self.language}-{'scripts' if self.scripts else 'plain'}"

    @property
    def address(self) -> str:
        """The town's, of this journey alone."""
        return f"mairie@saint-jean-{self}.example"


def ways() -> list[Way]:
    """Every language of every tenant, with scripts and without."""
    return [Way(at, one, on) for at in demos() for one in at.languages for on in (True, False)]


def few() -> list[Way]:
    """Both tenants and languages, with scripts and without: the first, and one all unlike it."""
    first, *others = ways()
    unlike = (
        one
        for one in others
        if one.at != first.at and one.language != first.language and one.scripts != first.scripts
    )
    return [first, next(unlike)]


FEW = few()

# The parts as processes are the same for all languages: there, few ways show what all would.
EACH_WAY = [pytest.param(one, marks=() if one in FEW else pytest.mark.one_way) for one in ways()]


@pytest.fixture(params=EACH_WAY, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@pytest.fixture
async def page(browser: Browser, way: Way, portal_url: str, whole: Running) -> AsyncIterator[Page]:
    """The tenant's portal before somebody whose browser reads that language."""
    context = await context_of(browser, scripts=way.scripts, locale=LOCALES[way.language])
    page = await context.new_page()
    await page.goto(portal_url.replace(DEMO, way.at.slug, 1))
    yield page
    await context.close()


def heading(page: Page) -> Locator:
    """The page's one h1."""
    return page.get_by_role("heading", level=1)


async def register(page: Page, address: str, town: str = TOWN, *, say: Speech = FRENCH) -> None:
    """J2: from the home page to the saved page."""
    banner, main = page.get_by_role("banner"), page.get_by_role("main")
    await banner.get_by_role("link", name=say("Créer mon compte")).click()
    await expect(page).to_have_title(re.compile(re.escape(say("Me connecter ou créer mon compte"))))
    await main.get_by_role("link", name=say("Créer mon compte")).click()
    await expect(heading(page)).to_have_text(say("Création de compte"))
    await expect(
        page.get_by_text(say("Cette démarche prend %(num)d minutes", num=3))
    ).to_be_visible()
    await page.get_by_label(
        say("J'accepte les conditions générales d'utilisation du service")
    ).check()
    await page.get_by_role("button", name=say("Faire une demande en ligne")).click()
    await page.get_by_label(say("Nom de la ville *")).fill(town)
    await page.get_by_label(say("Ville *", among="Post town"), exact=True).fill(town)
    await page.get_by_label(say("Code postal *")).fill("85160")
    await page.get_by_label(say("Mme"), exact=True).check()
    await page.get_by_label(say("Nom de naissance *")).fill("Dupré")
    await page.get_by_label(say("Prénom *")).fill("Anne-Cécile")
    await page.get_by_label(say("Email *")).fill(address)
    await page.get_by_role("button", name=say("Suivant")).click()
    await expect(heading(page)).to_contain_text(say("Informations de la demande"))
    await expect(main).to_contain_text(say("Demandeur : Nouvel utilisateur"))
    await page.get_by_role("button", name=say("Enregistrer la demande")).click()


async def activate(page: Page, link: str, password: str = PASSWORD, *, say: Speech = FRENCH) -> str:
    """J3: from the mailed link to the signed-in home page. Answers the proposed identifier."""
    await page.goto(link)
    await expect(
        page.get_by_text(
            say(
                "Pour finaliser l'activation de votre compte, vous pouvez modifier votre"
                " identifiant de connexion et créer votre mot de passe."
            )
        )
    ).to_be_visible()
    proposed = await page.get_by_label(say("Votre identifiant de connexion")).input_value()
    await page.get_by_label(say("Mot de passe"), exact=False).first.fill(password)
    await page.get_by_label(say("Répéter votre mot de passe")).fill(password)
    async with page.expect_navigation():
        await page.get_by_role("button", name=say("Valider et accéder à votre compte")).click()
    return proposed


async def sign_in(page: Page, username: str, password: str, *, say: Speech = FRENCH) -> None:
    """J4, on the sign-in page."""
    main = page.get_by_role("main")
    await main.get_by_label(say("Identifiant :")).fill(username)
    await main.get_by_label(say("Mot de passe :")).fill(password)
    async with page.expect_navigation():
        await main.get_by_role("button", name=say("Me connecter")).click()


async def sign_out(page: Page, *, say: Speech = FRENCH) -> None:
    await page.get_by_text(say("Mon compte"), exact=True).click()
    async with page.expect_navigation():
        await page.get_by_role("button", name=say("Déconnexion")).click()


async def to_the_recap(page: Page, *, say: Speech = FRENCH) -> None:
    """Answer whatever the form asks, page by page."""
    for _ in range(12):
        await fill_all(page)
        async with page.expect_navigation():
            await page.get_by_role("button", name=say("Suivant"), exact=True).click()
        if say("Informations de la demande") in await heading(page).inner_text():
            return
    raise AssertionError("the form comes to no end")


async def test_a_town_registers_activates_signs_in_and_files_a_request(
    page: Page, way: Way, whole: Running
) -> None:
    say, chosen = Speech(way.language), Speech(way.language).shown(way.at.procedure)
    main, banner = page.get_by_role("main"), page.get_by_role("banner")
    await expect(page.locator("html")).to_have_attribute("lang", way.language)
    await expect(heading(page)).to_have_text(say("Sélectionnez un service"))
    await register(page, way.address, say=say)
    created = say("Création de compte")
    await expect(
        page.get_by_text(say("La demande %(title)s a été enregistrée.", title=created))
    ).to_be_visible()
    await expect(banner.get_by_role("link", name=say("Me connecter"))).to_be_visible()

    await page.get_by_role("link", name=say("Voir et imprimer la demande")).click()
    await expect(main).to_contain_text(created)
    await expect(main).to_contain_text("Anne-Cécile")

    await whole.settled()
    [mail] = await whole.mails_to(way.address)
    assert mail["Subject"] == say("Création du compte usager")
    proposed = await activate(page, link_in(mail), say=say)
    assert proposed.startswith("saint-jean-de-monts")
    await expect(banner).to_contain_text("Dupré")
    await expect(banner).to_contain_text("Anne-Cécile")
    for name in ("Échanges", "Mes demandes"):
        await expect(banner.get_by_role("link", name=say(name))).to_be_visible()

    await sign_out(page, say=say)
    await expect(heading(page)).to_have_text(say("Sélectionnez un service"))
    await main.get_by_role("link", name=chosen).click()
    await expect(page).to_have_title(re.compile(re.escape(say("Me connecter"))))
    await sign_in(page, proposed, "pas le bon mot de passe", say=say)
    await expect(main.get_by_role("alert")).to_be_visible()
    await sign_in(page, proposed, PASSWORD, say=say)

    # The procedure that was chosen before; its terms were accepted with the account.
    await expect(heading(page)).to_have_text(chosen)
    await page.get_by_role("button", name=say("Faire une demande en ligne")).click()
    known = main.locator("form input[type=email]")
    if await known.count():
        await expect(known).to_have_value(way.address)
    await to_the_recap(page, say=say)
    await page.get_by_role("button", name=say("Modifier les informations")).first.click()
    await expect(main.locator("form")).to_be_visible()
    await to_the_recap(page, say=say)
    await page.get_by_role("button", name=say("Enregistrer la demande")).click()
    saved = say("La demande %(title)s a été enregistrée.", title=chosen)
    await expect(page.get_by_text(saved)).to_be_visible()
    number = re.search(r"\d{4}-\d{6}", await main.inner_text())
    assert number is not None

    await page.get_by_role("link", name=say("Voir et imprimer la demande")).click()
    await expect(main).to_contain_text(number[0])
    await page.go_back()
    await banner.get_by_role("link", name=say("Mes demandes")).click()
    await expect(main).to_contain_text(number[0])
    await expect(main).to_contain_text(created)
    await whole.settled()
    newest = (await whole.mails_to(way.address, count=2))[0]
    assert number[0] in str(newest["Subject"])
    assert newest["Subject"] == say("La demande %(number)s a été enregistrée", number=number[0])


async def fill_all(page: Page) -> None:
    """Answer whatever the form still lacks, as its fields ask; what comes by an answer too."""
    form = page.get_by_role("main").locator("form").last
    for _ in range(3):  # what is chosen may bring up more to choose
        await choose(form)
    for area in await form.locator("textarea:visible").all():
        if not await area.input_value():
            await area.fill("La page reste blanche.\nUn message s’affiche ensuite.")
    typed = form.locator(
        "input:visible:not([type=hidden], [type=radio], [type=checkbox], [type=file])"
    )
    for field in await typed.all():
        if not await field.input_value():
            await field.fill(await something_for(field))


async def choose(form: Locator) -> None:
    """The first of whatever there is to choose from."""
    for box in await form.locator("select:visible").all():
        if not await box.input_value():
            await box.select_option(index=1)
    radios = form.locator("input[type=radio]:visible")
    for name in {await one.get_attribute("name") for one in await radios.all()}:
        group = form.locator(f'input[type=radio][name="{name}"]')
        if not await group.and_(form.locator(":checked")).count():
            await group.first.check()
    boxes = form.locator("input[type=checkbox]:visible")
    for name in {await one.get_attribute("name") for one in await boxes.all()}:
        await form.locator(f'input[type=checkbox][name="{name}"]').first.check()


async def something_for(field: Locator) -> str:
    """An answer of the kind that the input asks for."""
    name = await field.get_attribute("name") or ""
    if name.endswith("postcode"):
        return "85160"
    return {
        "tel": "04 72 00 00 00",
        "email": "mairie@saint-jean-de-monts.example",
        "date": "2024-11-04",
        "time": "10:30",
    }.get(
        await field.get_attribute("type") or "text",
        "3" if await field.get_attribute("inputmode") else "Réponse 3",
    )
