"""J8: what one changes of one's profile, what it ends and tells, and that nothing typed is lost."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from chassis import clock
from chassis.ids import new_id
from chassis.runtime import Runtime
from contracts.identity import (
    EmailChanged,
    EmailChangeRequested,
    PasswordChanged,
    ProfileChanged,
    SessionRevoked,
)
from contracts.links import Purpose
from services.identity.accounts.create_account import NewAccount, create_account
from services.identity.accounts.erase_account import erase_account
from services.identity.domain.attempts import MOST
from services.identity.domain.links import AGAIN_A_DAY
from services.identity.domain.recoveries import Loss
from services.identity.profile.lapse_address_change import (
    LapseAddressChange,
    lapse_address_change,
)
from services.identity.recovery.submit_recovery import submit_recovery
from services.identity.sessions import OpenedSession, open_session
from services.identity.tables import Account, EmailChange, Person, Reset, Session
from tests.builders.identity import PASSWORD, a_link, new_account
from tests.service.identity.browser import Browser, form_of, words_of
from tests.service.identity.conftest import Portal

SAVE = "Enregistrer"
SAVE_PASSWORD = "Enregistrer le nouveau mot de passe"
SEND_LINK = "Envoyer le lien"
CONFIRM = "Confirmer cette adresse"
END, END_OTHERS = "Fermer cette session", "Fermer toutes les autres sessions"
NEW = "neuf moulins tournent au vent"
OLD_ADDRESS, NEW_ADDRESS = "claire@givors.example", "secretariat@givors.example"


@pytest.fixture
async def account(portal: Portal) -> NewAccount:
    account = new_account()
    async with portal.begin() as work:
        await create_account(work, account)
    await portal.settle()
    return account


async def session_of(portal: Portal, account: NewAccount) -> OpenedSession:
    async with portal.begin() as work:
        return await open_session(work, account.account_id)


@pytest.fixture
async def own(portal: Portal, account: NewAccount) -> OpenedSession:
    """The session that its person is in."""
    return await session_of(portal, account)


@pytest.fixture
async def customer(portal: Portal, browser: Browser, own: OpenedSession) -> Browser:
    """The account's person, signed in."""
    return Browser.at(portal.runtime, portal.tenant, await browser.principal_of(own.cookie))


async def last_profile(portal: Portal) -> ProfileChanged:
    return (await portal.told(ProfileChanged))[-1]


@pytest.mark.parametrize(
    "path", ["", "/details", "/identifier", "/password", "/address", "/language", "/sessions"]
)
async def test_a_profile_is_its_persons(browser: Browser, customer: Browser, path: str) -> None:
    asked = await browser.get(f"/profile{path}")
    assert (asked.status_code, asked.headers["location"][:9]) == (303, "/sign-in?")
    shown = await customer.get(f"/profile{path}")
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"


async def test_the_profile_says_what_is_known(customer: Browser) -> None:
    words = words_of(await customer.get("/profile"))
    for told in ("Durand", "Claire", "givors", OLD_ADDRESS, "Français", "Une session est ouverte"):
        assert told in words


# ── Details ──────────────────────────────────────────────────────────────────────────────────────


