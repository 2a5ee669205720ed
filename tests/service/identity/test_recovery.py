"""J5: what was lost comes back by mail, and nobody learns who is known."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.runtime import Runtime
from contracts.identity import (
    ActivationRequested,
    InvitationRequested,
    PasswordChanged,
    PasswordResetRequested,
    RecoverySubmitted,
    SessionRevoked,
    UsernameReminderRequested,
)
from contracts.links import Purpose
from services.identity.accounts.create_account import NewAccount, create_account
from services.identity.accounts.erase_account import erase_account
from services.identity.accounts.invite_person import invite_person
from services.identity.domain.links import AGAIN_A_DAY, LAPSES_AFTER
from services.identity.domain.recoveries import Loss
from services.identity.hashing import matches
from services.identity.people import PersonFacts
from services.identity.recovery.lapse_recovery import LapseRecovery, lapse_recovery
from services.identity.recovery.submit_recovery import submit_recovery
from services.identity.registration.submit_registration import submit_registration
from services.identity.sessions import open_session
from services.identity.tables import Account, Recovery, Reset, Session
from tests.builders.identity import PASSWORD, a_link, filled, new_account
from tests.service.identity.browser import Browser, form_of, words_of
from tests.service.identity.conftest import Portal

SHARED = "accueil@givors.example"
SEND = "Envoyer"
SAVE = "Enregistrer le nouveau mot de passe"
NEW = "neuf moulins tournent au vent"
SENT = "Si un compte correspond à ce que vous avez indiqué, un courriel part"


async def given(portal: Portal, username: str, address: str = SHARED) -> NewAccount:
    """An active account of that identifier at that address."""
    account = new_account(
        username=username, person=PersonFacts("Mme", "Durand", "Claire", address, "fr")
    )
    async with portal.begin() as work:
        await create_account(work, account)
    await portal.settle()
    return account


@pytest.fixture
async def account(portal: Portal) -> NewAccount:
    return await given(portal, "accueil")


async def loses(portal: Portal, browser: Browser, lost: str, **typed: str) -> httpx.Response:
    """Say so on the pages; all that comes of it is handled."""
    page = await browser.get(f"/recovery/{lost}")
    done = await browser.press(page, SEND, **typed)
    await portal.settle()
    return done


async def a_reset(portal: Portal, username: str) -> PasswordResetRequested:
    """A link to a new password was asked for."""
    async with portal.begin() as work:
        await submit_recovery(work, Loss("password", "", username, "fr"))
    await portal.settle()
    return (await portal.told(PasswordResetRequested))[-1]


def link_of(portal: Portal, asked: PasswordResetRequested, **changes: object) -> str:
    return a_link(
        portal.runtime.keys.signing_key("notifier"),
        Purpose.RESET,
        asked.reset_id,
        portal.tenant,
        asked.address,
        **changes,
    )


async def resets(browser: Browser, link: str, password: str = NEW) -> httpx.Response:
    """Press the button of the link's page, as it was when it still served."""
    return await browser.post("/reset", link=link, password=password, password_again=password)


async def test_first_one_says_what_was_lost(browser: Browser) -> None:
    page = await browser.get("/recovery")
    words = words_of(page)
    assert "Mot de passe ou identifiant oublié ?" in words
    assert "Qu'avez-vous perdu ? *" in words
    assert 'type="email"' not in page.text
    assert "Contactez-nous" in words
    assert "04.72.26.06.86" in words
    for lost in ("username", "password"):
        done = await browser.press(page, SEND, lost=lost)
        assert (done.status_code, done.headers["location"]) == (303, f"/recovery/{lost}")
    refused = await browser.press(page, SEND)
    assert refused.status_code == 422
    assert "Choisissez ce que vous avez perdu." in words_of(refused)


async def test_the_fields_come_with_the_choice(browser: Browser) -> None:
    words = words_of(await browser.get("/recovery/username"))
    assert "Votre courriel *" in words
    assert "Votre nom d'utilisateur vous sera transmis par courriel." in words
    words = words_of(await browser.get("/recovery/password"))
    assert "Votre courriel — OU — Votre nom d'utilisateur" in words
    assert (
        "Un courriel vous sera envoyé afin de vous permettre de réinitialiser votre mot de passe."
        in words
    )
    assert (await browser.get("/recovery/both")).status_code == 404


