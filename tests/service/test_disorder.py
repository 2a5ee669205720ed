"""Every subscription bears disorder: its events late, shuffled and doubled leave the same.

One story that makes every event there is a subscription for is lived by several tenants through
the services' verbs: once with its events in order, then with each service hearing them at random
times, in random order, twice. What the services then hold is alike, row by row, up to the names of
what is drawn anew in each life.
"""

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from chassis.work import TIMER_TYPE
from contracts.event import EVENTS, Envelope
from contracts.identity import RecoverySubmitted, RegistrationSubmitted
from guichet.parts import SERVICES
from tests.builders.story import Portal, Someone, someone
from tests.support.alike import Row, differences
from tests.support.apart import Apart

SEEDS = range(12)

CHASSIS_TABLES = ("tenant_projections", "ended", "projected", "outbox", "inbox")
"""What the chassis keeps of what was told; besides, the service's own tables are compared."""

OF_NO_ACCOUNT = {"tenant_id", "position", "traceparent", "time", "due_at", "sent_at"}
"""Columns and attributes that tell when and in which order something ran, not what came of it."""

IN_ANY_ORDER = {"request_counters"}
"""Who is gone before a number was given to them takes none: `numbers` tells what must hold."""

NEEDED = {RegistrationSubmitted.type_name(), RecoverySubmitted.type_name()}
"""What identity must have handled before its people can go on."""


