"""Registering: the same for a known and an unknown address until the mail."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.principals import Principal
from contracts.identity import (
    AccountRegistered,
    ActivationRequested,
    AddressAlreadyKnown,
    RegistrationLapsed,
    RegistrationSubmitted,
)
from contracts.links import Purpose, address_hash
from services.identity.accounts.create_account import create_account
from services.identity.domain.links import GoneLink, Link, UsedLink
from services.identity.domain.registrations import KeyOfAnother
from services.identity.registration.ask_for_further_account import ask_for_further_account
from services.identity.registration.lapse_registration import LapseRegistration, lapse_registration
from services.identity.registration.submit_registration import Filled, submit_registration
from services.identity.tables import Account, Organisation, Person, Registration
from tests.builders.identity import filled, new_account
from tests.service.identity.conftest import Portal

BROWSER = Principal(browser="one")


async def submits(portal: Portal, what: Filled, browser: Principal = BROWSER) -> UUID:
    async with portal.begin(browser) as work:
        return await submit_registration(work, what)


def further(portal: Portal, told: AddressAlreadyKnown) -> Link:
    return Link(
        Purpose.FURTHER_ACCOUNT,
        told.submission_id,
        portal.tenant,
        address_hash(told.address),
        clock.now(),
    )


async def test_a_registration_opens_an_account_that_waits(portal: Portal) -> None:
    request_id = await submits(portal, filled())
    await portal.settle()
    submitted = await portal.only(RegistrationSubmitted)
    registered = await portal.only(AccountRegistered)
    asked = await portal.only(ActivationRequested)
    assert submitted.request_id == request_id
    assert submitted.sections[0].answers[0].value == "Givors"
    assert registered.submission_id == asked.submission_id == submitted.submission_id
    assert asked.address == "mairie@givors.example"
    account = await portal.row(Account, registered.account_id)
    assert (account.state, account.username, account.roles) == ("pending", None, ["customer"])
    assert (await portal.row(Organisation, registered.organisation_id)).postcode == "69700"
    assert (await portal.row(Person, registered.person_id)).birth_name == "Durand"


async def test_pressing_twice_saves_once(portal: Portal) -> None:
    what = filled()
    first, second = await asyncio.gather(submits(portal, what), submits(portal, what))
    assert first == second == (await portal.only(RegistrationSubmitted)).request_id


async def test_the_key_of_another_browser_brings_nothing(portal: Portal) -> None:
    what = filled()
    await submits(portal, what)
    with pytest.raises(KeyOfAnother):
        await submits(portal, what, Principal(browser="another"))


async def test_a_known_address_is_told_of_its_accounts_and_gets_none(portal: Portal) -> None:
    known = new_account(username="Givors")
    async with portal.begin() as work:
        await create_account(work, known)
    await submits(portal, filled(email="Claire@Givors.example"))
    await portal.settle()
    told = await portal.only(AddressAlreadyKnown)
    assert (told.usernames, told.account_ids) == (("Givors",), (known.account_id,))
    assert len(await portal.told(AccountRegistered)) == 1
    assert await portal.told(ActivationRequested) == []


async def test_a_further_account_is_opened_once_by_its_link(portal: Portal) -> None:
    async with portal.begin() as work:
        await create_account(work, new_account())
    await submits(portal, filled(email="claire@givors.example"))
    await portal.settle()
    told = await portal.only(AddressAlreadyKnown)
    async with portal.begin() as work:
        await ask_for_further_account(work, further(portal, told))
    with pytest.raises(UsedLink):
        async with portal.begin() as work:
            await ask_for_further_account(work, further(portal, told))
    assert (await portal.only(ActivationRequested)).submission_id == told.submission_id


async def test_a_link_of_another_address_opens_nothing(portal: Portal) -> None:
    async with portal.begin() as work:
        await create_account(work, new_account())
    await submits(portal, filled(email="claire@givors.example"))
    await portal.settle()
    told = await portal.only(AddressAlreadyKnown)
    elsewhere = told.model_copy(update={"address": "other@givors.example"})
    with pytest.raises(GoneLink):
        async with portal.begin() as work:
            await ask_for_further_account(work, further(portal, elsewhere))


async def test_what_is_never_activated_lapses_after_thirty_days(portal: Portal) -> None:
    request_id = await submits(portal, filled())
    await portal.settle()
    registered = await portal.only(AccountRegistered)
    submission_id = registered.submission_id
    assert submission_id is not None
    async with portal.begin() as work:
        due = await work.db.execute(
            text("SELECT due_at FROM inbox WHERE handler = 'lapse_registration'")
        )
        assert due.scalar_one() - work.now == pytest.approx(
            timedelta(days=30), abs=timedelta(minutes=1)
        )
    async with portal.begin() as work:
        await lapse_registration(work, LapseRegistration(submission_id=submission_id))
    lapsed = await portal.row(Registration, submission_id)
    assert (lapsed.state, lapsed.answers, lapsed.account_id) == ("lapsed", {}, None)
    for kind, id in (
        (Account, registered.account_id),
        (Person, registered.person_id),
        (Organisation, registered.organisation_id),
    ):
        assert await portal.row(kind, id) is None
    assert (await portal.only(RegistrationLapsed)).submission_id == submission_id
    async with portal.begin() as work:
        for table in ("outbox", "inbox"):
            left = await work.db.execute(text(f"SELECT envelope::text FROM {table}"))
            said = " ".join(left.scalars())
            assert "Durand" not in said
            assert str(request_id) not in said


async def test_a_lapse_after_activation_changes_nothing(portal: Portal) -> None:
    await submits(portal, filled())
    await portal.settle()
    registered = await portal.only(AccountRegistered)
    assert registered.submission_id is not None
    async with portal.begin() as work:
        account = await work.fetch(Account, registered.account_id)
        account.state = "active"
    async with portal.begin() as work:
        await lapse_registration(work, LapseRegistration(submission_id=registered.submission_id))
    assert await portal.told(RegistrationLapsed) == []
