"""J3: the link's page changes nothing, its button serves once, and refusals lead on."""

import asyncio
from datetime import timedelta

import pytest

from chassis.ids import new_id
from contracts.identity import (
    AccountActivated,
    AccountRegistered,
    ActivationRequested,
    InvitationRequested,
    OrganisationChanged,
    ProfileChanged,
    TenantChanged,
)
from contracts.links import Purpose
from services.identity.accounts.create_account import create_account
from services.identity.accounts.invite_person import invite_person
from services.identity.registration.submit_registration import submit_registration
from services.identity.tables import Acceptance, Account, Activation, Registration, Session
from tests.builders.identity import PASSWORD, a_link, filled, new_account
from tests.service.identity.browser import Browser, form_of, words_of
from tests.service.identity.conftest import Portal

CONFIRM = "Valider et accéder à votre compte"
TYPED = {"username": "Mairie de Givors", "password": PASSWORD, "password_again": PASSWORD}


@pytest.fixture
async def asked(portal: Portal) -> ActivationRequested:
    """A registration that waits for its activation."""
    async with portal.begin() as work:
        await submit_registration(work, filled())
    await portal.settle()
    return await portal.only(ActivationRequested)


def link_of(portal: Portal, asked: ActivationRequested, **changes: object) -> str:
    return a_link(
        portal.runtime.keys.signing_key("notifier"),
        Purpose.ACTIVATION,
        asked.activation_id,
        portal.tenant,
        asked.address,
        **changes,
    )