@dataclass
class Life:
    """A tenant whose events are carried by hand: in order, or as chance will have it."""

    apart: Apart
    order: random.Random | None
    portal: Portal = field(init=False)
    told: list[Envelope] = field(default_factory=list)
    waiting: dict[str, list[Envelope]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    """Services that hear nothing until the end."""

    def __post_init__(self) -> None:
        self.portal = self.apart.portal()
        self.waiting = {name: [] for name in SERVICES}
        if self.order is not None:
            self.away = {name for name in SERVICES if self.order.random() < 0.5}

    @property
    def tenant(self) -> UUID:
        """Whose life it is."""
        return self.portal.tenant

    async def goes_on(self) -> None:
        """Carry what the next deeds need; of the rest, in disorder, as much as chance will."""
        await self._gather()
        for name, waiting in self.waiting.items():
            if self.order is None:
                taken = list(waiting)
            else:
                taken = [one for one in waiting if one.type in NEEDED and name == "identity"]
                if name not in self.away:
                    taken += [one for one in waiting if self.order.random() < 0.15]
            await self._carry(name, taken)

    async def ends(self) -> None:
        """Carry all that is left, and what comes of it, until nothing is told any more."""
        await self._gather()
        while any(self.waiting.values()):
            for name, waiting in self.waiting.items():
                await self._carry(name, list(waiting))
            await self._gather()

    async def time_passes(self, subject: UUID) -> None:
        """The days are over for which a registration, or what a mailed link names, is kept."""
        await self._gather()
        await self.apart.days_pass(subject)

    async def draft_lapses(self, draft: UUID) -> None:
        """Nobody came back to it for ninety days."""
        await self.apart.ninety_days_pass(self.tenant, draft)

    async def undo_is_over(self, draft: UUID) -> None:
        """An hour ago its author threw it away."""
        await self.apart.an_hour_passes(self.tenant, draft)

    async def mails_go(self, *, refused: str) -> None:
        """All mails are sent; the relay refuses those to this address."""
        await self.apart.mails_go(self.tenant, refused=refused)

    async def _gather(self) -> None:
        """Take what was published since; in disorder, each for each service twice."""
        fresh = await self.apart.publish(self.tenant)
        self.told += fresh
        for name, waiting in self.waiting.items():
            heard = [one for one in fresh if one.type in self.apart.runtimes[name].inbox.types]
            waiting.extend(heard if self.order is None else [*heard, *heard])

    async def _carry(self, name: str, taken: list[Envelope]) -> None:
        """Have a service hear these, each once handled: one by one, or in handfuls."""
        for one in taken:
            if one in self.waiting[name]:
                self.waiting[name].remove(one)
        if self.order is not None:
            self.order.shuffle(taken)
        while taken:
            size = 1 if self.order is None else self.order.randint(1, 12)
            handful, taken = taken[:size], taken[size:]
            await self.apart.hear(name, *handful)

    # ── What is left of it ───────────────────────────────────────────────────────────────────────

    async def rows(self, service: str, table: str) -> list[dict[str, Any]]:
        """A table's rows of this tenant."""
        return await self.apart.rows(service, self.tenant, table)

    async def left(self) -> list[Row]:
        """All that the services hold of this tenant but for the inboxes' own bookkeeping."""
        found = []
        for name, service in SERVICES.items():
            for table in {*service.schema.metadata.tables, *CHASSIS_TABLES} - IN_ANY_ORDER:
                rows = await self.rows(name, table)
                if table == "projected":
                    void = await self._void(name)
                    rows = [row for row in rows if row["subject"] not in void]
                found += [Row(f"{name}.{table}", _that_counts(row)) for row in rows]
        return found

    async def _void(self, service: str) -> set[str]:
        """Whose events an end made void: their projection is gone, or was never begun."""
        ended = {row["subject"] for row in await self.rows(service, "ended")}
        return {
            str(one.subject)
            for one in self.told
            if not EVENTS[one.type].ends and ended & {str(id) for id in one.event().concerned_ids}
        }

    async def numbers(self) -> tuple[list[str], int]:
        """The requests' numbers, in order, and the last that was given out."""
        rows = await self.rows("requests", "requests")
        [counter] = await self.rows("requests", "request_counters")
        return sorted(row["number"] for row in rows), counter["last"]

    async def unhandled(self, service: str) -> list[dict[str, Any]]:
        """What is left in the inbox but for timers whose time has not come."""
        rows = await self.rows(service, "inbox")
        return [row for row in rows if not row["envelope"]["type"].startswith(TIMER_TYPE)]

    async def handled(self, service: str) -> set[str]:
        """The handlers that had something to handle."""
        return {row["handler"] for row in await self.rows(service, "inbox_seen")}


def _that_counts(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _that_counts(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if name not in OF_NO_ACCOUNT
    }


async def live(life: Life) -> None:
    """The story: it makes every event that anybody subscribes to, and every end."""
    portal = life.portal
    await portal.opens()
    await portal.offers("anomalie", "evolution", "assistance")
    await portal.is_renamed("YPOK SA")

    stays, lapses, leaves = someone("Durand"), someone("Lefort"), someone("Marchand")
    submitted = {who: await portal.is_asked(who) for who in (stays, lapses, leaves)}
    await life.goes_on()
    await portal.is_asked_again(await portal.account_of(submitted[lapses]), lapses)
    staying = await portal.activates(await portal.account_of(submitted[stays]), stays)
    leaving = await portal.activates(await portal.account_of(submitted[leaves]), leaves)
    brought = await portal.is_given(someone("Carpentier"))
    invited = someone("Vasseur")
    guest = await portal.activates(await portal.invites(invited), invited)
    never_came = await portal.invites(someone("Aubry"))

    # Known addresses: one asks for a further account, one lets the offer lapse, one is erased.
    again = {who: await portal.is_asked(who) for who in (stays, leaves, brought.who)}
    await life.goes_on()
    await portal.wants_another(again[stays], stays)
    await portal.wants_another(again[leaves], leaves)
    further = Someone(stays.name, stays.first_name, stays.address, "service-durand-2")
    second = await portal.activates(await portal.account_of(again[stays]), further)
    await portal.is_asked(stays)  # a third time: that mail lists both, of whom one will be erased

    terms = await portal.publishes_terms("Soyez précis.")
    await portal.files(staying, "anomalie", answer="L’écran est blanc", accepts=terms, times=2)
    await portal.files(second, "anomalie", answer="L’écran est noir")
    await portal.files(leaving, "evolution", answer="Plus grand", accepts=terms)
    await portal.files(brought, "assistance", answer="Comment faire ?", accepts=terms)
    await portal.begins(staying, "evolution", answer="Plus petit")
    await portal.begins(leaving, "anomalie", answer="L’écran est gris")
    forgotten = await portal.begins(brought, "evolution", answer="Plus vert")
    thrown_away = await portal.begins(guest, "assistance", answer="Plus tard")
    await portal.throws_away(guest, thrown_away)
    regretted = await portal.begins(guest, "anomalie", answer="Plus tôt")
    await portal.throws_away(guest, regretted)
    await life.goes_on()
    await portal.takes_back(guest, regretted)
    await life.draft_lapses(forgotten)
    await life.undo_is_over(thrown_away)
    await portal.offers("anomalie", "assistance", minutes=12)  # evolution is retired
    await portal.offers("anomalie", "assistance", "evolution")  # and comes back
    await portal.offers("anomalie", "evolution")  # assistance is retired
    await portal.is_suspended()
    await portal.is_resumed()
    await portal.tells_anew(staying, birth_name="Durand-Roy", address="roy@givors.example")
    await portal.tells_anew(staying, birth_name="Roy")
    await portal.tells_anew(leaving, address="ailleurs@givors.example")
    await portal.signs_out(staying)
    await portal.signs_out(guest)

    # What was lost is found again: one of two accounts at an address, one that will be erased.
    await portal.loses("username", address="roy@givors.example")
    await portal.loses("username", address=further.address)
    lost = await portal.loses("password", address="roy@givors.example")
    await portal.loses("password", username=leaves.username)
    await portal.loses("password", address="nobody@givors.example")
    await life.goes_on()
    staying = await portal.resets(staying, "roy@givors.example")
    moved = await portal.wants_mails_at(staying, "durand@givors.example")
    await portal.confirms(moved)
    await portal.wants_mails_at(leaving, "nulle-part@givors.example")
    await portal.changes_password(staying)
    await portal.changes_password(leaving)

    await life.goes_on()
    await life.time_passes(submitted[lapses])
    await life.time_passes(again[brought.who])
    await life.time_passes(lost)
    await life.time_passes(moved)
    await life.goes_on()
    await portal.erases(leaving.account_id)
    await portal.erases(await portal.account_of(again[leaves]))  # never activated
    await portal.erases(brought.account_id)
    await portal.erases(second.account_id)
    await portal.erases(never_came)
    await life.ends()
    await life.mails_go(refused="durand@givors.example")
    await portal.is_suspended()
    await life.ends()


@pytest.fixture(scope="module")
async def in_order(apart: Apart) -> Life:
    """The story with every event heard once, at once and in order."""
    life = Life(apart, None)
    await live(life)
    return life


@pytest.mark.parametrize("service", SERVICES)
async def test_the_story_tells_of_all_that_is_subscribed_to(in_order: Life, service: str) -> None:
    wanted = {
        event.type_name()
        for subscription in SERVICES[service].subscriptions
        for event in subscription.events
    }
    assert wanted - {one.type for one in in_order.told} == set()
    listed = {one.name for one in SERVICES[service].subscriptions}
    listed |= {one.name for one in SERVICES[service].timers}
    assert await in_order.handled(service) == listed
    assert await in_order.unhandled(service) == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_events_shuffled_and_doubled_leave_the_same(
    apart: Apart, in_order: Life, seed: int
) -> None:
    life = Life(apart, random.Random(seed))
    await live(life)
    for name in SERVICES:
        assert await life.unhandled(name) == []
    found = differences(await in_order.left(), await life.left())
    assert not found, "\n".join(found)
    numbers, last = await life.numbers()
    assert len(set(numbers)) == len(numbers)
    assert int(numbers[-1].partition("-")[2]) <= last <= (await in_order.numbers())[1]