@pytest.mark.parametrize(
    ("lost", "typed", "message"),
    [
        ("username", {}, "Indiquez votre courriel."),
        ("username", {"email": "accueil"}, "Indiquez une adresse mail complète"),
        ("password", {}, "Indiquez votre courriel ou votre nom d’utilisateur."),
        ("password", {"email": "@", "username": "accueil"}, "Indiquez une adresse mail complète"),
    ],
)
async def test_what_is_lacking_is_said_and_the_rest_kept(
    portal: Portal, browser: Browser, lost: str, typed: dict[str, str], message: str
) -> None:
    page = await loses(portal, browser, lost, **typed)
    assert page.status_code == 422
    assert message in words_of(page)
    for value in typed.values():
        assert f'value="{value}"' in page.text
    assert await portal.told(RecoverySubmitted) == []


async def test_a_shared_mailbox_is_told_every_identifier_of_it(
    portal: Portal, browser: Browser, account: NewAccount
) -> None:
    second = await given(portal, "etat-civil")
    await given(portal, "ailleurs", "ailleurs@givors.example")
    done = await loses(portal, browser, "username", email=SHARED.upper())
    assert (done.status_code, done.headers["location"]) == (303, "/recovery/sent")
    assert SENT in words_of(await browser.get("/recovery/sent"))
    told = await portal.only(UsernameReminderRequested)
    assert told.address == SHARED
    assert dict(zip(told.account_ids, told.usernames, strict=True)) == {
        account.account_id: "accueil",
        second.account_id: "etat-civil",
    }


@pytest.mark.parametrize(
    "typed",
    [
        {"email": SHARED},
        {"username": "ACCUEIL"},
        {"email": SHARED, "username": "accueil"},
    ],
)
async def test_a_password_is_reset_by_address_or_identifier(
    portal: Portal, browser: Browser, account: NewAccount, typed: dict[str, str]
) -> None:
    await loses(portal, browser, "password", **typed)
    asked = await portal.only(PasswordResetRequested)
    assert (asked.account_id, asked.username) == (account.account_id, "accueil")
    assert (asked.address, asked.language) == (SHARED, "fr")


async def test_each_account_of_an_address_gets_a_link_of_its_own(
    portal: Portal, browser: Browser, account: NewAccount
) -> None:
    await given(portal, "etat-civil")
    await loses(portal, browser, "password", email=SHARED)
    asked = await portal.told(PasswordResetRequested)
    assert {one.username for one in asked} == {"accueil", "etat-civil"}


@pytest.mark.parametrize(
    ("lost", "typed"),
    [
        ("username", {"email": "nobody@givors.example"}),
        ("password", {"email": "nobody@givors.example"}),
        ("password", {"username": "nobody"}),
        ("password", {"email": "nobody@givors.example", "username": "accueil"}),
    ],
)
async def test_nobody_who_is_not_known_is_written_to(
    portal: Portal, browser: Browser, account: NewAccount, lost: str, typed: dict[str, str]
) -> None:
    done = await loses(portal, browser, lost, **typed)
    assert (done.status_code, done.headers["location"]) == (303, "/recovery/sent")
    told = await portal.only(RecoverySubmitted)
    assert await portal.told(UsernameReminderRequested) == []
    assert await portal.told(PasswordResetRequested) == []
    row = await portal.row(Recovery, told.recovery_id)
    assert (row.address_key, row.username_key, row.account_id) == (None, None, None)


async def test_an_account_that_is_gone_is_not_known(
    portal: Portal, browser: Browser, account: NewAccount
) -> None:
    async with portal.begin() as work:
        await erase_account(work, account.account_id)
    await portal.settle()
    await loses(portal, browser, "password", email=SHARED)
    await loses(portal, browser, "password", username="accueil")
    assert await portal.told(PasswordResetRequested) == []


