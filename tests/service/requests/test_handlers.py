"""Events of others, in any order and doubled: what is kept is the same, or is gone."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from contracts.catalog import ProcedureRetired
from contracts.event import Envelope, Event
from contracts.requests import RequestSaved
from tests.builders.requests import Town, a_portal, a_procedure, told
from tests.service.requests.conftest import Counter

KEPT = {
    "requests": "id, procedure_title, sections, person_id, account_id, organisation_id,"
    " submission_id, state, saved_at",  # the number tells the order in which they came
    "requesters": "id, account_id, organisation_id, birth_name, address",
    "organisations": "id, name, city",
    "procedures": "id, slug, title, minutes, form_version, form",
    "acceptances": "id, person_id, account_id, terms_version, accepted_at",
    "mail_outcomes": "id, request_id, submission_id, template, outcome, code, words, ended_at",
    "ended": "subject",
    "inbox": "handler, state",
}

Told = tuple[Event, int]
"""An event and the version of its subject."""


async def kept(counter: Counter, tenant: UUID) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(await counter.of(tenant, f"SELECT {columns} FROM {table}"), key=repr)
        for table, columns in KEPT.items()
    }


async def after(
    counter: Counter, story: Sequence[Told], order: random.Random | None
) -> dict[str, list[tuple[Any, ...]]]:
    """What a new tenant holds once it heard the story: in its order, or doubled and shuffled."""
    tenant = new_id()
    envelopes = [told(tenant, event, version=version) for event, version in story]
    envelopes.append(told(tenant, a_portal(tenant)))
    if order is not None:
        envelopes *= 2
        order.shuffle(envelopes)
        await in_handfuls(counter, envelopes, order)
    else:
        await counter.hear(tenant, *envelopes)
    await counter.settle(tenant)
    return await kept(counter, tenant)


async def in_handfuls(
    counter: Counter, envelopes: Sequence[Envelope], order: random.Random
) -> None:
    start = 0
    while start < len(envelopes):
        end = start + order.randint(1, 4)
        await counter.runtime.inbox.store(envelopes[start:end])
        await counter.runtime.workers[0].drain()
        start = end


def activated(town: Town) -> list[Told]:
    return [
        (town.submits(), 1),
        (town.gets_mail(), 1),
        (town.gets_no_mail(), 1),
        (town.gets_mail(submission_id=None), 1),  # about an account alone: not a request's
        (town.is_called(birth_name="Matin"), 1),
        (town.is_called(), 2),
        (town.stands_at(name="Saint Amand"), 1),
        (town.stands_at(), 2),
        (town.activates(), 2),
    ]


def erased(town: Town) -> list[Told]:
    return [*activated(town), (town.is_erased(), 3)]


def lapsed(town: Town) -> list[Told]:
    return [(town.submits(), 1), (town.gets_mail(account_id=None), 1), (town.lapses(), 2)]


def invited(town: Town) -> list[Told]:
    return [(town.is_called(), 1), (town.activates(submission_id=None), 2)]


def offered() -> list[Told]:
    first = a_procedure()
    return [(first, 1), (first.model_copy(update={"minutes": 9, "form_version": 2}), 2)]


def retired() -> list[Told]:
    procedures = offered()
    id = procedures[0][0].subject_id
    return [*procedures, (ProcedureRetired(procedure_id=id), 3)]


STORIES: dict[str, list[Told]] = {
    "activated": activated(Town()),
    "erased": erased(Town()),
    "lapsed": lapsed(Town()),
    "invited": invited(Town()),
    "offered": offered(),
    "retired": retired(),
    "all": [
        *activated(Town()),
        *erased(Town()),
        *erased(Town()),
        *lapsed(Town()),
        *invited(Town()),
        *offered(),
        *retired(),
    ],
}


@pytest.mark.parametrize("name", STORIES)
async def test_shuffled_and_doubled_events_leave_the_same(counter: Counter, name: str) -> None:
    story = STORIES[name]
    in_order = await after(counter, story, None)
    assert in_order["inbox"] == []
    for seed in range(6):
        assert await after(counter, story, random.Random(seed)) == in_order, f"seed {seed}"


@pytest.mark.parametrize("name", ["erased", "lapsed"])
async def test_an_end_leaves_nothing_of_the_person(counter: Counter, name: str) -> None:
    for order in (None, *(random.Random(seed) for seed in range(4))):
        left = await after(counter, STORIES[name], order)
        assert left["requests"] == []
        assert left["requesters"] == []
        assert left["acceptances"] == []
        assert left["mail_outcomes"] == []


async def test_what_became_of_mails_is_kept_once_each(counter: Counter) -> None:
    left = await after(counter, STORIES["activated"], None)
    assert sorted(row[4] for row in left["mail_outcomes"]) == ["accepted", "refused"]


async def test_what_became_of_mails_about_a_request_goes_with_its_person(counter: Counter) -> None:
    tenant = await counter.portal()
    gone, stays = await counter.town(tenant), await counter.town(tenant)
    for town in (gone, stays):
        about = {"request_id": town.request_id, "submission_id": None, "account_id": None}
        await counter.hear(tenant, town.gets_mail(**about))
    await counter.hear(tenant, gone.is_erased(submission_id=None), version=3)
    assert await counter.of(tenant, "SELECT request_id FROM mail_outcomes") == [(stays.request_id,)]


async def test_a_registration_becomes_a_request_with_a_number(counter: Counter) -> None:
    tenant = await counter.portal()
    town = Town()
    await counter.hear(tenant, town.submits())
    [saved] = await counter.events(tenant, RequestSaved)
    assert saved.number == "2026-000001"
    assert (saved.request_id, saved.submission_id) == (town.request_id, town.submission_id)
    assert saved.person_id is None
    await counter.hear(tenant, town.activates(), version=2)
    owners = "SELECT person_id, account_id, organisation_id FROM requests"
    assert await counter.of(tenant, owners) == [
        (town.person_id, town.account_id, town.organisation_id)
    ]


async def test_the_number_follows_the_tenants_own_calendar(counter: Counter) -> None:
    for zone, number in (("Pacific/Auckland", "2027-000001"), ("Europe/Paris", "2026-000001")):
        tenant = await counter.portal(timezone=zone)
        await counter.hear(tenant, Town().submits(submitted_at="2026-12-31T18:00:00Z"))
        assert await counter.of(tenant, "SELECT number FROM requests") == [(number,)]


async def test_an_activation_waits_for_its_registration(counter: Counter) -> None:
    tenant = await counter.portal()
    town = Town()
    await counter.hear(tenant, town.activates(), version=2)
    assert await counter.of(tenant, "SELECT handler, awaits FROM inbox") == [
        ("link_registration", town.submission_id)
    ]
    await counter.hear(tenant, town.submits())
    await counter.settle(tenant)
    assert await counter.of(tenant, "SELECT person_id FROM requests") == [(town.person_id,)]


async def test_a_registration_waits_for_its_tenant(counter: Counter) -> None:
    tenant, town = new_id(), Town()
    await counter.hear(tenant, town.submits())
    assert await counter.of(tenant, "SELECT handler, awaits FROM inbox") == [
        ("record_registration", tenant)
    ]
    await counter.hear(tenant, a_portal(tenant))
    await counter.settle(tenant)
    assert await counter.of(tenant, "SELECT number FROM requests") == [("2026-000001",)]


async def test_the_erasure_of_one_leaves_the_others(counter: Counter) -> None:
    tenant = await counter.portal()
    gone = await counter.town(tenant)
    stays = await counter.town(tenant)
    await counter.hear(tenant, gone.is_erased(submission_id=None), version=3)
    assert await counter.of(tenant, "SELECT id FROM requesters") == [(stays.person_id,)]
    assert await counter.of(tenant, "SELECT id FROM requests") == [(stays.request_id,)]
    assert await counter.of(tenant, "SELECT person_id FROM acceptances") == [(stays.person_id,)]
