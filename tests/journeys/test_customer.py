"""A town's way from the vendor's portal to its first request (J1–J4 and J6)."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.installation import Running, link_in

pytestmark = pytest.mark.xdist_group("journeys")

TOWN = "Saint-Jean-de-Monts"
ADDRESS = "mairie@saint-jean-de-monts.example"
PASSWORD = "une phrase bien longue 7"


async def register(page: Page, address: str = ADDRESS, town: str = TOWN) -> None:
    """J2: from the home page to the saved page."""
    await page.get_by_role("banner").get_by_role("link", name="Créer mon compte").click()
    await expect(page).to_have_title(re.compile("Me connecter ou créer mon compte"))
    await page.get_by_role("main").get_by_role("link", name="Créer mon compte").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Création de compte")
    await expect(page.get_by_text("Cette démarche prend 3 minutes")).to_be_visible()
    await page.get_by_label("J'accepte les conditions générales d'utilisation du service").check()
    await page.get_by_role("button", name="Faire une demande en ligne").click()
    await page.get_by_label("Nom de la ville *").fill(town)
    await page.get_by_label("Ville *", exact=True).fill(town)
    await page.get_by_label("Code postal *").fill("85160")
    await page.get_by_label("Mme").check()
    await page.get_by_label("Nom de naissance *").fill("Dupré")
    await page.get_by_label("Prénom *").fill("Anne-Cécile")
    await page.get_by_label("Email *").fill(address)
    await page.get_by_role("button", name="Suivant").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Informations de la demande")
    await expect(page.get_by_role("main")).to_contain_text("Demandeur : Nouvel utilisateur")
    await page.get_by_role("button", name="Enregistrer la demande").click()


async def activate(page: Page, link: str, password: str = PASSWORD) -> str:
    """J3: from the mailed link to the signed-in home page. Answers the proposed identifier."""
    await page.goto(link)
    await expect(
        page.get_by_text("Pour finaliser l'activation de votre compte, vous pouvez modifier votre")
    ).to_be_visible()
    proposed = await page.get_by_label("Votre identifiant de connexion").input_value()
    await page.get_by_label("Mot de passe", exact=False).first.fill(password)
    await page.get_by_label("Répéter votre mot de passe").fill(password)
    await page.get_by_role("button", name="Valider et accéder à votre compte").click()
    return proposed


async def sign_in(page: Page, username: str, password: str) -> None:
    """J4, on the sign-in page."""
    await page.get_by_label("Identifiant").fill(username)
    await page.get_by_label("Mot de passe").fill(password)
    await page.get_by_role("button", name="Me connecter").click()


async def sign_out(page: Page) -> None:
    await page.get_by_text("Mon compte").click()
    await page.get_by_role("button", name="Déconnexion").click()


async def test_a_town_registers_activates_signs_in_and_files_a_request(
    portal: Page, whole: Running
) -> None:
    page = portal
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sélectionnez un service")
    await register(page)
    await expect(
        page.get_by_text("La demande Création de compte a été enregistrée.")
    ).to_be_visible()
    await expect(page.get_by_role("link", name="Me connecter")).to_be_visible()

    await page.get_by_role("link", name="Voir et imprimer la demande").click()
    await expect(page.get_by_role("main")).to_contain_text("Création de compte")
    await expect(page.get_by_role("main")).to_contain_text("Anne-Cécile")

    await whole.settled()
    [mail] = await whole.mails_to(ADDRESS)
    assert mail["Subject"] == "Création du compte usager"
    proposed = await activate(page, link_in(mail))
    assert proposed == "saint-jean-de-monts"
    card = page.get_by_role("banner")
    await expect(card).to_contain_text("Dupré")
    await expect(card).to_contain_text("Anne-Cécile")
    for name in ("Échanges", "Mes demandes"):
        await expect(card.get_by_role("link", name=name)).to_be_visible()

    await sign_out(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sélectionnez un service")
    await page.get_by_role("link", name="Anomalie - logiciel YPolice").click()
    await expect(page).to_have_title(re.compile("Me connecter"))
    await sign_in(page, proposed, "pas le bon mot de passe")
    await expect(page.get_by_role("alert")).to_be_visible()
    await sign_in(page, proposed, PASSWORD)

    # The procedure that was chosen before; its terms were accepted with the account.
    await expect(page.get_by_role("heading", level=1)).to_have_text("Anomalie - logiciel YPolice")
    await page.get_by_role("button", name="Faire une demande en ligne").click()
    await expect(page.get_by_label("Adresse mail")).to_have_value(ADDRESS)
    await fill_all(page)
    await page.get_by_role("button", name="Suivant").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Informations de la demande")
    await page.get_by_role("button", name="Modifier les informations").first.click()
    await expect(page.get_by_label("Adresse mail")).to_have_value(ADDRESS)
    await page.get_by_role("button", name="Suivant").click()
    await page.get_by_role("button", name="Enregistrer la demande").click()
    banner = page.get_by_text(
        re.compile(r"La demande Anomalie - logiciel YPolice .*a été enregistrée\.")
    )
    await expect(banner).to_be_visible()
    number = re.search(r"\d{4}-\d{6}", await page.get_by_role("main").inner_text())
    assert number is not None

    await page.get_by_role("link", name="Voir et imprimer la demande").click()
    await expect(page.get_by_role("main")).to_contain_text(number[0])
    await page.go_back()
    await page.get_by_role("banner").get_by_role("link", name="Mes demandes").click()
    await expect(page.get_by_role("main")).to_contain_text(number[0])
    await expect(page.get_by_role("main")).to_contain_text("Création de compte")
    await whole.settled()
    newest = (await whole.mails_to(ADDRESS, count=2))[0]
    assert number[0] in newest.as_string() or number[0] in str(newest["Subject"])


async def fill_all(page: Page) -> None:
    """Answer whatever the form still lacks, as its fields ask."""
    form = page.get_by_role("main").locator("form")
    for area in await form.locator("textarea").all():
        if not await area.input_value():
            await area.fill("La page reste blanche.\nUn message s’affiche ensuite.")
    for box in await form.locator("select").all():
        await box.select_option(index=1)
    radios = form.locator("input[type=radio]")
    names = {await one.get_attribute("name") for one in await radios.all()}
    for name in names:
        await form.locator(f"input[type=radio][name={name}]").first.check()
    for field in await form.locator("input:not([type=hidden]):not([type=radio])").all():
        kind = await field.get_attribute("type") or "text"
        if kind == "checkbox" or await field.input_value():
            continue
        await field.fill(
            {
                "tel": "04 72 00 00 00",
                "email": ADDRESS,
                "date": "2026-11-02",
                "number": "3",
            }.get(kind, "3")
        )