@pytest.mark.parametrize("lost", ["username", "password"])
@pytest.mark.parametrize("invited", [False, True])
async def test_who_never_activated_is_offered_that_again(
    portal: Portal, browser: Browser, lost: str, invited: bool
) -> None:
    """They have no password to lose yet. The page says what it says to everybody."""
    waiting = "attend@givors.example"
    async with portal.begin() as work:
        if invited:
            await invite_person(work, waiting)
        else:
            await submit_registration(work, filled(email=waiting))
    await portal.settle()
    kind: type[ActivationRequested | InvitationRequested] = (
        InvitationRequested if invited else ActivationRequested
    )
    first = await portal.only(kind)
    for _ in range(AGAIN_A_DAY + 2):
        done = await loses(portal, browser, lost, email=waiting.upper())
        assert (done.status_code, done.headers["location"]) == (303, "/recovery/sent")
    asked = await portal.told(kind)
    assert len(asked) == 1 + AGAIN_A_DAY
    assert {(one.address, one.account_id) for one in asked} == {(waiting, first.account_id)}
    assert await portal.told(PasswordResetRequested) == []
    assert await portal.told(UsernameReminderRequested) == []
    for told in await portal.told(RecoverySubmitted):
        row = await portal.row(Recovery, told.recovery_id)
        assert (row.address_key, row.username_key, row.account_id) == (None, None, None)


async def test_who_has_an_account_is_not_offered_one_that_waits(
    portal: Portal, browser: Browser, account: NewAccount
) -> None:
    async with portal.begin() as work:
        await invite_person(work, SHARED)
    await portal.settle()
    await loses(portal, browser, "password", email=SHARED)
    await loses(portal, browser, "password", email="attend@givors.example", username="accueil")
    assert len(await portal.told(InvitationRequested)) == 1
    assert len(await portal.told(PasswordResetRequested)) == 1


async def test_nobodys_mailbox_is_filled(
    portal: Portal, browser: Browser, account: NewAccount
) -> None:
    """However one asks, a mailbox gets a few mails of each kind a day; the answers stay alike."""
    for typed in ({"email": SHARED}, {"username": "accueil"}):
        for _ in range(AGAIN_A_DAY + 2):
            done = await loses(portal, browser, "password", **typed)
            assert (done.status_code, done.headers["location"]) == (303, "/recovery/sent")
    assert len(await portal.told(PasswordResetRequested)) == AGAIN_A_DAY
    for _ in range(AGAIN_A_DAY + 2):
        done = await loses(portal, browser, "username", email=SHARED)
        assert (done.status_code, done.headers["location"]) == (303, "/recovery/sent")
    async with portal.begin() as work:
        for _ in range(3):
            await submit_recovery(work, Loss("username", SHARED, "", "fr"))
    await portal.settle()
    assert len(await portal.told(UsernameReminderRequested)) == AGAIN_A_DAY


