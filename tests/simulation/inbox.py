"""The inbox in memory: what `chassis.inbox.postgres` does by SQL, done over dictionaries.

That both answer alike is held by `tests/service/chassis/test_memory_alike.py`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.inbox.notes import KILLS_BOUND
from chassis.inbox.store import InboxStore
from chassis.inbox.verbs import FIRST_TENANT, Claimed, Key, Rest
from chassis.subscriptions import Subscription
from chassis.work import UnitOfWork
from tests.simulation.memory import Memory, Transaction
from tests.simulation.work import MemoryWork
from tests.simulation.world import CURRENT, ConnectionLost


@dataclass(frozen=True)
class Row:
    """A row of the inbox."""

    tenant: UUID
    id: UUID
    handler: str
    position: int
    state: str
    due_at: datetime
    stored_at: datetime
    concerned: tuple[UUID, ...]
    envelope: dict[str, Any]
    awaits: UUID | None = None
    attempts: int = 0
    kills: int = 0
    singly: bool = False
    error: str | None = None

    @property
    def key(self) -> Key:
        """What names it."""
        return (self.tenant, self.id, self.handler)

    @property
    def claimed(self) -> Claimed:
        """As a worker gets it."""
        return Claimed(
            self.tenant,
            self.id,
            self.handler,
            self.concerned,
            self.attempts,
            self.singly,
            self.stored_at,
            self.envelope,
        )


class MemoryTransaction:
    """`chassis.inbox.verbs.Transaction`, in memory."""

    def __init__(self, memory: Memory, inner: Transaction) -> None:
        self._memory = memory
        self._world = memory.world
        self.inner = inner

    async def claim(self, cursor: UUID, *, most: int, each: int) -> tuple[list[Claimed], UUID]:
        """Tenants in turn after the cursor, of each the first rows that nobody holds."""
        await self._world.step("claim", "after", cursor)
        ready: dict[UUID, list[Row]] = {}
        for _, row in self.inner.scan("inbox"):
            if row.state == "ready" and row.tenant > cursor:
                ready.setdefault(row.tenant, []).append(row)
        rows: list[Row] = []
        for tenant in sorted(ready):
            taken = 0
            for row in sorted(ready[tenant], key=lambda one: one.position):
                if taken == each or len(rows) == most:
                    break
                if self.inner.may_hold(("inbox", row.key)):
                    rows.append(row)
                    taken += 1
        following = rows[-1].tenant if len(rows) == most else FIRST_TENANT
        return [row.claimed for row in rows if self._holds_subjects(row)], following

    async def claim_one(self, key: Key) -> Claimed | None:
        """That row, if it is ready and nobody holds it."""
        await self._world.step("claim one", *key)
        row: Row | None = self.inner.get("inbox", key)
        if row is None or row.state != "ready" or not self.inner.may_hold(("inbox", key)):
            return None
        return row.claimed if self._holds_subjects(row) else None

    async def see(self, rows: Sequence[Claimed], now: datetime) -> set[Key]:
        """Insert, on conflict do nothing."""
        await self._world.step("see", len(rows))
        fresh = set()
        for row in rows:
            await self.inner.hold(("seen", row.key))
            if self.inner.get("seen", row.key) is None:
                await self.inner.put("seen", row.key, now)
                fresh.add(row.key)
        return fresh

    async def ended_among(self, rows: Sequence[Claimed]) -> set[tuple[UUID, UUID]]:
        """Which of the subjects have ended."""
        await self._world.step("ended among")
        pairs = {(row.tenant, subject) for row in rows for subject in row.concerned}
        return {pair for pair in pairs if self.inner.get("ended", pair) is not None}

    @asynccontextmanager
    async def handling(self, row: Claimed, epoch: int) -> AsyncIterator[UnitOfWork]:
        """A unit of work that does what the simulation's handlers ask for."""
        await self._world.step("handle", row.handler, row.id)
        work = MemoryWork(self._memory, self.inner, row.envelope, epoch)
        yield cast(UnitOfWork, work)
        await work.finish()

    async def is_newest(self, row: Claimed) -> bool:
        """Insert, on conflict update where it is not older."""
        key = (row.tenant, row.handler, row.envelope.subject)
        await self.inner.hold(("projected", key))
        kept = self.inner.get("projected", key)
        version = (row.envelope.epoch, row.envelope.version)
        if kept is not None and kept > version:
            return False
        await self.inner.put("projected", key, version)
        return True

    async def remove(self, rows: Sequence[Claimed]) -> None:
        """Delete."""
        await self._world.step("remove", len(rows))
        for row in rows:
            if self.inner.get("inbox", row.key) is not None:
                await self.inner.put("inbox", row.key, None)

    async def wake(self, rows: Sequence[Claimed]) -> None:
        """Update, where it awaits one of their subjects."""
        await self._world.step("wake", len(rows))
        arrived = {(row.tenant, row.subject) for row in rows}
        for key, row in self.inner.scan("inbox"):
            if row.state == "awaiting" and (row.tenant, row.awaits) in arrived:
                await self.inner.hold(("inbox", key))
                now = self.inner.get("inbox", key)
                if now is not None and now.state == "awaiting":
                    await self.inner.put("inbox", key, replace(now, state="ready", awaits=None))

    def _holds_subjects(self, row: Row) -> bool:
        """Try each, whether or not one before was refused, as `bool_and` does."""
        tried = [self.inner.may_hold(("subject", (row.tenant, one))) for one in row.concerned]
        return all(tried)


