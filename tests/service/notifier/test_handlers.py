"""What events make of the tables, in any order and however often they come."""

import random
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from contracts.event import Envelope
from tests.builders.notifier import (
    a_changed_address,
    a_changed_password,
    a_known_address,
    a_lapse,
    a_password_reset,
    a_profile,
    a_reminder,
    a_saved_request,
    a_tenant,
    an_activation_request,
    an_address_change,
    an_erasure,
    an_invitation,
    told,
)
from tests.service.notifier.conftest import Office
from tests.service.notifier.relay import reply, take_and_hang_up, text_of

KEPT = {
    "mails": "id, event_id, template, facts, person_id, address, language, concerned, link_purpose,"
    " link_id, requested_at, drop_after, state, due_at, attempts, message_id, accepted_at",
    "attempts": "outcome, code, words",
    "requesters": "id, account_id, name, address, language",
    "tenant_projections": "state, facts",
    "inbox": "id, handler, state",
    "ended": "subject",
}


async def kept(office: Office, tenant: UUID) -> dict[str, list[tuple[Any, ...]]]:
    """The tenant's tables."""
    return {
        table: await office.of(tenant, f"SELECT {columns} FROM {table} ORDER BY 1")
        for table, columns in KEPT.items()
    }


def a_story(tenant: UUID) -> list[Envelope]:
    """Two towns and what is told of them; one is erased, one registration lapses."""
    lyon, lyons_account, lyons_registration = new_id(), new_id(), new_id()
    person, account = new_id(), new_id()
    lapsed = new_id()
    name = {"person_id": person, "account_id": account}
    gone = {"person_id": lyon, "account_id": lyons_account}
    return [
        told(tenant, a_tenant(tenant)),
        told(tenant, a_tenant(tenant, state="suspended"), version=2),
        told(tenant, an_activation_request(submission_id=lapsed)),
        told(tenant, a_known_address(submission_id=lapsed)),
        told(tenant, a_lapse(lapsed), version=2),
        told(tenant, a_saved_request(person_id=None, account_id=None, submission_id=lapsed)),
        told(
            tenant,
            an_activation_request(account_id=lyons_account, submission_id=lyons_registration),
        ),
        told(tenant, a_profile(**gone)),
        told(tenant, a_saved_request(**gone)),
        told(
            tenant,
            a_known_address(usernames=("lyon", "stays"), account_ids=(lyons_account, account)),
        ),
        told(tenant, a_known_address(submission_id=lyons_registration)),
        told(tenant, an_erasure(lyons_account, lyon, lyons_registration), version=9),
        told(tenant, a_profile(**name, address="old@stays.example")),
        told(tenant, a_profile(**name, address="new@stays.example"), version=2),
        told(tenant, a_saved_request(**name)),
        told(tenant, an_invitation()),
        told(tenant, an_activation_request()),
        told(
            tenant,
            a_reminder(usernames=("lyon", "stays"), account_ids=(lyons_account, account)),
        ),
        told(tenant, a_reminder(usernames=("lyon",), account_ids=(lyons_account,))),
        told(tenant, a_password_reset(account_id=lyons_account, username="lyon")),
        told(tenant, a_password_reset(account_id=account)),
        told(tenant, a_changed_password(account_id=lyons_account, username="lyon")),
        told(tenant, a_changed_password(account_id=account)),
        told(tenant, an_address_change(account_id=lyons_account, username="lyon")),
        told(tenant, an_address_change(account_id=account)),
        told(tenant, a_changed_address(**gone, username="lyon")),
        told(tenant, a_changed_address(**name)),
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_events_shuffled_and_doubled_leave_the_same(office: Office, seed: int) -> None:
    tenant = new_id()
    story = a_story(tenant)
    await office.hear(tenant, *story)
    in_order = await kept(office, tenant)
    for table in ("mails", "requesters", "tenant_projections", "inbox", "inbox_seen", "projected"):
        await office.clear(tenant, table)
    await office.clear(tenant, "ended")
    shuffled = [*story, *story]
    random.Random(seed).shuffle(shuffled)
    await office.hear(tenant, *shuffled)
    assert await kept(office, tenant) == in_order
    assert in_order["inbox"] == []
    mails = sorted((row[2], row[5]) for row in in_order["mails"])
    assert [template for template, _ in mails] == [
        "activation",
        "address_change",
        "address_changed",
        "address_known",
        "invitation",
        "password_changed",
        "password_reset",
        "request_recorded",
        "username_reminder",
    ]
    assert ("request_recorded", "new@stays.example") in mails
    assert "lyon" not in str(in_order)
    assert "stays" in str(in_order)


async def test_a_replay_that_forgot_what_was_seen_makes_no_second_mail(office: Office) -> None:
    tenant = await office.tenant()
    event = told(tenant, an_activation_request())
    await office.hear(tenant, event)
    await office.clear(tenant, "inbox_seen")
    await office.hear(tenant, event)
    assert await office.of(tenant, "SELECT count(*)::int FROM mails") == [(1,)]


async def test_asking_twice_makes_two_mails(office: Office) -> None:
    tenant = await office.tenant()
    event = an_activation_request()
    await office.hear(tenant, event, event)
    assert await office.of(tenant, "SELECT count(*)::int FROM mails") == [(2,)]


async def test_an_erasure_leaves_what_became_of_a_mail_and_nothing_of_whom(
    office: Office,
) -> None:
    tenant = await office.tenant()
    person, account = new_id(), new_id()
    activation = an_activation_request(account_id=account, address="erased@town.example")
    await office.hear(
        tenant,
        activation,
        a_profile(
            person_id=person, account_id=account, address="erased@town.example", birth_name="Vauban"
        ),
    )
    office.relay.script = [
        take_and_hang_up,
        reply("451 <erased@town.example> waits"),
        reply("250 kept for <erased@town.example>"),
    ]
    delivery = office.delivery()
    while await office.of(tenant, "SELECT 1 FROM mails WHERE state = 'queued'"):
        await delivery.deliver_due()
    await office.hear(tenant, a_saved_request(person_id=person, account_id=account))
    assert "erased@town.example" in await office.dump()
    await office.hear(tenant, an_erasure(account, person))
    resting = await office.dump()
    assert "erased@town.example" not in resting
    assert "Vauban" not in resting
    assert await office.of(tenant, "SELECT state, address, attempts FROM mails") == [
        ("accepted", "", 3)
    ]
    outcomes = await office.of(tenant, "SELECT outcome, words FROM attempts ORDER BY tried_at")
    assert outcomes == [("unknown", ""), ("deferred", ""), ("accepted", "")]


async def test_a_reminder_that_was_sent_is_let_go_of_with_the_last_account_it_named(
    office: Office,
) -> None:
    tenant = await office.tenant()
    one, other = new_id(), new_id()
    reminder = a_reminder(
        address="shared@town.example", usernames=("one", "other"), account_ids=(one, other)
    )
    await office.hear(tenant, reminder)
    await office.delivery().deliver_due()
    assert "- one\n- other" in text_of(office.relay.received[0]).replace("\r", "")
    await office.hear(tenant, an_erasure(one, new_id()))
    assert await office.of(tenant, "SELECT address, facts FROM mails") == [
        ("shared@town.example", {"accounts": [{"id": str(other), "username": "other"}]})
    ]
    await office.hear(tenant, an_erasure(other, new_id()))
    assert await office.of(tenant, "SELECT state, address, facts FROM mails") == [
        ("accepted", "", {})
    ]


async def test_one_tenant_sees_nothing_of_another(office: Office) -> None:
    one, other = await office.tenant(), await office.tenant()
    await office.hear(one, an_activation_request())
    assert await office.of(one, "SELECT count(*)::int FROM mails") == [(1,)]
    assert await office.of(other, "SELECT count(*)::int FROM mails") == [(0,)]
