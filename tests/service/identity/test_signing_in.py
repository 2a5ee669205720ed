"""J4: signing in and out; what is wrong is never told."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from chassis import clock
from chassis.principals import Principal
from chassis.problems import NotFound
from contracts.identity import AccountErased, SessionRevoked
from services.identity.accounts.create_account import NewAccount, create_account
from services.identity.accounts.erase_account import erase_account
from services.identity.domain.attempts import MOST, WITHIN
from services.identity.registration.submit_registration import submit_registration
from services.identity.signing_in.look_up_session import look_up_session
from services.identity.tables import Account, Person, Session, SignInAttempts
from tests.builders.identity import PASSWORD, filled, new_account
from tests.service.identity.browser import VISITOR, Browser, words_of
from tests.service.identity.conftest import Portal

SIGN_IN = "Me connecter"


@pytest.fixture
async def account(portal: Portal) -> NewAccount:
    """An active account."""
    account = new_account(username="Mairie de Givors")
    async with portal.begin() as work:
        await create_account(work, account)
    return account


async def signs_in(browser: Browser, **typed: str):  # type: ignore[no-untyped-def]
    page = await browser.get("/sign-in")
    sent = {"username": "mairie de givors", "password": PASSWORD, **typed}
    return await browser.press(page, SIGN_IN, **sent)


def cookie_in(answer) -> str:  # type: ignore[no-untyped-def]
    said = str(answer.headers["set-cookie"])
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    return said.partition(";")[0].partition("=")[2]


async def test_the_page_offers_both_ways_in(browser: Browser) -> None:
    words = words_of(await browser.get("/sign-in"))
    for label in (
        "Me connecter ou créer mon compte",
        "Identifiant : *",
        "Mot de passe : *",
        "Mot de passe ou identifiant oublié ?",
        "Vous avez oublié vos identifiants ? Contactez-nous !",
        "Vous n'avez pas encore de compte ?",
        "En créant un compte, vous pourrez :",
        "Suivre l'avancement de vos démarches en ligne",
        "Gagner du temps ! Les formulaires sont pré-remplis avec vos informations",
        "Retrouver toutes vos démarches en un seul endroit",
        "Créer mon compte",
    ):
        assert label in words


async def test_signing_in_leads_to_what_was_asked_for(
    browser: Browser, account: NewAccount
) -> None:
    page = await browser.get("/sign-in?next=/procedures/assistance&why=procedure")
    assert "Pour ouvrir cette démarche, connectez-vous" in words_of(page)
    done = await browser.press(page, SIGN_IN, username="MAIRIE DE GIVORS", password=PASSWORD)
    assert (done.status_code, done.headers["location"]) == (303, "/procedures/assistance")
    answer = await browser.look_up(cookie_in(done))
    assert answer.json() == {
        "session_id": answer.json()["session_id"],
        "account_id": str(account.account_id),
        "person_id": str(account.person_id),
        "organisation_id": str(account.organisation_id),
        "roles": ["customer"],
        "display_name": "Durand Claire",
        "language": "fr",
        "until": answer.json()["until"],
    }


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil", "x"])
async def test_nobody_is_led_off_the_portal(
    browser: Browser, account: NewAccount, elsewhere: str
) -> None:
    done = await signs_in(browser, next=elsewhere)
    assert done.headers["location"] == "/"


async def test_all_that_is_wrong_looks_alike(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    async with portal.begin() as work:
        await submit_registration(work, filled())
    await portal.settle()
    wrong = {
        "password": {"password": "une autre phrase secrète"},
        "unknown": {"username": "personne"},
        "pending": {"username": "givors"},
    }
    answers = {what: await signs_in(browser, **typed) for what, typed in wrong.items()}
    for _ in range(MOST):
        await signs_in(browser, password="une autre phrase secrète")
    answers["locked out"] = await signs_in(browser)
    masked = {
        what: (
            answer.status_code,
            re.sub(r'(name="username"[^>]*) value="[^"]*"', r"\1", answer.text),
            [one for one in answer.headers.items() if one[0] not in {"date", "content-length"}],
        )
        for what, answer in answers.items()
    }
    assert masked["password"][0] == 422
    assert "L’identifiant ou le mot de passe n’est pas le bon." in words_of(answers["password"])
    assert len({str(one) for one in masked.values()}) == 1


async def test_too_many_attempts_end_after_a_while(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    for _ in range(MOST):
        await signs_in(browser, password="une autre phrase secrète")
    assert (await signs_in(browser)).status_code == 422
    async with portal.begin() as work:
        await work.db.execute(
            update(SignInAttempts).values(since=clock.now() - WITHIN - timedelta(seconds=1))
        )
    assert (await signs_in(browser)).status_code == 303
    async with portal.begin() as work:
        assert await work.find(SignInAttempts) is None


async def test_what_is_left_empty_is_asked_for(browser: Browser) -> None:
    page = await browser.press(await browser.get("/sign-in"), SIGN_IN)
    assert page.status_code == 422
    assert "Indiquez votre identifiant." in words_of(page)
    assert "Indiquez votre mot de passe." in words_of(page)


async def test_only_a_hash_of_the_cookie_is_kept(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    cookie = cookie_in(await signs_in(browser))
    async with portal.begin() as work:
        session = await work.find(Session, Session.account_id == account.account_id)
    assert session is not None
    assert cookie not in session.cookie_hash
    assert len(session.cookie_hash) == 64


async def test_signing_out_ends_the_session_everywhere(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    cookie = cookie_in(await signs_in(browser))
    person = await browser.principal_of(cookie)
    signed_in = Browser.at(portal.runtime, portal.tenant, person)
    assert (await signed_in.get("/sign-in")).headers["location"] == "/"
    out = await signed_in.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert (await browser.look_up(cookie)).status_code == 404
    revoked = await portal.only(SessionRevoked)
    assert (revoked.scope, revoked.scope_id) == ("session", person.session_id)


async def test_signing_out_forgets_the_cookie_even_where_it_fails(
    browser: Browser, portal: Portal, account: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await browser.principal_of(cookie_in(await signs_in(browser)))

    async def fails(_work: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("services.identity.signing_in.pages.sign_out", fails)
    out = await Browser.at(portal.runtime, portal.tenant, person).post("/sign-out")
    assert out.status_code == 503
    assert "Ce navigateur a oublié votre session" in words_of(out)
    assert "Durand" not in out.text
    assert "Max-Age=0" in out.headers["set-cookie"]


async def test_a_session_idles_twelve_hours_and_lasts_thirty_days(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    cookie = cookie_in(await signs_in(browser))

    async def aged(**age: timedelta) -> bool:
        async with portal.begin() as work:
            await work.db.execute(
                update(Session).values({key: work.now - by for key, by in age.items()})
            )
        async with portal.begin() as work:
            return await look_up_session(work, cookie) is not None

    day, minute = timedelta(days=1), timedelta(minutes=1)
    assert await aged(seen_at=day / 2 - minute)
    async with portal.begin() as work:
        seen = await work.find(Session, Session.account_id == account.account_id)
        assert seen is not None
        assert work.now - seen.seen_at < minute
    assert not await aged(seen_at=day / 2 + minute)
    assert await aged(started_at=30 * day - minute, seen_at=minute)
    assert not await aged(started_at=30 * day + minute, seen_at=minute)


async def test_a_session_is_of_its_tenant_alone(
    browser: Browser, portal: Portal, account: NewAccount, another_portal: Portal
) -> None:
    cookie = cookie_in(await signs_in(browser))
    elsewhere = Browser.at(portal.runtime, another_portal.tenant)
    assert (await elsewhere.look_up(cookie)).status_code == 404


async def test_only_parts_look_sessions_up(browser: Browser) -> None:
    answer = await browser.send("POST", "/internal/sessions/look-up", json={"session": "x"})
    assert answer.status_code == 404
    assert (await browser.get("/internal/tenants")).status_code == 404


async def test_an_erased_account_leaves_nothing_of_its_person(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    cookie = cookie_in(await signs_in(browser))
    async with portal.begin() as work:
        await erase_account(work, account.account_id)
    async with portal.begin() as work:
        await erase_account(work, account.account_id)
    assert (await browser.look_up(cookie)).status_code == 404
    assert (await signs_in(browser)).status_code == 422
    person = await portal.row(Person, account.person_id)
    assert {person.birth_name, person.first_name, person.address, person.address_key} == {""}
    erased = await portal.row(Account, account.account_id)
    assert (erased.state, erased.username, erased.username_key, erased.password_hash) == (
        "erased",
        None,
        None,
        None,
    )
    assert (await portal.only(AccountErased)).person_id == account.person_id
    assert (await portal.only(SessionRevoked)).scope_id == account.account_id
    with pytest.raises(NotFound):
        async with portal.begin() as work:
            await erase_account(work, account.person_id)


async def test_the_profile_shows_ones_own_details(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    assert (await browser.get("/profile")).headers["location"].startswith("/sign-in?")
    person = await browser.principal_of(cookie_in(await signs_in(browser)))
    words = words_of(await Browser.at(portal.runtime, portal.tenant, person).get("/profile"))
    for detail in ("Durand", "Claire", "Mairie de Givors", "claire@givors.example", "69700 Givors"):
        assert detail in words


async def test_signing_in_ends_the_session_that_asked(
    browser: Browser, portal: Portal, account: NewAccount
) -> None:
    first = cookie_in(await signs_in(browser))
    person: Principal = await browser.principal_of(first)
    answer = await Browser.at(portal.runtime, portal.tenant, person).post(
        "/sign-in", username="mairie de givors", password=PASSWORD
    )
    assert answer.status_code == 303
    assert (await browser.look_up(first)).status_code == 404
    assert VISITOR.session_id is None