Note = tuple[bool, tuple[Key, ...]]
"""Did they run alone, and which rows."""


class MemoryNotes:
    """`chassis.inbox.verbs.Notes`, in memory: the lock is freed when the connection is gone."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._world = memory.world
        self._lock: Transaction | None = None
        self._worker = 0
        self._is_clear = True

    async def write(self, rows: Sequence[Claimed], *, alone: bool) -> None:
        """Note what is about to run."""
        await self._open()
        await self._write(tuple(row.key for row in rows), alone)
        self._is_clear = False

    async def clear(self) -> None:
        """Nothing runs."""
        if not self._is_clear:
            await self._write((), False)
            self._is_clear = True

    async def blame_the_left_behind(self) -> int:
        """Act on notes whose lock is free."""
        await self._open()
        blamed = 0
        for worker, read_before in list(self._memory.tables["notes"].items()):
            if worker == self._worker:
                continue
            async with self._memory.begin() as inner:
                await self._world.step("look at note", worker)
                if not inner.may_hold(("worker", worker)):
                    continue
                alone, running = self._read_again(inner.get("notes", worker), read_before)
                for key in running:
                    if inner.get("inbox", key) is None:
                        continue
                    await inner.hold(("inbox", key))
                    row: Row | None = inner.get("inbox", key)
                    if row is not None:
                        await inner.put("inbox", key, self._blamed(row, alone))
                await inner.put("notes", worker, None)
                blamed += bool(running)
        return blamed

    async def close(self) -> None:
        """Take the note away."""
        if self._lock is not None and not self._lock.is_over:
            async with self._memory.begin() as inner:
                await inner.put("notes", self._worker, None)
            self._memory.undo(self._lock)

    def _read_again(self, note: Note | None, read_before: Note) -> Note:
        """The note as it stands now: another may have acted on it and taken it away."""
        return note or (False, ())

    async def _open(self) -> None:
        if self._lock is not None and not self._lock.is_over:
            return
        await self._world.step("open notes")
        self._lock = self._memory.open_one()
        lost, self._worker = self._worker, self._world.random.getrandbits(62)
        await self._lock.hold(("worker", self._worker))
        if lost:
            async with self._memory.begin() as inner:
                await inner.put("notes", lost, None)
        self._is_clear = True

    async def _write(self, running: tuple[Key, ...], alone: bool) -> None:
        if self._lock is None or self._lock.is_over:
            raise ConnectionLost
        try:
            async with self._memory.begin() as inner:
                await inner.put("notes", self._worker, (alone, running))
        except ConnectionLost:
            process = CURRENT.get()
            if process is not None:
                process.lost_note = True
            self._memory.undo(self._lock)
            raise

    def _blamed(self, row: Row, alone: bool) -> Row:
        kills = row.kills + alone
        if kills < KILLS_BOUND:
            return replace(row, singly=True, kills=kills)
        return replace(row, singly=True, kills=kills, state="dead", error="ended its worker twice")


class MemoryInbox:
    """`chassis.inbox.verbs.Inbox`, in memory."""

    def __init__(
        self,
        memory: Memory,
        epoch: Callable[[], int] = lambda: 1,
        notes: type[MemoryNotes] = MemoryNotes,
        transaction: type[MemoryTransaction] = MemoryTransaction,
    ) -> None:
        self._memory = memory
        self._epoch = epoch
        self._notes = notes
        self._transaction = transaction

    @property
    def service(self) -> str:
        """Whose it is."""
        return self._memory.service

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        """A transaction."""
        async with self._memory.begin() as inner:
            yield self._transaction(self._memory, inner)

    def notes(self) -> MemoryNotes:
        """Notes of a worker of its own."""
        return self._notes(self._memory)

    async def load_epoch(self) -> int:
        """The installation's epoch."""
        return self._epoch()

    async def ripen(self, now: datetime) -> int:
        """What is due and nobody holds becomes ready."""
        async with self._memory.begin() as inner:
            due = [
                row
                for _, row in inner.scan("inbox")
                if row.state in {"later", "awaiting"} and row.due_at <= now
            ]
            free = [row for row in due if inner.may_hold(("inbox", row.key))]
            for row in free:
                await inner.put("inbox", row.key, replace(row, state="ready", awaits=None))
            return len(free)

    async def next_due(self) -> datetime | None:
        """The first instant at which something is due."""
        await self._memory.world.step("next due")
        waiting = ("later", "awaiting")
        rows = self._memory.tables["inbox"].values()
        return min((row.due_at for row in rows if row.state in waiting), default=None)

    async def lay_down(self, key: Key, rest: Rest) -> None:
        """Update, unless it is dead."""
        async with self._memory.begin() as inner:
            await self._memory.world.step("lay down", *key, rest.state)
            if inner.get("inbox", key) is None:
                return
            await inner.hold(("inbox", key))
            row: Row | None = inner.get("inbox", key)
            if row is None or row.state == "dead":
                return
            rested = replace(
                row,
                state=rest.state,
                due_at=rest.due_at,
                attempts=rest.attempts,
                awaits=rest.awaits,
                error=rest.error,
            )
            await inner.put("inbox", key, rested)

    async def forget_seen(self, before: datetime) -> None:
        """Delete the old ones."""
        async with self._memory.begin() as inner:
            for key, seen_at in inner.scan("seen"):
                if seen_at < before:
                    await inner.put("seen", key, None)


