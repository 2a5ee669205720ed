"""A poison event is dead with its error, and all the rest flows; mended and replayed, it works.

What ails is a handler that fails, data that can't be read, a type that the code does not know or a
handler that it has no more; each on the real services.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from chassis.inbox.dead import DeadRow, dead_rows, discard, replay
from chassis.work import UnitOfWork
from contracts.event import EVENTS, Envelope, Event
from contracts.identity import AccountActivated, ProfileChanged
from tests.builders.requests import Town, a_portal, told
from tests.builders.story import Portal, Someone, someone
from tests.support.apart import Apart

BOTH = ("keep_acceptance", "link_registration")
"""Who handles that an account was activated, in requests."""


async def fail(_work: UnitOfWork, event: Event) -> None:
    """A handler that can do nothing with what comes."""
    raise ValueError(repr(event))


@contextlib.contextmanager
def without_type(event: type[Event]) -> Iterator[None]:
    """The code knows no event of this type."""
    kept = EVENTS.pop(event.type_name())
    try:
        yield
    finally:
        EVENTS[event.type_name()] = kept


@dataclass
class Ailment:
    """What is wrong with an activation, in requests."""

    name: str
    dead: tuple[str, ...]
    """The handlers that it kills."""
    error: str
    meanwhile: Any = field(default=contextlib.nullcontext)
    """Given the services: a context in which it is so."""
    damage: dict[str, Any] = field(default_factory=dict)
    """What stands in the event's data instead."""
    attempts: int = 3


AILMENTS = [
    Ailment(
        "a handler that fails",
        ("link_registration",),
        "builtins.ValueError at fail:",
        meanwhile=lambda apart: apart.handled_by("requests", "link_registration", fail),
    ),
    Ailment(
        "a handler that is no more",
        ("link_registration",),
        "chassis.inbox.handling.UnknownHandler at ",
        meanwhile=lambda apart: apart.handled_by("requests", "link_registration", None),
        attempts=1,
    ),
    Ailment(
        "a type that is unknown",
        BOTH,
        "builtins.KeyError at event:",
        meanwhile=lambda _apart: without_type(AccountActivated),
    ),
    Ailment(
        "data that can't be read",
        BOTH,
        "pydantic_core._pydantic_core.ValidationError at ",
        damage={"activated_at": "Ondine-Delorme, delorme@mairie-delorme.example"},
    ),
]


@dataclass
class Case:
    """A town's person who registered and has just activated; nobody was told of the latter yet."""

    portal: Portal
    who: Someone
    person_id: UUID
    envelopes: list[Envelope]
    """In order: the activation, then the rest."""

    @property
    def tenant(self) -> UUID:
        """Where."""
        return self.portal.tenant


@pytest.fixture
async def case(apart: Apart) -> Case:
    portal, who = apart.portal(), someone("Delorme")
    await portal.opens()
    submission = await portal.is_asked(who)
    await apart.settle(portal.tenant)
    known = await portal.activates(await portal.account_of(submission), who)
    envelopes = await apart.publish(portal.tenant)
    assert envelopes[0].type == AccountActivated.type_name()
    return Case(portal, who, known.person_id, envelopes)


async def dead_of(apart: Apart, service: str, tenant: UUID) -> list[DeadRow]:
    found = await dead_rows(apart.runtimes[service].database.mover)
    return sorted((row for row in found if row.tenant == tenant), key=lambda row: row.handler)


async def holds(apart: Apart, case: Case) -> dict[str, int]:
    """How many rows of each kind the activation and what came with it made in requests."""
    requests = await apart.rows("requests", case.tenant, "requests")
    return {
        "linked": sum(row["person_id"] == str(case.person_id) for row in requests),
        "acceptances": len(await apart.rows("requests", case.tenant, "acceptances")),
        "requesters": len(await apart.rows("requests", case.tenant, "requesters")),
        "organisations": len(await apart.rows("requests", case.tenant, "organisations")),
    }


ALL = {"linked": 1, "acceptances": 1, "requesters": 1, "organisations": 1}


