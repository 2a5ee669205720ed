"""The simulation's inbox in memory answers as PostgreSQL's: the same calls, one by one, on both.

Several transactions are open at once; what would wait for another one is left out.
"""

import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.ids import new_id
from chassis.inbox.postgres import PostgresInbox, PostgresTransaction
from chassis.inbox.store import InboxStore
from chassis.inbox.verbs import FIRST_TENANT, Claimed, Key, Rest
from chassis.keys import Keys
from chassis.subscriptions import every, newest, on
from chassis.work import Database, UnitOfWork
from contracts.event import Envelope, Event, sealed
from guichet.passwords import database_of
from tests.simulation.bugs import (
    AppliesWhatIsOld,
    ForgetsEpochs,
    ForgetsToWake,
    IgnoresSubjects,
    LocksTheFirstSubjectOnly,
)
from tests.simulation.inbox import MemoryInbox, MemoryInboxStore, MemoryTransaction
from tests.simulation.memory import Memory
from tests.simulation.story import Gone, Labelled, Moved
from tests.simulation.world import Still

SEQUENCES = 30
CALLS = 60
TABLES = ("inbox", "inbox_seen", "inbox_notes")  # the others hold rows of tenants that come once
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Undone(Exception):
    """The transaction is not to be committed."""


async def shelve(work: UnitOfWork, event: Labelled) -> None:
    """Never called: only its name is stored."""


async def note(work: UnitOfWork, event: Labelled) -> None:
    """Never called: only its name is stored."""


async def move(work: UnitOfWork, event: Moved) -> None:
    """Never called: only its name is stored."""


async def leave(work: UnitOfWork, event: Gone) -> None:
    """Never called: only its name is stored."""


HEARD = (
    on(Labelled, shelve, newest),
    on(Labelled, note, every),
    on(Moved, move, every),
    on(Gone, leave, newest),
)


class Pair:
    """A transaction on each side, and the rows that both hold."""

    def __init__(self, both: "Both") -> None:
        self._both = both
        self._open = AsyncExitStack()
        self.rows: list[Claimed] = []
        self.is_done = False
        self.real: PostgresTransaction
        self.model: MemoryTransaction

    async def begin(self) -> None:
        """Begin on both sides."""
        self.real = await self._open.enter_async_context(self._both.real.begin())
        self.model = await self._open.enter_async_context(self._both.model.begin())

    async def end(self, *, commit: bool) -> None:
        """Commit or undo on both sides."""
        if commit:
            await self._open.aclose()
            return
        undone = Undone()
        assert not await self._open.__aexit__(Undone, undone, None)


