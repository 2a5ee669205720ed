"""What happens in a run: two services, customers, handlers of every kind, and troubles."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from chassis import clock
from chassis.subscriptions import (
    Handler,
    Subscription,
    Timer,
    TimerHandler,
    every,
    newest,
    on,
    when_due,
)
from contracts.event import Envelope, Event, sealed
from tests.simulation.inbox import Row
from tests.simulation.memory import Memory
from tests.simulation.work import MemoryWork, write_out
from tests.simulation.world import ConnectionLost, World


class Labelled(Event, source="post", version=1, subject="parcel_id"):
    """A parcel has this label now."""

    parcel_id: UUID
    label: str


class Moved(Event, source="post", version=1, subject="parcel_id", concerns=("onto_id",)):
    """A parcel lies on another one now."""

    parcel_id: UUID
    onto_id: UUID


class Gone(Event, source="post", version=1, subject="parcel_id", ends=True):
    """There is no such parcel any more."""

    parcel_id: UUID


class Forwarded(Event, source="hall", version=1, subject="parcel_id"):
    """The hall has seen to a move."""

    parcel_id: UUID


class Reminder(Timer, subject="parcel_id"):
    """Think of the parcel again."""

    parcel_id: UUID


TROUBLES = ("poison", "killer", "shaky", "shaky", "hanging", "losing")
"""Of a handler on one event: always fails, always ends its process; fails, hangs, hangs up once."""

LASTING = {"poison", "killer"}


@dataclass(frozen=True)
class Truth:
    """A parcel as the post has it."""

    epoch: int
    version: int
    label: str


def _handler(handler: Callable[[MemoryWork, Any], Awaitable[None]]) -> Handler:
    """The handler, to which a unit of work in memory is one."""
    return cast(Handler, handler)


class Story:
    """The handlers, and who tells what."""

    def __init__(self, world: World, post: Memory) -> None:
        self.world = world
        self.post = post
        self.epoch = 1
        self.truth: dict[tuple[UUID, UUID], Truth] = {}
        self.gone: set[tuple[UUID, UUID]] = set()
        self.troubles: dict[tuple[UUID, str], str] = {}
        self.tries: Counter[tuple[UUID, str]] = Counter()
        self.hall: tuple[Subscription, ...] = (
            on(Labelled, _handler(self.shelve), newest),
            on(Labelled, _handler(self.note), every),
            on(Labelled, _handler(self.number), every, alone=True),
            on(Moved, _handler(self.move), every),
            on(Gone, _handler(self.leave), newest),
        )
        self.hall_timers: tuple[TimerHandler, ...] = (when_due(Reminder, _handler(self.remind)),)
        self.post_hears: tuple[Subscription, ...] = (on(Forwarded, _handler(self.confirm), every),)

    # ── The customers of the post ────────────────────────────────────────────────────────────────

    async def tell(self, tenant: UUID, parcels: list[UUID], changes: int) -> None:
        """One tenant's customers: each change is a transaction of the post."""
        world = self.world
        for _ in range(changes):
            await asyncio.sleep(world.random.choice((0.0, 0.005, 0.2, 1.0)))
            parcel = world.random.choice(parcels)
            if (tenant, parcel) in self.gone:
                continue
            if world.chance(0.08):
                self.epoch += 1  # a restore: versions begin again where the backup was
                for key, kept in self.truth.items():
                    self.truth[key] = Truth(kept.epoch, max(kept.version - 2, 0), kept.label)
            await self._change(tenant, self._event(tenant, parcel, parcels))
        for parcel in parcels:  # nobody is to wait for a label for ever
            known = self.truth.get((tenant, parcel))
            if (tenant, parcel) not in self.gone and (known is None or not known.label):
                await self._change(tenant, Labelled(parcel_id=parcel, label="at last"))

    async def _change(self, tenant: UUID, event: Event) -> None:
        async with self.post.begin() as inner:
            known = self.truth.get((tenant, event.subject_id))
            envelope = self._seal(event, tenant, 1 if known is None else known.version + 1)
            await write_out(self.post, inner, envelope)
        self._became_true(tenant, envelope, event)

    def _event(self, tenant: UUID, parcel: UUID, parcels: list[UUID]) -> Event:
        world = self.world
        known = self.truth.get((tenant, parcel))
        if known is not None and world.chance(0.1):
            return Gone(parcel_id=parcel)
        others = [one for one in parcels if one != parcel]
        if world.chance(0.35):
            return Moved(parcel_id=parcel, onto_id=world.random.choice(others))
        return Labelled(parcel_id=parcel, label=f"label {world.random.randrange(1000)}")

    def _seal(self, event: Event, tenant: UUID, version: int) -> Envelope:
        envelope = sealed(
            event,
            id=self.world.new_id(),
            tenant=tenant,
            time=clock.now(),
            version=version,
            epoch=self.epoch,
            traceparent=None,
        )
        if self.world.chance(0.15):
            handler = "move" if isinstance(event, Moved) else "note"
            self.troubles[envelope.id, handler] = self.world.random.choice(TROUBLES)
        return envelope

    def _became_true(self, tenant: UUID, envelope: Envelope, event: Event) -> None:
        key = (tenant, envelope.subject)
        known = self.truth.get(key)
        label = event.label if isinstance(event, Labelled) else known.label if known else ""
        self.truth[key] = Truth(envelope.epoch, envelope.version, label)
        if event.ends:
            self.gone.add(key)

    # ── The handlers ─────────────────────────────────────────────────────────────────────────────

    async def shelve(self, work: MemoryWork, event: Labelled) -> None:
        """A projection: the newest label."""
        version = (work.cause.epoch, work.cause.version)
        await work.keep("shelf", event.parcel_id, (version, event.label))
        await work.effect("shelve")

    async def note(self, work: MemoryWork, event: Labelled) -> None:
        """A timeline. Sometimes one is to think of it again."""
        await work.effect("note")
        await self._trouble(work, "note")
        if work.cause.id.int % 3 == 0:
            timer = Reminder(parcel_id=event.parcel_id)
            now, id = clock.now(), UUID(int=work.cause.id.int ^ 1 << 127)
            envelope = Envelope(
                id=id,
                source="",
                type="timer.Reminder",
                subject=event.parcel_id,
                time=now,
                dataschema="",
                tenant=work.tenant,
                version=0,
                epoch=1,
                data=timer.model_dump(mode="json"),
            )
            await work.later(
                Row(
                    work.tenant,
                    id,
                    "remind",
                    position=work.memory.next_position(),
                    state="later",
                    due_at=now + timedelta(seconds=2),
                    stored_at=now,
                    concerned=(event.parcel_id,),
                    envelope=envelope.model_dump(mode="json"),
                )
            )

    async def number(self, work: MemoryWork, event: Labelled) -> None:
        """Takes the tenant's next number: none twice, none left out."""
        key = (work.tenant, "numbers", work.tenant)
        await work.inner.hold(("kept", key))
        last = work.inner.get("kept", key) or 0
        await self.world.step("take number", last + 1)
        await work.keep("numbers", work.tenant, last + 1)
        await work.effect("number", number=last + 1)

    async def move(self, work: MemoryWork, event: Moved) -> None:
        """Needs the other parcel's shelf; tells of it."""
        await work.kept("shelf", event.onto_id)
        await self._trouble(work, "move")
        await work.effect("move")
        await work.emit(Forwarded(parcel_id=event.parcel_id), work.cause.version)

    async def leave(self, work: MemoryWork, event: Gone) -> None:
        """It is gone."""
        await work.effect("leave")

    async def remind(self, work: MemoryWork, timer: Reminder) -> None:
        """The time has come."""
        await work.effect("remind")

    async def confirm(self, work: MemoryWork, event: Forwarded) -> None:
        """The post hears of it."""
        await work.effect("confirm")

    async def _trouble(self, work: MemoryWork, handler: str) -> None:
        key = (work.cause.id, handler)
        trouble = self.troubles.get(key)
        if trouble is None:
            return
        self.tries[key] += 1
        await self.world.step("trouble", trouble)
        if trouble == "killer":
            await self.world.die()
        if trouble == "poison" or (trouble == "shaky" and self.tries[key] <= 3):
            raise ValueError(trouble)
        if trouble == "hanging" and self.tries[key] <= 2:
            await self.world.never()
        if trouble == "losing" and self.tries[key] <= 3:
            raise ConnectionLost
