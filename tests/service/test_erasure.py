"""Who is erased, or never activated, leaves nothing in any database: as a search of them all says.

The search comes twice: before, to show that it finds what there is, and after.
"""

import asyncio
from uuid import UUID

import pytest

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.event import Envelope, Event
from contracts.identity import AccountErased, ProfileChanged
from services.identity.registration.open_registration import open_registration
from services.notifier.handlers.identity import erase_account
from tests.builders.notifier import a_known_address, an_erasure, told
from tests.builders.story import Known, Portal, Someone, someone
from tests.support.apart import Apart


@pytest.fixture
async def portal(apart: Apart) -> Portal:
    """A tenant that all services know, with a procedure."""
    portal = apart.portal()
    await portal.opens()
    await portal.offers("anomalie")
    await apart.settle(portal.tenant)
    return portal


async def registered(apart: Apart, portal: Portal, who: Someone) -> UUID:
    """Somebody who asked for an account, all that comes of it handled. Answers the submission."""
    submission = await portal.is_asked(who)
    await apart.settle(portal.tenant)
    return submission


async def activated(apart: Apart, portal: Portal, who: Someone) -> Known:
    """The same, who then made the account theirs."""
    submission = await registered(apart, portal, who)
    known = await portal.activates(await portal.account_of(submission), who)
    await apart.settle(portal.tenant)
    return known


def only(envelopes: list[Envelope], kind: type[Event]) -> Envelope:
    """The one event of this kind."""
    [found] = [one for one in envelopes if one.type == kind.type_name()]
    return found


async def fail(_work: UnitOfWork, event: Event) -> None:
    """A handler that can do nothing with what comes."""
    raise ValueError(repr(event))


async def leave_traces_everywhere(apart: Apart, portal: Portal, known: Known) -> None:
    """Requests, mails queued and sent, dead rows, rows that wait, and events not published yet."""
    who, tenant = known.who, portal.tenant
    await portal.files(known, "anomalie", answer=f"Rappelez {who.first_name} {who.name}", accepts=1)
    await portal.begins(known, "anomalie", answer=f"Rappelez {who.first_name} {who.name}")
    await apart.settle(tenant)
    sent = await apart.move(
        "notifier",
        "UPDATE mails SET state = 'accepted', attempts = 1 WHERE template = 'activation'"
        " AND tenant_id = :tenant",
        tenant=tenant,
    )
    assert sent == 1
    await apart.move(
        "notifier",
        "INSERT INTO attempts (tenant_id, id, mail_id, tried_at, outcome, code, words)"
        " SELECT tenant_id, :id, id, now(), 'accepted', 250, '250 queued for ' || address"
        " FROM mails WHERE tenant_id = :tenant AND state = 'accepted'",
        id=new_id(),
        tenant=tenant,
    )
    await portal.tells_anew(known)
    profile = only(await apart.publish(tenant), ProfileChanged)
    for service in ("requests", "notifier"):
        with apart.handled_by(service, "project_requester", fail):
            await apart.hear(service, profile)
            await apart.until_dead(service, tenant, "project_requester")
    await portal.tells_anew(known)  # and nobody publishes it before the erasure


async def test_an_erased_account_leaves_no_trace_of_its_person(
    apart: Apart, portal: Portal
) -> None:
    who = someone("Marchand")
    known = await activated(apart, portal, who)
    await leave_traces_everywhere(apart, portal, known)
    before = await apart.search(who.traces())
    assert set(before) == set(who.traces())
    assert before[who.address] >= {
        "identity.people",
        "identity.outbox",
        "requests.requesters",
        "requests.requests",
        "requests.inbox",
        "notifier.requesters",
        "notifier.mails",
        "notifier.attempts",
        "notifier.inbox",
    }
    assert before[who.name] >= {
        "identity.people",
        "requests.requests",
        "requests.drafts",
        "requests.inbox",
    }
    assert before[who.username] >= {"identity.accounts", "identity.outbox", "notifier.inbox"}
    assert len(await apart.rows("catalog", portal.tenant, "drafts")) == 1

    await portal.erases(known.account_id)
    assert {table for tables in (await apart.search(who.traces())).values() for table in tables} & {
        f"identity.{table}"
        for table in ("people", "accounts", "registrations", "outbox", "inbox", "sessions")
    } == set()
    await apart.settle(portal.tenant)
    assert await apart.search(who.traces()) == {}
    assert await apart.rows("catalog", portal.tenant, "drafts") == []


async def test_what_was_lost_and_changed_goes_with_its_account(
    apart: Apart, portal: Portal
) -> None:
    who = someone("Fontaine")
    known = await activated(apart, portal, who)
    moved = "secretariat@mairie-fontaine.example"
    await portal.loses("password", username=who.username)
    await portal.loses("username", address=who.address)
    change = await portal.wants_mails_at(known, moved)
    await apart.settle(portal.tenant)
    await portal.confirms(change)
    await portal.changes_password(known)
    await apart.settle(portal.tenant)
    await portal.wants_mails_at(known, who.address)  # back again: nobody confirms it
    await portal.loses("password", address=moved)  # and nobody looks into it before the erasure
    await portal.loses("username", address=moved.upper())
    wanted = [*who.traces(), moved]
    before = await apart.search(wanted)
    assert before[moved] >= {"identity.people", "identity.email_changes", "identity.recoveries"}
    assert before[who.address] >= {"identity.email_changes", "identity.outbox", "notifier.mails"}

    await portal.erases(known.account_id)
    await apart.settle(portal.tenant)
    assert await apart.search(wanted) == {}