class Both:
    """The two inboxes, called alike."""

    def __init__(
        self,
        database: Database,
        chance: random.Random,
        transaction: type[MemoryTransaction] = MemoryTransaction,
    ) -> None:
        self.world = Still(0)
        self.memory = Memory(self.world, "parcels")
        self.real = PostgresInbox(database)
        self.model = MemoryInbox(self.memory, transaction=transaction)
        self.real_store = InboxStore(database.mover, HEARD)
        self.model_store = MemoryInboxStore(self.memory, HEARD)
        self.database = database
        self.chance = chance
        self.pairs: list[Pair] = []
        self.now = NOON
        self.told: list[Envelope] = []
        self.tenants = sorted(new_id() for _ in range(2))  # never seen before: see TABLES
        self.parcels = [UUID(int=chance.getrandbits(128)) for _ in range(3)]

    def instant(self) -> datetime:
        """What `clock.now` tells both."""
        return self.now

    async def call(self) -> str:
        """One call, chosen by chance, on both sides. Answers which one."""
        names = ["store", "begin", "lay_down", "ripen", "next_due", "forget", "blame"]
        names += ["store", "begin"] + ["claim", "claim_one", "handle", "finish", "finish"] * 2
        name = self.chance.choice(names)
        await getattr(self, f"_{name}")()
        self.now += timedelta(seconds=self.chance.choice((0, 1, 5)))
        return name

    async def _store(self) -> None:
        fresh = [self._told() for _ in range(self.chance.randint(1, 3))]
        self.told += fresh
        again = self.chance.sample(self.told, min(len(self.told), 2))
        envelopes = [
            one for one in (*fresh, *again) if not any(map(self._is_written, self._keys_of(one)))
        ]
        await self.real_store.store(envelopes)
        await self.model_store.store(envelopes)

    def _told(self) -> Envelope:
        parcel, other = self.chance.sample(self.parcels, 2)
        event: Event = self.chance.choice(
            (
                Labelled(parcel_id=parcel, label="a label"),
                Moved(parcel_id=parcel, onto_id=other),
                Gone(parcel_id=parcel),
            )
        )
        return sealed(
            event,
            id=UUID(int=self.chance.getrandbits(128)),
            tenant=self.chance.choice(self.tenants),
            time=self.now,
            version=self.chance.randint(1, 4),
            epoch=self.chance.randint(1, 2),
            traceparent=None,
        )

    async def _begin(self) -> None:
        if len(self.pairs) < 3:
            pair = Pair(self)
            await pair.begin()
            self.pairs.append(pair)

    async def _claim(self) -> None:
        if pair := self._some_pair():
            cursor = self.chance.choice((FIRST_TENANT, *self.tenants))
            most, each = self.chance.choice((1, 3, 8)), self.chance.choice((1, 2, 5))
            real = await pair.real.claim(cursor, most=most, each=each)
            model = await pair.model.claim(cursor, most=most, each=each)
            assert real == model
            pair.rows += [row for row in real[0] if row.key not in {one.key for one in pair.rows}]

    async def _claim_one(self) -> None:
        pair, keys = self._some_pair(), list(self.memory.tables["inbox"])
        if pair and keys:
            key = self.chance.choice(keys)
            real, model = await pair.real.claim_one(key), await pair.model.claim_one(key)
            assert real == model
            if real is not None and key not in {one.key for one in pair.rows}:
                pair.rows.append(real)

    async def _handle(self) -> None:
        """As the worker does with what it claimed."""
        pair = self._some_pair()
        if pair is None or not pair.rows:
            return
        rows = pair.rows
        real, model = pair.real, pair.model
        fresh = await real.see(rows, self.now)
        assert fresh == await model.see(rows, self.now)
        assert await real.ended_among(rows) == await model.ended_among(rows)
        for row in rows:
            if row.key in fresh:
                async with real.handling(row, 1) as work, model.handling(row, 1) as modelled:
                    assert await real.is_newest(row) == await model.is_newest(row)
                    if row.handler == "leave":
                        await work.end(row.subject)
                        await modelled.end(row.subject)
        await real.remove(rows)
        await model.remove(rows)
        arrived = {(row.tenant, row.subject) for row in rows}
        held = [
            row
            for key, row in self.memory.tables["inbox"].items()
            if (row.tenant, row.awaits) in arrived and self._is_held(key, pair)
        ]
        if not held:
            await real.wake(rows)
            await model.wake(rows)
        pair.is_done = True

    async def _finish(self) -> None:
        if self.pairs:
            pair = self.pairs.pop(self.chance.randrange(len(self.pairs)))
            await pair.end(commit=self.chance.random() < 0.7)

    async def _lay_down(self) -> None:
        free = [key for key in self.memory.tables["inbox"] if not self._is_held(key, None)]
        if not free:
            return
        later = self.now + timedelta(seconds=self.chance.randint(0, 9))
        attempts = self.chance.randint(0, 5)
        parcel = self.chance.choice(self.parcels)
        rest = self.chance.choice(
            (
                Rest("later", later, attempts, error="an error"),
                Rest("awaiting", later, attempts, parcel),
                Rest("dead", later, attempts, error="an error"),
            )
        )
        key = self.chance.choice(free)
        await self.real.lay_down(key, rest)
        await self.model.lay_down(key, rest)

    async def _ripen(self) -> None:
        assert await self.real.ripen(self.now) == await self.model.ripen(self.now)

    async def _next_due(self) -> None:
        assert await self.real.next_due() == await self.model.next_due()

    async def _forget(self) -> None:
        if not self.pairs and self.chance.random() < 0.3:
            before = self.now - timedelta(seconds=20)
            await self.real.forget_seen(before)
            await self.model.forget_seen(before)

    async def _blame(self) -> None:
        """A worker is no more, and left a note."""
        keys: list[Key] = list(self.memory.tables["inbox"])
        if self.pairs or not keys:
            return
        running = self.chance.sample(keys, min(len(keys), self.chance.randint(0, 3)))
        alone, worker = self.chance.random() < 0.5, self.chance.getrandbits(60)
        self.memory.tables["notes"][worker] = (alone, tuple(running))
        async with self.database.mover.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO inbox_notes (worker, alone, running)"
                    " VALUES (:worker, :alone, CAST(:running AS jsonb))"
                ),
                {
                    "worker": worker,
                    "alone": alone,
                    "running": json.dumps([[str(one) for one in key] for key in running]),
                },
            )
        real, model = self.real.notes(), self.model.notes()
        try:
            assert await real.blame_the_left_behind() == await model.blame_the_left_behind()
        finally:
            await real.close()
            await model.close()

    def _some_pair(self) -> Pair | None:
        """One that has not handled yet: a worker claims once in a transaction."""
        pairs = [pair for pair in self.pairs if not pair.is_done]
        return self.chance.choice(pairs) if pairs else None

    def _is_held(self, key: Key, but: Pair | None) -> bool:
        holder = self.memory.locks.get(("inbox", key))
        return holder is not None and (but is None or holder is not but.model.inner)

    def _is_written(self, key: Key) -> bool:
        holder = self.memory.locks.get(("inbox", key))
        return holder is not None and ("inbox", key) in holder.writes

    def _keys_of(self, envelope: Envelope) -> list[Key]:
        names = [one.name for one in HEARD if type(envelope.event()) in one.events]
        return [(envelope.tenant, envelope.id, name) for name in names]

    async def compare(self) -> None:
        """What is committed is the same on both sides."""
        async with self.database.mover.begin() as connection:
            found = await connection.execute(
                text(
                    "SELECT tenant_id, id, handler, state, due_at, stored_at, concerned, awaits,"
                    " attempts, kills, singly, error FROM inbox ORDER BY position"
                )
            )
            real = [(*row[:6], tuple(row[6]), *row[7:]) for row in found]
            seen = await connection.execute(
                text("SELECT tenant_id, id, handler, seen_at FROM inbox_seen")
            )
            assert {tuple(row) for row in seen} == {
                (*key, at) for key, at in self.memory.tables["seen"].items()
            }
        model = [
            (
                *row.key,
                row.state,
                row.due_at,
                row.stored_at,
                row.concerned,
                row.awaits,
                row.attempts,
                row.kills,
                row.singly,
                row.error,
            )
            for row in sorted(
                self.memory.tables["inbox"].values(), key=lambda row: int(row.position)
            )
        ]
        assert real == model

    async def close(self) -> None:
        """Undo what is open."""
        while self.pairs:
            await self.pairs.pop().end(commit=False)
        self.world.loop.close()


