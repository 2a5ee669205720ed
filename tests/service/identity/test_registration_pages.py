"""J2: introduction, form, recap, saved; nothing typed is lost."""

import re

from chassis import clock, signatures
from contracts.identity import AccountRegistered, AddressAlreadyKnown, RegistrationSubmitted
from contracts.links import Purpose
from services.identity.accounts.create_account import create_account
from services.identity.tables import Registration
from tests.builders.identity import a_link, new_account
from tests.service.identity.browser import VISITOR, Browser, words_of
from tests.service.identity.conftest import Portal

TYPED = {
    "town_name": "Givors",
    "city": "Givors",
    "postcode": "69700",
    "title": "Mme",
    "birth_name": "Durand",
    "first_name": "Claire",
    "email": "mairie@givors.example",
}


async def at_the_recap(browser: Browser, **typed: str):  # type: ignore[no-untyped-def]
    page = await browser.get("/register")
    page = await browser.press(page, "Faire une demande en ligne", accepted="yes")
    page = await browser.get(page.headers["location"])
    return await browser.press(page, "Suivant", **{**TYPED, **typed})


async def test_the_introduction_says_what_begins(browser: Browser) -> None:
    page = await browser.get("/register")
    words = words_of(page)
    assert "Création de compte" in words
    assert "Création de votre compte." in words
    assert "Cette démarche prend 3 minutes" in words
    assert "J'accepte les conditions générales d'utilisation du service" in words


async def test_without_the_tick_a_clear_message_and_no_form(browser: Browser) -> None:
    page = await browser.press(await browser.get("/register"), "Faire une demande en ligne")
    assert page.status_code == 422
    assert "<title>Erreur\u00a0: Création de compte" in page.text
    assert "cochez la case qui accepte les conditions d’utilisation" in words_of(page)
    assert (await browser.get("/register/form")).headers["location"] == "/register"


async def test_the_form_asks_by_the_manuals_labels(browser: Browser) -> None:
    page = await browser.get("/register")
    page = await browser.press(page, "Faire une demande en ligne", accepted="yes")
    words = words_of(await browser.get(page.headers["location"]))
    for label in (
        "Nom de la ville *",
        "Adresse de la ville Ville *",
        "Code postal *",
        "Coordonnées du responsable",
        "Civilité *",
        "Nom de naissance *",
        "Prénom *",
        "Email *",
        "*Tous les champs sont obligatoires",
        "Annuler la demande",
    ):
        assert label in words


async def test_a_bad_form_comes_back_with_all_that_was_typed(browser: Browser) -> None:
    page = await at_the_recap(browser, postcode="692", email="mairie@", first_name="")
    assert page.status_code == 422
    words = words_of(page)
    assert "Indiquez le code postal en cinq chiffres." in words
    assert "Indiquez le prénom." in words
    assert "Indiquez une adresse mail complète" in words
    assert 'value="692"' in page.text
    assert 'value="Durand"' in page.text
    assert 'value="mairie@"' in page.text


async def test_the_recap_shows_the_answers_and_leads_back_to_them(browser: Browser) -> None:
    page = await at_the_recap(browser)
    words = words_of(page)
    assert "Informations de la demande" in words
    assert "Ville Profil Nom de la ville Givors" in words
    assert "Coordonnées du responsable Demandeur : Nouvel utilisateur" in words
    page = await browser.press(page, "Modifier les informations", _step="edit")
    assert page.status_code == 200
    for value in ("Givors", "69700", "Durand", "mairie@givors.example"):
        assert f'value="{value}"' in page.text
    assert 'value="Mme" checked' in page.text


async def test_saving_leads_to_the_banner_and_the_handle(browser: Browser, portal: Portal) -> None:
    page = await browser.press(await at_the_recap(browser), "Enregistrer la demande")
    assert page.status_code == 303
    saved = await browser.get(page.headers["location"])
    words = words_of(saved)
    assert "La demande Création de compte a été enregistrée." in words
    assert "Retour à mes demandes" in words
    assert "Voir et imprimer la demande" in words
    (handle,) = re.findall(r'href="/requests/handle/([^"]+)"', saved.text)
    claims = signatures.read(portal.runtime.keys.public_keys("identity"), handle)
    submitted = await portal.only(RegistrationSubmitted)
    assert claims["r"] == str(submitted.request_id)
    assert (claims["p"], claims["t"], claims["b"]) == ("print", str(portal.tenant), "one")
    assert 3500 < claims["u"] - clock.now().timestamp() <= 3600
    assert submitted.title == {"en": "Account creation", "fr": "Création de compte"}
    assert submitted.sections[1].subtitle == {
        "en": "Requester: new user",
        "fr": "Demandeur\u00a0: Nouvel utilisateur",
    }
    assert "/sign-in?next=%2Frequests&amp;why=registration" in saved.text
    closed = re.findall(r'class="banner__close" href="([^"]+)"', saved.text)
    without = await browser.get(closed[0].replace("&amp;", "&"))
    assert "a été enregistrée" not in words_of(without)
    assert "Voir et imprimer la demande" in words_of(without)