async def test_what_comes_late_brings_nobody_back(apart: Apart, portal: Portal) -> None:
    who = someone("Tessier")
    submission = await portal.is_asked(who)
    heard = await apart.settle(portal.tenant)
    known = await portal.activates(await portal.account_of(submission), who)
    await portal.files(known, "anomalie", answer=f"Rappelez {who.name}", accepts=1)
    heard += await apart.publish(portal.tenant)
    await portal.erases(known.account_id)
    await apart.settle(portal.tenant)
    for name in apart.runtimes:
        await apart.move(name, "DELETE FROM inbox_seen WHERE tenant_id = :id", id=portal.tenant)
        await apart.hear(name, *reversed(heard))
    await apart.settle(portal.tenant)
    assert await apart.search(who.traces()) == {}


async def test_a_lapsed_registration_leaves_no_trace(apart: Apart, portal: Portal) -> None:
    who = someone("Lefort")
    submission = await registered(apart, portal, who)
    await portal.is_asked_again(await portal.account_of(submission), who)
    await apart.settle(portal.tenant)
    wanted = [who.name, who.first_name, who.address]  # no identifier was chosen yet
    before = await apart.search(wanted)
    assert before[who.address] >= {
        "identity.registrations",
        "identity.people",
        "identity.outbox",
        "requests.requests",
        "notifier.mails",
    }
    assert before[who.name] >= {"identity.people", "requests.requests"}
    await apart.days_pass(submission)
    await apart.settle(portal.tenant)
    assert await apart.search(wanted) == {}


async def test_an_offer_of_a_further_account_lapses_without_trace(
    apart: Apart, portal: Portal
) -> None:
    who = someone("Charpentier")
    known = await activated(apart, portal, who)
    again = await registered(apart, portal, who)
    assert await apart.inbox("notifier", portal.tenant) == {}
    listed = await apart.search([who.username])
    assert listed[who.username] >= {"notifier.mails", "identity.outbox"}

    await portal.erases(known.account_id)
    await apart.settle(portal.tenant)
    # What is left is of the second submission, which may be another person's of that address.
    assert await apart.search([who.username]) == {}
    assert (await apart.search([who.address]))[who.address] == {
        "identity.registrations",
        "identity.outbox",
        "requests.requests",
        "notifier.mails",
    }
    await apart.days_pass(again)
    await apart.settle(portal.tenant)
    assert await apart.search(who.traces()) == {}


async def test_whom_an_erasure_takes_along_gets_no_mail_from_the_same_batch(
    apart: Apart, portal: Portal
) -> None:
    known = a_known_address(address="mairie@roche.example")
    erased = an_erasure(new_id(), new_id(), known.submission_id)
    await apart.hear("notifier", told(portal.tenant, erased), told(portal.tenant, known))
    assert await apart.inbox("notifier", portal.tenant) == {}
    assert await apart.search([known.address]) == {}


async def test_a_mail_that_lists_an_account_waits_for_its_erasure_under_way(
    apart: Apart, portal: Portal
) -> None:
    known = a_known_address(usernames=("service-roche",), account_ids=(new_id(),))
    erased = an_erasure(known.account_ids[0], new_id())
    notifier = apart.runtimes["notifier"]
    erasing, go_on = asyncio.Event(), asyncio.Event()

    async def erase_slowly(work: UnitOfWork, event: AccountErased) -> None:
        await erase_account(work, event)
        erasing.set()
        await go_on.wait()

    with apart.handled_by("notifier", "erase_account", erase_slowly):
        await notifier.inbox.store([told(portal.tenant, erased)])
        first = asyncio.create_task(notifier.workers[0].drain())
        await erasing.wait()
        await notifier.inbox.store([told(portal.tenant, known)])
        await notifier.workers[1].drain()
        go_on.set()
        await first
    await apart.until_handled("notifier", portal.tenant)
    [mail] = await apart.rows("notifier", portal.tenant, "mails")
    assert mail["facts"] == {"accounts": []}


async def test_an_account_that_is_being_told_of_is_erased_after_that(
    apart: Apart, portal: Portal
) -> None:
    who = someone("Poulain")
    known = await activated(apart, portal, who)
    again = await portal.is_asked(who)
    async with portal.at("identity") as work:
        await open_registration(work, again)  # its mail will list the account
        erasing = asyncio.create_task(portal.erases(known.account_id))
        await asyncio.wait({erasing}, timeout=0.3)
    await erasing
    await apart.settle(portal.tenant)
    assert await apart.search([who.username]) == {}