@pytest.mark.parametrize("ailment", AILMENTS, ids=lambda ailment: ailment.name)
async def test_a_poison_event_is_dead_and_the_rest_flows(
    apart: Apart, case: Case, ailment: Ailment, capsys: pytest.CaptureFixture[str]
) -> None:
    poison, *rest = case.envelopes
    sick = poison.model_copy(update={"data": {**poison.data, **ailment.damage}})
    neighbour = Town()
    elsewhere = [told(neighbour.person_id, neighbour.is_called())]  # another tenant
    with ailment.meanwhile(apart):
        await apart.hear("requests", sick, *rest, *elsewhere)
        await apart.until_dead("requests", case.tenant, *ailment.dead)
    found = await holds(apart, case)
    assert found == {
        **ALL,
        "linked": 0,
        "acceptances": int("keep_acceptance" not in ailment.dead),
    }
    assert len(await apart.rows("requests", neighbour.person_id, "requesters")) == 1

    dead = await dead_of(apart, "requests", case.tenant)
    assert [row.handler for row in dead] == sorted(ailment.dead)
    for row in dead:
        assert (row.id, row.type, row.attempts) == (poison.id, poison.type, ailment.attempts)
        assert row.error.startswith(ailment.error)
        assert not any(trace in row.error for trace in case.who.traces())
    logged = "".join(capsys.readouterr())
    assert not any(trace in logged for trace in case.who.traces())

    mover = apart.runtimes["requests"].database.mover
    await apart.move(  # the mend, where it is the data's
        "requests",
        "UPDATE inbox SET envelope = CAST(:envelope AS jsonb) WHERE id = :id",
        envelope=poison.model_dump_json(),
        id=poison.id,
    )
    for row in dead:
        assert await replay(mover, row.tenant, row.id, row.handler, by="test")
    await apart.work("requests")
    assert await holds(apart, case) == ALL
    assert await apart.inbox("requests", case.tenant) == {}
    for row in dead:
        assert not await replay(mover, row.tenant, row.id, row.handler, by="test")


async def test_an_envelope_that_cannot_be_read_keeps_nobody_waiting(
    apart: Apart, case: Case
) -> None:
    poison = case.envelopes[0]
    runtime = apart.runtimes["requests"]
    await runtime.inbox.store(case.envelopes)
    await apart.move("requests", "UPDATE inbox SET envelope = '{}' WHERE id = :id", id=poison.id)
    await apart.until_dead("requests", case.tenant, *BOTH)
    assert await holds(apart, case) == {**ALL, "linked": 0, "acceptances": 0}
    for handler in BOTH:
        assert await discard(runtime.database.mover, case.tenant, poison.id, handler, by="test")


async def test_the_other_services_hear_what_is_poison_to_one(apart: Apart, case: Case) -> None:
    [profile] = [one for one in case.envelopes if one.type == ProfileChanged.type_name()]
    with apart.handled_by("requests", "project_requester", fail):
        for name in apart.runtimes:
            await apart.hear(name, profile)
        await apart.until_dead("requests", case.tenant, "project_requester")
    assert len(await apart.rows("notifier", case.tenant, "requesters")) == 1
    assert await apart.rows("requests", case.tenant, "requesters") == []


async def test_what_is_replayed_brings_no_older_state_back(apart: Apart) -> None:
    town, tenant = Town(), Town().person_id
    before = told(tenant, town.is_called(first_name="Alice"), version=1)
    with apart.handled_by("requests", "project_requester", fail):
        await apart.hear("requests", before)
        await apart.until_dead("requests", tenant, "project_requester")
    await apart.hear("requests", told(tenant, town.is_called(first_name="Alix"), version=2))
    mover = apart.runtimes["requests"].database.mover
    assert await replay(mover, tenant, before.id, "project_requester", by="test")
    await apart.work("requests")
    assert await apart.inbox("requests", tenant) == {}
    [requester] = await apart.rows("requests", tenant, "requesters")
    assert requester["first_name"] == "Alix"


async def test_a_dead_event_is_let_go_without_effect(apart: Apart) -> None:
    town, tenant = Town(), Town().person_id
    profile = told(tenant, town.is_called())
    with apart.handled_by("requests", "project_requester", fail):
        await apart.hear("requests", told(tenant, a_portal(tenant)), profile)
        await apart.until_dead("requests", tenant, "project_requester")
    mover = apart.runtimes["requests"].database.mover
    assert await discard(mover, tenant, profile.id, "project_requester", by="test")
    assert not await discard(mover, tenant, profile.id, "project_requester", by="test")
    await apart.work("requests")
    assert await apart.inbox("requests", tenant) == {}
    assert await apart.rows("requests", tenant, "requesters") == []