@pytest.fixture
async def database(parcels_database: str, keys: Keys) -> AsyncIterator[Database]:
    """The parcels' database, empty."""
    opened = database_of(keys, parcels_database, "parcels")
    await empty(opened)
    yield opened
    await empty(opened)
    await opened.close()


async def empty(database: Database) -> None:
    """Nothing is left of other sequences."""
    async with database.mover.begin() as connection:
        for table in TABLES:
            await connection.exec_driver_sql(f"DELETE FROM {table}")


async def disagreement(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    transaction: type[MemoryTransaction] = MemoryTransaction,
) -> str | None:
    """How the two first differ, in so many sequences; None where they agree."""
    for seed in range(SEQUENCES):
        await empty(database)
        both = Both(database, random.Random(seed), transaction)
        monkeypatch.setattr(clock, "now", both.instant)
        called = []
        try:
            for _ in range(CALLS):
                called.append(await both.call())
                await both.compare()
        except AssertionError as error:
            return f"seed {seed}, after {called}: {error}"
        finally:
            await both.close()
    return None


async def test_memory_answers_as_postgresql_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await disagreement(database, monkeypatch) is None


@pytest.mark.parametrize(
    "lie",
    [IgnoresSubjects, LocksTheFirstSubjectOnly, ForgetsEpochs, AppliesWhatIsOld, ForgetsToWake],
)
async def test_a_memory_that_lies_is_found_out(
    database: Database, monkeypatch: pytest.MonkeyPatch, lie: type[MemoryTransaction]
) -> None:
    assert await disagreement(database, monkeypatch, lie) is not None