async def test_details_are_kept_and_told_whole(
    portal: Portal, customer: Browser, account: NewAccount
) -> None:
    page = await customer.get("/profile/details")
    assert form_of(page, SAVE).asked == {
        "title": "Mme",
        "birth_name": "Durand",
        "first_name": "Claire",
        "phone": "",
    }
    done = await customer.press(
        page, SAVE, title="M.", birth_name="Durand-Roy", phone="04 72 00 00 00"
    )
    assert (done.status_code, done.headers["location"]) == (303, "/profile?done=details")
    shown = await customer.get("/profile?done=details")
    words = words_of(shown)
    assert "Vos coordonnées ont été enregistrées." in words
    assert "<bdi>04 72 00 00 00</bdi>" in shown.text
    assert "Durand-Roy Claire" in words  # over the menu too, though the token says otherwise
    told = await last_profile(portal)
    assert (told.title, told.birth_name, told.first_name) == ("M.", "Durand-Roy", "Claire")
    assert (told.phone, told.address, told.username) == ("0472000000", OLD_ADDRESS, "givors")
    assert (told.language, told.roles) == ("fr", ("customer",))
    assert told.account_id == account.account_id


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"birth_name": ""}, "Indiquez le nom de naissance."),
        ({"first_name": " "}, "Indiquez le prénom."),
        ({"title": "Dr"}, "Choisissez"),
        ({"phone": "12"}, "Indiquez un numéro de téléphone"),
    ],
)
async def test_bad_details_are_refused_and_kept(
    portal: Portal, customer: Browser, typed: dict[str, str], message: str
) -> None:
    before = await portal.told(ProfileChanged)
    page = await customer.get("/profile/details")
    sent = {"birth_name": "Durand-Roy", "first_name": "Anne", "phone": "0472000000", **typed}
    refused = await customer.press(page, SAVE, **sent)
    assert refused.status_code == 422
    assert message in words_of(refused)
    kept = form_of(refused, SAVE).values
    assert {key: kept[key] for key in ("birth_name", "first_name", "phone")} == {
        key: sent[key].strip() for key in ("birth_name", "first_name", "phone")
    }
    assert await portal.told(ProfileChanged) == before


# ── Identifier ───────────────────────────────────────────────────────────────────────────────────


async def test_one_signs_in_with_the_new_identifier(
    portal: Portal, browser: Browser, customer: Browser
) -> None:
    page = await customer.get("/profile/identifier")
    done = await customer.press(page, SAVE, username="Mairie  de Givors")
    assert (done.status_code, done.headers["location"]) == (303, "/profile?done=identifier")
    assert (await last_profile(portal)).username == "Mairie de Givors"
    for username, status in (("givors", 422), ("mairie de givors", 303)):
        signed_in = await browser.post("/sign-in", username=username, password=PASSWORD)
        assert signed_in.status_code == status
    again = await customer.press(page, SAVE, username="MAIRIE de Givors")  # one's own is free
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("username", "message"),
    [
        ("", "Indiquez l’identifiant"),
        ("ab", "3 à 64 caractères"),
        ("gi\u202evors", "3 à 64 caractères"),
        ("ACCUEIL", "déjà pris"),
    ],
)
async def test_a_bad_identifier_is_refused(
    portal: Portal, customer: Browser, username: str, message: str
) -> None:
    async with portal.begin() as work:
        await create_account(work, new_account(username="accueil"))
    page = await customer.get("/profile/identifier")
    refused = await customer.press(page, SAVE, username=username)
    assert refused.status_code == 422
    assert message in words_of(refused)
    assert form_of(refused, SAVE).values.get("username", "") == username


# ── Password ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_password_ends_the_other_sessions_and_voids_all_links(
    portal: Portal, browser: Browser, customer: Browser, account: NewAccount, own: OpenedSession
) -> None:
    other = await session_of(portal, account)
    async with portal.begin() as work:
        await submit_recovery(work, Loss("password", "", "givors", "fr"))
    await portal.settle()
    page = await customer.get("/profile/password")
    done = await customer.press(
        page, SAVE_PASSWORD, current_password=PASSWORD, password=NEW, password_again=NEW
    )
    assert (done.status_code, done.headers["location"]) == (303, "/profile?done=password")
    assert (await browser.look_up(own.cookie)).status_code == 200
    assert (await browser.look_up(other.cookie)).status_code == 404
    ended = await portal.only(SessionRevoked)
    assert (ended.scope, ended.scope_id) == ("session", other.id)
    told = await portal.only(PasswordChanged)
    assert (told.account_id, told.username, told.address) == (
        account.account_id,
        "givors",
        OLD_ADDRESS,
    )
    async with portal.begin() as work:
        reset = await work.find(Reset, Reset.account_id == account.account_id)
    assert reset is not None
    assert reset.voided_at is not None
    for password, status in ((PASSWORD, 422), (NEW, 303)):
        signed_in = await browser.post("/sign-in", username="givors", password=password)
        assert signed_in.status_code == status


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"current_password": ""}, "Indiquez votre mot de passe actuel."),
        ({"current_password": PASSWORD[::-1]}, "Ce n’est pas votre mot de passe actuel."),
        ({"password": "bref", "password_again": "bref"}, "au moins 12 caractères"),
        ({"password_again": "autre chose"}, "Les deux mots de passe diffèrent"),
        ({"password": "claire durand givors", "password_again": ""}, "Saisissez"),
        (
            {"password": "claire durand", "password_again": "claire durand"},
            "trop facile à deviner",
        ),
    ],
)
async def test_a_bad_change_of_password_changes_nothing(
    portal: Portal, customer: Browser, account: NewAccount, typed: dict[str, str], message: str
) -> None:
    page = await customer.get("/profile/password")
    sent = {"current_password": PASSWORD, "password": NEW, "password_again": NEW, **typed}
    refused = await customer.press(page, SAVE_PASSWORD, **sent)
    assert refused.status_code == 422
    assert message in words_of(refused)
    assert PASSWORD not in refused.text
    assert NEW not in refused.text
    row = await portal.row(Account, account.account_id)
    assert row.password_hash == account.password_hash