class MemoryInboxStore(InboxStore):
    """Storing, as it is, but into memory."""

    def __init__(
        self,
        memory: Memory,
        subscriptions: Sequence[Subscription],
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(cast(AsyncEngine, None), subscriptions, stored)
        self._memory = memory

    async def _insert(self, rows: list[dict[str, Any]]) -> None:
        """Insert, on conflict do nothing: who finds a row being written waits for what comes."""
        now = clock.now()
        async with self._memory.begin() as inner:
            await self._memory.world.step("store", *(row["id"] for row in rows))
            for row in sorted(rows, key=lambda one: (one["tenant_id"], one["id"], one["handler"])):
                key = (UUID(row["tenant_id"]), UUID(row["id"]), row["handler"])
                while True:
                    holder = self._memory.locks.get(("inbox", key))
                    if holder is None or holder is inner or ("inbox", key) not in holder.writes:
                        break
                    await holder.ended.wait()
                position = self._memory.next_position()
                if inner.get("inbox", key) is None:
                    arrived = Row(
                        *key,
                        position=position,
                        state="ready",
                        due_at=now,
                        stored_at=now,
                        concerned=tuple(UUID(one) for one in row["concerned"]),
                        envelope=row["envelope"],
                    )
                    await inner.put("inbox", key, arrived)