async def test_pressing_save_twice_saves_once_and_shows_the_same(
    browser: Browser, portal: Portal
) -> None:
    recap = await at_the_recap(browser)
    pages = [await browser.press(recap, "Enregistrer la demande") for _ in range(2)]
    assert {page.status_code for page in pages} == {303}
    submitted = await portal.only(RegistrationSubmitted)
    kept = await portal.row(Registration, submitted.submission_id)
    assert (kept.terms_number, kept.browser) == (1, "one")


async def test_without_a_key_of_ours_the_recap_comes_again(
    browser: Browser, portal: Portal
) -> None:
    recap = await at_the_recap(browser)
    again = await browser.press(recap, "Enregistrer la demande", _key="1")
    assert again.status_code == 422
    assert await portal.told(RegistrationSubmitted) == []
    assert (await browser.press(again, "Enregistrer la demande")).status_code == 303


async def test_the_saved_page_is_this_browsers_alone(browser: Browser, portal: Portal) -> None:
    page = await browser.press(await at_the_recap(browser), "Enregistrer la demande")
    location = page.headers["location"]
    another = Browser.at(portal.runtime, portal.tenant, VISITOR.__class__(browser="another"))
    assert (await another.get(location)).status_code == 404
    assert (await browser.get(location[:-4] + "AAAA")).status_code == 404


async def test_answers_survive_an_acceptance_that_no_longer_counts(browser: Browser) -> None:
    page = await browser.post("/register/form", _terms="gone", **TYPED)
    assert page.status_code == 422
    assert "Votre saisie a été conservée" in words_of(page)
    form = await browser.press(page, "Faire une demande en ligne", accepted="yes")
    assert form.status_code == 200
    assert 'value="mairie@givors.example"' in form.text
    recap = await browser.press(form, "Suivant", title="Mme")
    assert "Informations de la demande" in words_of(recap)


async def test_known_and_unknown_addresses_get_the_same_answer(
    browser: Browser, portal: Portal
) -> None:
    async with portal.begin() as work:
        await create_account(work, new_account())
    pages = []
    for address in ("claire@givors.example", "sophie@givors.example"):
        saved = await browser.press(
            await at_the_recap(browser, email=address), "Enregistrer la demande"
        )
        page = await browser.get(saved.headers["location"])
        masked = re.sub(r"(handle[=/])[\w.~-]+", r"\1…", page.text)
        pages.append((saved.status_code, page.status_code, masked, sorted(page.headers)))
    assert pages[0] == pages[1]


async def test_a_further_account_comes_by_the_button_alone(
    browser: Browser, portal: Portal
) -> None:
    async with portal.begin() as work:
        await create_account(work, new_account())
    await browser.press(
        await at_the_recap(browser, email="claire@givors.example"), "Enregistrer la demande"
    )
    await portal.settle()
    told = await portal.only(AddressAlreadyKnown)
    token = a_link(
        portal.runtime.keys.signing_key("notifier"),
        Purpose.FURTHER_ACCOUNT,
        told.submission_id,
        portal.tenant,
        told.address,
    )
    for _ in range(3):
        page = await browser.get(f"/register/further?link={token}")
    assert len(await portal.told(AccountRegistered)) == 1  # the one that was there
    asked = await browser.press(page, "Créer un autre compte")
    assert asked.status_code == 303
    assert "Un autre compte vous attend" in words_of(await browser.get(asked.headers["location"]))
    assert len(await portal.told(AccountRegistered)) == 2
    again = await browser.press(page, "Créer un autre compte")
    assert again.status_code == 410
    assert "a déjà été utilisé" in words_of(again)
