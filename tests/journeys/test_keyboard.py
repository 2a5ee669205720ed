"""The journeys by the keyboard alone: Tab, Enter, Space and letters; one sees where one is."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.test_customer import PASSWORD, heading
from tests.support.browser import context_of
from tests.support.installation import Running, link_in
from tests.support.keyboard import Keyboard

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(300)]

ADDRESS = "clavier@saint-jean-de-monts.example"


async def test_every_journey_is_made_by_the_keyboard_alone(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    context = await context_of(browser)
    page = await context.new_page()
    keys = Keyboard(page)
    await page.goto(portal_url)
    await create_an_account(page, keys)
    await whole.settled()
    [mail] = await whole.mails_to(ADDRESS)
    await page.goto(link_in(mail))
    username = await activate(page, keys)
    await sign_out(page, keys)
    await sign_in(page, keys, username)
    await file_a_request(page, keys)
    await follow_it(page, keys)
    await change_the_profile(page, keys)
    await sign_out(page, keys)
    await recover(page, keys)
    await choose_the_theme(page, keys)
    await context.close()
    assert keys.unseen == []


async def create_an_account(page: Page, keys: Keyboard) -> None:
    """J1 and J2."""
    await keys.press(page.get_by_role("banner").get_by_role("link", name="Créer mon compte"))
    await keys.press(page.get_by_role("main").get_by_role("link", name="Créer mon compte"))
    terms = page.get_by_label("J'accepte les conditions générales d'utilisation du service")
    await keys.press(terms, "Space")
    await keys.press(page.get_by_role("button", name="Faire une demande en ligne"))
    # One goes on with nothing answered: the summary has the focus, its links lead to the fields.
    await keys.press(page.get_by_role("button", name="Suivant"))
    await expect(page.locator("#error-summary")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Nom de la ville *")).to_be_focused()
    await page.keyboard.type("Saint-Jean-de-Monts")
    await keys.type(page.get_by_label("Ville *", exact=True), "Saint-Jean-de-Monts")
    await keys.type(page.get_by_label("Code postal *"), "85160")
    await keys.press(page.get_by_label("Mme"), "Space")
    await keys.type(page.get_by_label("Nom de naissance *"), "Dupré")
    await keys.type(page.get_by_label("Prénom *"), "Anne-Cécile")
    await keys.type(page.get_by_label("Email *"), ADDRESS)
    await keys.press(page.get_by_role("button", name="Suivant"))
    await expect(heading(page)).to_contain_text("Informations de la demande")
    await keys.press(page.get_by_role("button", name="Enregistrer la demande"), "Space")
    await keys.press(page.get_by_role("link", name="Fermer"))
    await expect(page.get_by_role("link", name="Fermer")).to_have_count(0)
    await expect(page.get_by_role("main")).to_be_focused()


async def activate(page: Page, keys: Keyboard) -> str:
    """J3. Answers the identifier."""
    username = await page.get_by_label("Votre identifiant de connexion").input_value()
    await keys.type(page.get_by_label("Mot de passe", exact=False).first, PASSWORD)
    await keys.type(page.get_by_label("Répéter votre mot de passe"), PASSWORD)
    await keys.press(page.get_by_role("button", name="Valider et accéder à votre compte"))
    await expect(heading(page)).to_have_text("Sélectionnez un service")
    return username


async def sign_in(page: Page, keys: Keyboard, username: str) -> None:
    """J4, at the procedure that one wants to open."""
    main = page.get_by_role("main")
    await keys.press(main.get_by_role("link", name="Assistance YPolice"))
    await keys.type(main.get_by_label("Identifiant :"), username)
    await keys.type(main.get_by_label("Mot de passe :"), PASSWORD)
    await page.keyboard.press("Enter")
    await expect(heading(page)).to_have_text("Assistance YPolice")


async def file_a_request(page: Page, keys: Keyboard) -> None:
    """J6."""
    await keys.press(page.get_by_role("button", name="Faire une demande en ligne"))
    await expect(page.get_by_role("button", name="Suivant")).to_be_visible()
    for _ in range(12):
        async with page.expect_navigation():
            await keys.answer_all(page.get_by_role("button", name="Suivant"))
        if "Informations" in await heading(page).inner_text():
            break
    await expect(heading(page)).to_contain_text("Informations de la demande")
    await keys.press(page.get_by_role("button", name="Enregistrer la demande"))
    await expect(page.get_by_text(re.compile(r"La demande .* a été enregistrée"))).to_be_visible()


async def follow_it(page: Page, keys: Keyboard) -> None:
    """J7, as far as it goes."""
    await keys.press(page.get_by_role("banner").get_by_role("link", name="Mes demandes"))
    number = page.get_by_role("link", name=re.compile(r"\d{4}-\d{6}")).first
    await keys.press(number)
    await keys.press(page.get_by_role("link", name="Voir et imprimer la demande"))
    await expect(page.get_by_role("main")).to_contain_text("Assistance YPolice")
    await keys.press(page.get_by_role("link", name=re.compile("Retour")))


async def change_the_profile(page: Page, keys: Keyboard) -> None:
    """J8: details, then the password."""
    main = page.get_by_role("main")
    await keys.press(page.get_by_text("Mon compte", exact=True))
    await keys.press(page.get_by_role("link", name="Mon profil"))
    await keys.press(main.get_by_role("link", name="Modifier mes coordonnées"))
    await keys.type(main.get_by_label("Téléphone"), "02 40 11 22 33")
    await keys.press(main.get_by_role("button", name="Enregistrer"))
    await expect(main).to_contain_text(re.compile("02 ?40 ?11 ?22 ?33"))
    await keys.press(main.get_by_role("link", name="Modifier mon mot de passe"))
    await keys.type(main.get_by_label("Mot de passe actuel"), PASSWORD)
    await keys.press(main.get_by_role("button", name="Enregistrer le nouveau mot de passe"))
    await expect(page.locator("#error-summary")).to_be_focused()
    await keys.type(main.get_by_label("Mot de passe actuel"), PASSWORD)
    await keys.type(main.get_by_label("Nouveau mot de passe"), f"{PASSWORD} encore")
    await keys.type(main.get_by_label("Répéter votre mot de passe"), f"{PASSWORD} encore")
    await keys.press(main.get_by_role("button", name="Enregistrer le nouveau mot de passe"))
    await expect(heading(page)).to_have_text("Mon profil")


async def sign_out(page: Page, keys: Keyboard) -> None:
    """J8: the menu opens and closes by keys."""
    menu = page.get_by_text("Mon compte", exact=True)
    profile = page.get_by_role("link", name="Mon profil")
    await keys.press(menu)
    await expect(profile).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(profile).not_to_be_visible()
    await page.keyboard.press("Enter")
    await keys.press(page.get_by_role("button", name="Déconnexion"))
    await expect(
        page.get_by_role("banner").get_by_role("link", name="Me connecter")
    ).to_be_visible()


async def recover(page: Page, keys: Keyboard) -> None:
    """J5."""
    await keys.press(page.get_by_role("banner").get_by_role("link", name="Me connecter"))
    await keys.press(page.get_by_role("link", name="Mot de passe ou identifiant oublié ?"))
    await keys.press(page.get_by_label("Mon identifiant"), "Space")
    await keys.type(page.get_by_label("Votre courriel"), ADDRESS)  # which that choice has shown
    await keys.press(page.get_by_role("button", name="Envoyer"))
    await expect(heading(page)).to_contain_text("Un courriel est en route")


async def choose_the_theme(page: Page, keys: Keyboard) -> None:
    """The choices in the footer and in the masthead are buttons as well."""
    await keys.press(page.get_by_role("button", name="Sombre"))
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await keys.press(page.get_by_role("button", name="English"))
    await expect(page.locator("html")).to_have_attribute("lang", "en")