async def test_opening_the_link_changes_nothing(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    asked = await a_reset(portal, "accueil")
    path = f"/reset?link={link_of(portal, asked)}"
    for method in ("GET", "HEAD") * 10:
        opened = await browser.send(method, path)
        assert opened.status_code == 200
        assert opened.headers["cache-control"] == "no-store"
    row = await portal.row(Reset, asked.reset_id)
    assert (row.consumed_at, row.voided_at, row.version) == (None, None, 1)
    assert "accueil" in words_of(await browser.get(path))


async def test_the_button_sets_the_password_once_and_ends_all_other_sessions(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    async with portal.begin() as work:
        before = [await open_session(work, account.account_id) for _ in range(2)]
    asked = await a_reset(portal, "accueil")
    another = await a_reset(portal, "accueil")
    page = await browser.get(f"/reset?link={link_of(portal, asked)}")
    done = await browser.press(page, SAVE, password=NEW, password_again=NEW)
    assert (done.status_code, done.headers["location"]) == (303, "/profile?done=reset")
    cookie = done.cookies["guichet"]
    assert (await browser.look_up(cookie)).json()["account_id"] == str(account.account_id)
    for session in before:
        assert (await browser.look_up(session.cookie)).status_code == 404
    ended = await portal.told(SessionRevoked)
    assert {(one.scope, one.scope_id) for one in ended} == {("session", one.id) for one in before}
    row = await portal.row(Account, account.account_id)
    assert await matches(row.password_hash, NEW)
    assert not await matches(row.password_hash, PASSWORD)
    told = await portal.only(PasswordChanged)
    assert (told.account_id, told.username, told.address) == (
        account.account_id,
        "accueil",
        SHARED,
    )
    for link in (link_of(portal, asked), link_of(portal, another)):
        refused = await resets(browser, link)
        assert refused.status_code == 410
        assert "Ce lien a déjà été utilisé" in words_of(refused)
        assert 'href="/sign-in"' in refused.text
        assert 'href="/recovery/password"' in refused.text


async def test_of_two_presses_at_once_one_serves(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    link = link_of(portal, await a_reset(portal, "accueil"))
    answers = await asyncio.gather(
        resets(browser, link), resets(browser, link, "douze lampes restent allumées")
    )
    assert sorted(one.status_code for one in answers) == [303, 410]
    assert len(await portal.told(PasswordChanged)) == 1


@pytest.mark.parametrize(
    ("password", "again", "message"),
    [
        ("bref", "bref", "au moins 12 caractères"),
        (NEW, NEW + "!", "Les deux mots de passe diffèrent"),
        ("accueil givors", "accueil givors", "trop facile à deviner"),
    ],
)
async def test_a_bad_password_is_refused_and_the_link_still_serves(
    browser: Browser,
    portal: Portal,
    account: NewAccount,
    password: str,
    again: str,
    message: str,
) -> None:
    link = link_of(portal, await a_reset(portal, "accueil"))
    page = await browser.get(f"/reset?link={link}")
    refused = await browser.press(page, SAVE, password=password, password_again=again)
    assert refused.status_code == 422
    assert message in words_of(refused)
    assert password not in refused.text
    assert form_of(refused, SAVE).values["link"] == link
    assert (await resets(browser, link)).status_code == 303


async def test_who_tried_in_vain_signs_in_with_the_new_password(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    for _ in range(11):
        await browser.post("/sign-in", username="accueil", password="oublié")
    await resets(browser, link_of(portal, await a_reset(portal, "accueil")))
    done = await browser.post("/sign-in", username="accueil", password=NEW)
    assert done.status_code == 303


async def test_an_hour_later_it_has_expired(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    asked = await a_reset(portal, "accueil")
    late = int(timedelta(hours=1, minutes=3).total_seconds())
    for link, status in (
        (link_of(portal, asked, sent_s=-late + 360), 200),
        (link_of(portal, asked, sent_s=-late), 410),
    ):
        assert (await browser.get(f"/reset?link={link}")).status_code == status
    refused = await resets(browser, link_of(portal, asked, sent_s=-late))
    assert refused.status_code == 410
    assert "Ce lien a expiré" in words_of(refused)
    assert 'href="/recovery/password"' in refused.text


async def test_altered_foreign_and_other_links_are_refused(
    browser: Browser,
    portal: Portal,
    another_portal: Portal,
    identity: Runtime,
    account: NewAccount,
) -> None:
    asked = await a_reset(portal, "accueil")
    link = link_of(portal, asked)
    key = portal.runtime.keys.signing_key("notifier")
    of_another = a_link(key, Purpose.ACTIVATION, asked.reset_id, portal.tenant, asked.address)
    of_nothing = a_link(key, Purpose.RESET, new_id(), portal.tenant, asked.address)
    elsewhere = a_link(key, Purpose.RESET, asked.reset_id, portal.tenant, "x@y.example")
    for refused, status in (
        (link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB"), 403),
        ("", 403),
        (of_another, 403),
        (of_nothing, 410),
        (elsewhere, 410),
    ):
        assert (await browser.get(f"/reset?link={refused}")).status_code == status
        assert (await resets(browser, refused)).status_code == status
    there = Browser.at(identity, another_portal.tenant)
    assert (await resets(there, link)).status_code == 403
    assert (await resets(browser, link)).status_code == 303


async def test_what_was_lost_is_let_go_of_after_eight_days(
    portal: Portal, browser: Browser, account: NewAccount
) -> None:
    asked = await a_reset(portal, "accueil")
    told = await portal.only(RecoverySubmitted)
    async with portal.begin() as work:
        await lapse_recovery(work, LapseRecovery(recovery_id=told.recovery_id))
    assert await portal.row(Recovery, told.recovery_id) is None
    assert await portal.row(Reset, asked.reset_id) is None
    assert (await resets(browser, link_of(portal, asked))).status_code == 410
    assert timedelta(days=7) < LAPSES_AFTER <= timedelta(days=8)


async def test_sessions_say_what_browser_they_are_of(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    await browser.send(
        "POST",
        "/sign-in",
        data={"username": "accueil", "password": PASSWORD},
        headers={"User-Agent": firefox},
    )
    async with portal.begin() as work:
        rows = await work.db.execute(select(Session.browser, Session.system))
        assert rows.all() == [("Firefox", "Linux")]