async def test_opening_the_link_changes_nothing(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    path = f"/activate?link={link_of(portal, asked)}"
    for method in ("GET", "HEAD") * 5:
        assert (await browser.send(method, path)).status_code == 200
    before = await portal.row(Activation, asked.activation_id)
    assert (before.consumed_at, before.voided_at, before.version) == (None, None, 1)
    page = await browser.get(path)
    words = words_of(page)
    assert "vous pouvez modifier votre identifiant de connexion et créer votre mot" in words
    assert "Un identifiant vous a été attribué par défaut (givors), vous pouvez" in words
    assert form_of(page, CONFIRM).values["username"] == "givors"
    for label in ("Votre identifiant de connexion", "Mot de passe", "Répéter votre mot de passe"):
        assert label in words
    done = await browser.press(page, CONFIRM, **TYPED)
    assert (done.status_code, done.headers["location"]) == (303, "/")


async def test_activation_tells_all_and_signs_in(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    page = await browser.get(f"/activate?link={link_of(portal, asked)}")
    done = await browser.press(page, CONFIRM, **TYPED)
    activated = await portal.only(AccountActivated)
    profile = await portal.only(ProfileChanged)
    assert activated.submission_id == asked.submission_id
    assert (activated.terms_version, activated.terms_accepted_at is not None) == (1, True)
    assert (profile.username, profile.birth_name, profile.roles) == (
        "Mairie de Givors",
        "Durand",
        ("customer",),
    )
    assert (await portal.only(OrganisationChanged)).name == "Givors"
    cookie = done.headers["set-cookie"].partition(";")[0].partition("=")[2]
    signed_in = await browser.look_up(cookie)
    assert signed_in.status_code == 200
    assert signed_in.json()["account_id"] == str(asked.account_id)
    assert signed_in.json()["display_name"] == "Durand Claire"
    assert asked.submission_id is not None
    kept = await portal.row(Registration, asked.submission_id)
    assert (kept.state, kept.answers) == ("activated", {})
    async with portal.begin() as work:
        assert await work.find(Acceptance, Acceptance.account_id == asked.account_id) is not None


async def test_of_two_at_once_one_succeeds_and_one_is_told_clearly(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    page = await browser.get(f"/activate?link={link_of(portal, asked)}")
    answers = await asyncio.gather(*(browser.press(page, CONFIRM, **TYPED) for _ in range(2)))
    assert sorted(one.status_code for one in answers) == [303, 410]
    refused = next(one for one in answers if one.status_code == 410)
    assert "Ce lien a déjà été utilisé" in words_of(refused)
    assert "Me connecter" in words_of(refused)
    async with portal.begin() as work:
        assert await work.find(Session, Session.account_id == asked.account_id) is not None


async def test_an_expired_link_offers_another(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    day_s = timedelta(hours=24).total_seconds()
    just = link_of(portal, asked, sent_s=-day_s - 60)  # within the clocks' tolerance
    assert (await browser.get(f"/activate?link={just}")).status_code == 200
    token = link_of(portal, asked, sent_s=-day_s - 600)
    page = await browser.get(f"/activate?link={token}")
    assert page.status_code == 410
    assert "Ce lien a expiré." in words_of(page)
    refused = await browser.post("/activate", link=token, **TYPED)
    assert refused.status_code == 410
    sent = await browser.press(page, "M’envoyer un autre lien")
    assert "Un autre lien est en route" in words_of(await browser.get(sent.headers["location"]))
    first, second = await portal.told(ActivationRequested)
    assert (second.account_id, second.address) == (first.account_id, first.address)
    done = await browser.post("/activate", link=link_of(portal, second), **TYPED)
    assert done.status_code == 303
    void = await browser.get(f"/activate?link={link_of(portal, first)}")
    assert (void.status_code, "M’envoyer" in void.text) == (410, False)


async def test_links_may_be_asked_for_some_times_a_day(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    token = link_of(portal, asked)
    for _ in range(5):
        assert (await browser.post("/activate/again", link=token)).status_code == 303
    assert (await browser.post("/activate/again", link=token)).status_code == 429


async def test_altered_and_foreign_links_are_refused_with_a_way_on(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    token = link_of(portal, asked)
    kid, body, signature = token.split(".")
    refused = {
        "altered": f"{kid}.{body}.{signature[::-1]}",
        "another tenant's": link_of(portal, asked, t=str(new_id())),
        "another page's": link_of(portal, asked, p="further_account"),
        "another address's": link_of(portal, asked, a="0" * 32),
        "of nothing": link_of(portal, asked, i=new_id().hex),
        "none": "",
        "nonsense": link_of(portal, asked, s="soon"),
    }
    for what, link in refused.items():
        for page in (
            await browser.get("/activate", params={"link": link}),
            await browser.post("/activate", link=link, **TYPED),
        ):
            assert page.status_code in {403, 410}, what
            words = words_of(page)
            assert "Ce lien ne fonctionne pas" in words, what
            assert "Demander un compte" in words, what
            assert "04.72.26.06.86" in words, what
            assert "M’envoyer un autre lien" not in words, what
        assert (await browser.post("/activate/again", link=link)).status_code in {403, 410}, what
    assert (await portal.row(Account, asked.account_id)).state == "pending"


async def test_what_is_refused_keeps_the_username_and_no_password(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    async with portal.begin() as work:
        await create_account(work, new_account(username="Taken"))
    page = await browser.get(f"/activate?link={link_of(portal, asked)}")
    cases = [
        ({"username": "tákén"}, "Cet identifiant est déjà pris."),
        ({"username": "a"}, "Choisissez un identifiant de 3 à 64 caractères"),
        ({"password": "court", "password_again": "court"}, "d’au moins 12 caractères"),
        ({"password": "Givors69700!!", "password_again": "Givors69700!!"}, "facile à deviner"),
        ({"password_again": "autre chose"}, "Les deux mots de passe diffèrent."),
        ({"password": "", "password_again": ""}, "Choisissez un mot de passe."),
    ]
    for typed, message in cases:
        sent = {**TYPED, **typed}
        refused = await browser.press(page, CONFIRM, **sent)
        assert refused.status_code == 422, message
        assert message in words_of(refused).replace("\u00a0", " ")
        assert f'value="{sent["username"]}"' in refused.text
        assert PASSWORD not in refused.text
    assert (await portal.row(Account, asked.account_id)).state == "pending"


async def test_the_proposed_username_is_free(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    async with portal.begin() as work:
        await create_account(work, new_account(username="Givors"))
    page = await browser.get(f"/activate?link={link_of(portal, asked)}")
    assert form_of(page, CONFIRM).values["username"] == "givors-2"


async def test_an_invited_person_becomes_the_administrator(
    browser: Browser, portal: Portal
) -> None:
    async with portal.begin() as work:
        account_id = await invite_person(work, "chef@ypok.example")
    invited = await portal.only(InvitationRequested)
    assert invited.account_id == account_id
    assert (await portal.only(AccountRegistered)).submission_id is None
    token = a_link(
        portal.runtime.keys.signing_key("notifier"),
        Purpose.INVITATION,
        invited.invitation_id,
        portal.tenant,
        invited.address,
        sent_s=-6 * 24 * 3600,
    )
    assert (await browser.get(f"/activate?link={token}")).status_code == 403
    page = await browser.get(f"/invitation?link={token}")
    done = await browser.press(page, CONFIRM, **{**TYPED, "username": "chef"})
    assert done.status_code == 303
    profile = await portal.only(ProfileChanged)
    assert (profile.roles, profile.address) == (("administrator",), "chef@ypok.example")
    assert (await portal.only(AccountActivated)).terms_version is None


async def test_a_tenant_may_ask_for_fifteen_characters(
    browser: Browser, portal: Portal, asked: ActivationRequested
) -> None:
    from services.identity.tenants.change_tenant import change_tenant

    async with portal.begin() as work:
        await change_tenant(work, portal.facts.model_copy(update={"password_minimum": 15}))
    assert len(await portal.told(TenantChanged)) == 2
    page = await browser.get(f"/activate?link={link_of(portal, asked)}")
    assert "Au moins 15 caractères" in words_of(page)
    short = "xq vif zwei 14"
    typed = {**TYPED, "password": short, "password_again": short}
    assert (await browser.press(page, CONFIRM, **typed)).status_code == 422