async def test_the_current_password_can_be_guessed_a_few_times_only(customer: Browser) -> None:
    page = await customer.get("/profile/password")
    sent = {"password": NEW, "password_again": NEW}
    for _ in range(MOST):
        await customer.press(page, SAVE_PASSWORD, current_password="pas lui", **sent)
    right = await customer.press(page, SAVE_PASSWORD, current_password=PASSWORD, **sent)
    assert right.status_code == 422
    assert "attendez un quart d’heure" in words_of(right)
    there = await customer.get("/profile/address")
    right = await customer.press(there, SEND_LINK, email=NEW_ADDRESS, current_password=PASSWORD)
    assert right.status_code == 422
    assert form_of(right, SEND_LINK).values["email"] == NEW_ADDRESS


async def test_of_two_changes_at_once_one_is_made(
    portal: Portal, customer: Browser, account: NewAccount
) -> None:
    def change(password: str):  # type: ignore[no-untyped-def]
        return customer.post(
            "/profile/password",
            current_password=PASSWORD,
            password=password,
            password_again=password,
        )

    answers = await asyncio.gather(change(NEW), change("douze lampes restent allumées"))
    assert sorted(one.status_code for one in answers) == [303, 422]
    assert len(await portal.told(PasswordChanged)) == 1


# ── Address ──────────────────────────────────────────────────────────────────────────────────────


async def asks(customer: Browser, portal: Portal, address: str = NEW_ADDRESS) -> str:
    """A new address is asked for, and the link minted that its mail will hold."""
    page = await customer.get("/profile/address")
    done = await customer.press(page, SEND_LINK, email=address, current_password=PASSWORD)
    assert (done.status_code, done.headers["location"]) == (303, "/profile?done=address")
    asked = (await portal.told(EmailChangeRequested))[-1]
    assert asked.address == address
    return link_of(portal, asked)


def link_of(portal: Portal, asked: EmailChangeRequested, **changes: object) -> str:
    key = portal.runtime.keys.signing_key("notifier")
    return a_link(
        key, Purpose.EMAIL_CHANGE, asked.change_id, portal.tenant, asked.address, **changes
    )


async def test_an_address_changes_once_the_new_one_has_confirmed(
    portal: Portal, browser: Browser, customer: Browser, account: NewAccount
) -> None:
    link = await asks(customer, portal)
    words = words_of(await customer.get("/profile?done=address"))
    assert "Un courriel part à la nouvelle adresse." in words
    assert OLD_ADDRESS in words
    assert f"par le lien qui y a été envoyé : {NEW_ADDRESS}" in words
    path = f"/confirm-address?link={link}"
    for method in ("GET", "HEAD") * 10:
        assert (await browser.send(method, path)).status_code == 200
    assert (await portal.row(Person, account.person_id)).address == OLD_ADDRESS

    page = await browser.get(path)  # in whichever browser mail is read
    assert NEW_ADDRESS in words_of(page)
    done = await browser.press(page, CONFIRM)
    assert (done.status_code, done.headers["location"]) == (303, "/confirm-address/done")
    assert "Vos courriels vont désormais" in words_of(await browser.get("/confirm-address/done"))
    row = await portal.row(Person, account.person_id)
    assert (row.address, row.address_key) == (NEW_ADDRESS, NEW_ADDRESS)
    told = await portal.only(EmailChanged)
    assert (told.old_address, told.new_address) == (OLD_ADDRESS, NEW_ADDRESS)
    assert (told.account_id, told.person_id) == (account.account_id, account.person_id)
    assert (await last_profile(portal)).address == NEW_ADDRESS
    assert "reste à confirmer" not in words_of(await customer.get("/profile"))
    refused = await browser.post("/confirm-address", link=link)
    assert refused.status_code == 410
    assert "il ne reste rien à faire" in words_of(refused)


