"""The unit of work of the simulation's handlers, and the outbox in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import clock
from chassis.problems import NotYet
from contracts.event import Envelope, Event, sealed
from tests.simulation.memory import Memory, Transaction


class MemoryWork:
    """What `chassis.work.UnitOfWork` is to a handler, over memory, with plain rows."""

    def __init__(self, memory: Memory, inner: Transaction, cause: Envelope, epoch: int) -> None:
        self.memory = memory
        self.inner = inner
        self.cause = cause
        self.tenant = cause.tenant
        self.ended: set[UUID] = set()
        self.emitted = False
        self.timers_set = False
        self._epoch = epoch

    async def effect(self, handler: str, **facts: Any) -> None:
        """What is to be seen of the handler's work: a row for the event that caused it."""
        await self.inner.put("effects", (self.tenant, self.cause.id, handler), facts)

    async def keep(self, name: str, key: UUID, value: Any) -> None:
        """Write a row of the service's own."""
        await self.inner.put("kept", (self.tenant, name, key), value)

    async def kept(self, name: str, key: UUID) -> Any:
        """Read a row of the service's own, and hold it. Raises NotYet."""
        await self.inner.hold(("kept", (self.tenant, name, key)))
        value = self.inner.get("kept", (self.tenant, name, key))
        if value is None:
            raise NotYet(key)
        return value

    async def end(self, *subjects: UUID) -> None:
        """They have come to their end."""
        self.ended.update(subjects)
        for subject in subjects:
            await self.inner.put("ended", (self.tenant, subject), clock.now())

    async def emit(self, event: Event, version: int) -> None:
        """Tell the others."""
        self.emitted = True
        envelope = sealed(
            event,
            id=self.memory.world.new_id(),
            tenant=self.tenant,
            time=clock.now(),
            version=version,
            epoch=self._epoch,
            traceparent=None,
        )
        await write_out(self.memory, self.inner, envelope)

    async def later(self, row: Any) -> None:
        """Set a timer: a row of the inbox, once."""
        self.timers_set = True
        if self.inner.get("inbox", row.key) is None:
            await self.inner.put("inbox", row.key, row)

    async def finish(self) -> None:
        """Write what is left."""
        await self.memory.world.step("finish")


@dataclass(frozen=True)
class Sent:
    """A row of the outbox."""

    position: int
    envelope: Envelope
    sent_at: datetime | None = None


async def write_out(memory: Memory, inner: Transaction, envelope: Envelope) -> None:
    """Put an event into the outbox."""
    row = Sent(memory.next_position(), envelope)
    await inner.put("outbox", (envelope.tenant, envelope.id), row)


class MemoryOutbox:
    """`chassis.publisher.Outbox`, in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @property
    def service(self) -> str:
        """Whose it is."""
        return self._memory.service

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["MemoryOutboxTransaction"]:
        """A transaction."""
        async with self._memory.begin() as inner:
            yield MemoryOutboxTransaction(self._memory, inner)

    async def forget(self, before: datetime) -> None:
        """Delete what was sent before that instant."""
        async with self._memory.begin() as inner:
            for key, row in inner.scan("outbox"):
                if row.sent_at is not None and row.sent_at < before:
                    await inner.put("outbox", key, None)

    async def listen(self, heard: Callable[[], None]) -> None:
        """Nobody notifies: the poll must do."""
        await self._memory.world.never()


class MemoryOutboxTransaction:
    """`chassis.publisher.OutboxTransaction`, in memory."""

    def __init__(self, memory: Memory, inner: Transaction) -> None:
        self._memory = memory
        self._inner = inner

    async def claim(self, most: int) -> list[Envelope]:
        """The first unsent that nobody holds."""
        await self._memory.world.step("claim outbox")
        unsent = [(row, key) for key, row in self._inner.scan("outbox") if row.sent_at is None]
        claimed: list[Envelope] = []
        for row, key in sorted(unsent, key=lambda pair: pair[0].position):
            if len(claimed) == most:
                break
            if self._inner.may_hold(("outbox", key)):
                claimed.append(row.envelope)
        return claimed

    async def mark(self, envelopes: Sequence[Envelope], now: datetime) -> None:
        """They were sent."""
        await self._memory.world.step("mark sent", len(envelopes))
        for envelope in envelopes:
            key = (envelope.tenant, envelope.id)
            row = self._inner.get("outbox", key)
            if row is not None:
                await self._inner.put("outbox", key, replace(row, sent_at=now))