async def test_of_several_addresses_one_is_confirmed(
    portal: Portal, browser: Browser, customer: Browser, account: NewAccount
) -> None:
    first = await asks(customer, portal)
    second = await asks(customer, portal, "autre@givors.example")
    answers = await asyncio.gather(
        *(browser.post("/confirm-address", link=one) for one in (first, second, first, second))
    )
    assert sorted(one.status_code for one in answers) == [303, 410, 410, 410]
    assert len(await portal.told(EmailChanged)) == 1


async def test_a_link_to_an_address_that_does_not_serve_is_refused(
    portal: Portal,
    another_portal: Portal,
    identity: Runtime,
    browser: Browser,
    customer: Browser,
    account: NewAccount,
) -> None:
    link = await asks(customer, portal)
    asked = await portal.only(EmailChangeRequested)
    late = -int(timedelta(hours=24, minutes=3).total_seconds())
    key = portal.runtime.keys.signing_key("notifier")
    for refused, status in (
        (link_of(portal, asked, sent_s=late), 410),
        (link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB"), 403),
        (a_link(key, Purpose.RESET, asked.change_id, portal.tenant, NEW_ADDRESS), 403),
        (a_link(key, Purpose.EMAIL_CHANGE, new_id(), portal.tenant, NEW_ADDRESS), 410),
        (a_link(key, Purpose.EMAIL_CHANGE, asked.change_id, portal.tenant, OLD_ADDRESS), 410),
    ):
        opened = await browser.get(f"/confirm-address?link={refused}")
        assert opened.status_code == status
        assert 'href="/profile/address"' in opened.text
        assert (await browser.post("/confirm-address", link=refused)).status_code == status
    there = Browser.at(identity, another_portal.tenant)
    assert (await there.post("/confirm-address", link=link)).status_code == 403
    async with portal.begin() as work:
        await lapse_address_change(work, LapseAddressChange(change_id=asked.change_id))
    assert await portal.row(EmailChange, asked.change_id) is None
    assert (await browser.post("/confirm-address", link=link)).status_code == 410
    assert (await portal.row(Person, account.person_id)).address == OLD_ADDRESS


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"email": ""}, "Indiquez votre nouveau courriel."),
        ({"email": "secretariat"}, "Indiquez une adresse mail complète"),
        ({"email": OLD_ADDRESS.upper()}, "Vos mails vont déjà à cette adresse."),
        ({"current_password": "pas lui"}, "Ce n’est pas votre mot de passe actuel."),
    ],
)
async def test_a_bad_change_of_address_asks_nobody(
    portal: Portal, customer: Browser, typed: dict[str, str], message: str
) -> None:
    page = await customer.get("/profile/address")
    sent = {"email": NEW_ADDRESS, "current_password": PASSWORD, **typed}
    refused = await customer.press(page, SEND_LINK, **sent)
    assert refused.status_code == 422
    assert message in words_of(refused)
    assert form_of(refused, SEND_LINK).values.get("email", "") == sent["email"]
    assert await portal.told(EmailChangeRequested) == []


async def test_nobodys_mailbox_is_filled(portal: Portal, customer: Browser) -> None:
    for number in range(AGAIN_A_DAY):
        await asks(customer, portal, f"boite-{number}@givors.example")
    page = await customer.get("/profile/address")
    refused = await customer.press(page, SEND_LINK, email=NEW_ADDRESS, current_password=PASSWORD)
    assert refused.status_code == 422
    assert "déjà demandé plusieurs nouvelles adresses" in words_of(refused)
    assert len(await portal.told(EmailChangeRequested)) == AGAIN_A_DAY


# ── Language and sessions ────────────────────────────────────────────────────────────────────────


async def test_a_language_is_one_of_the_tenants(
    portal: Portal, browser: Browser, customer: Browser, own: OpenedSession
) -> None:
    page = await customer.get("/profile/language")
    assert form_of(page, SAVE).asked == {"language": "fr"}
    done = await customer.press(page, SAVE)
    assert (done.status_code, done.headers["location"]) == (303, "/profile?done=language")
    assert "guichet-language=fr" in done.headers["set-cookie"]
    assert (await last_profile(portal)).language == "fr"
    assert (await browser.look_up(own.cookie)).json()["language"] == "fr"
    for language in ("en", "tlh", ""):
        refused = await customer.press(page, SAVE, language=language)
        assert refused.status_code == 422
        assert "set-cookie" not in refused.headers


async def test_sessions_are_seen_and_ended_one_by_one(
    portal: Portal, browser: Browser, customer: Browser, account: NewAccount, own: OpenedSession
) -> None:
    others = [await session_of(portal, account) for _ in range(3)]
    async with portal.begin() as work:
        await work.db.execute(
            update(Session)
            .where(Session.id == others[0].id)
            .values(browser="Firefox", system="Windows", seen_at=clock.now() - timedelta(hours=1))
        )
    page = await customer.get("/profile/sessions")
    words = words_of(page)
    assert "Firefox sous Windows" in words
    assert words.count("Navigateur inconnu") == 3
    assert words.index("Ce navigateur") < words.index("Firefox sous Windows")
    assert words.count(END) == 3
    path = f"/profile/sessions/{others[0].id}/end"
    assert f'action="{path}"' in page.text
    for _ in range(2):  # pressed twice
        done = await customer.post(path)
        assert (done.status_code, done.headers["location"]) == (303, "/profile/sessions")
    assert (await browser.look_up(others[0].cookie)).status_code == 404
    assert (await browser.look_up(others[1].cookie)).status_code == 200
    assert "Firefox" not in words_of(await customer.get("/profile/sessions"))

    await customer.press(await customer.get("/profile/sessions"), END_OTHERS)
    for session in others[1:]:
        assert (await browser.look_up(session.cookie)).status_code == 404
    assert (await browser.look_up(own.cookie)).status_code == 200
    words = words_of(await customer.get("/profile/sessions"))
    assert END not in words
    assert END_OTHERS not in words
    ended = await portal.told(SessionRevoked)
    assert [one.scope for one in ended] == ["session"] * 3
    assert {one.scope_id for one in ended} == {one.id for one in others}


async def test_sessions_that_outlived_themselves_are_not_seen(
    portal: Portal, customer: Browser, account: NewAccount
) -> None:
    old = await session_of(portal, account)
    async with portal.begin() as work:
        await work.db.execute(
            update(Session)
            .where(Session.id == old.id)
            .values(seen_at=clock.now() - timedelta(hours=13))
        )
    assert "Navigateur inconnu" in words_of(await customer.get("/profile/sessions"))
    assert END not in words_of(await customer.get("/profile/sessions"))


async def test_nobody_ends_anothers_session(
    portal: Portal, browser: Browser, customer: Browser
) -> None:
    other = new_account(username="accueil")
    async with portal.begin() as work:
        await create_account(work, other)
    theirs = await session_of(portal, other)
    for session_id in (theirs.id, new_id()):
        done = await customer.post(f"/profile/sessions/{session_id}/end")
        assert (done.status_code, done.headers["location"]) == (303, "/profile/sessions")
    assert (await browser.look_up(theirs.cookie)).status_code == 200


async def test_an_erased_account_changes_nothing_more(
    portal: Portal, customer: Browser, account: NewAccount
) -> None:
    """Its session may be known for a moment longer elsewhere."""
    pages = {
        path: await customer.get(f"/profile/{path}")
        for path in ("details", "identifier", "language", "sessions")
    }
    async with portal.begin() as work:
        await erase_account(work, account.account_id)
    for path in ("details", "identifier", "language"):
        answer = await customer.press(pages[path], SAVE)
        assert answer.status_code == 404
    row = await portal.row(Person, account.person_id)
    assert (row.birth_name, row.address, row.phone) == ("", "", None)
    assert (await portal.row(Account, account.account_id)).username is None
