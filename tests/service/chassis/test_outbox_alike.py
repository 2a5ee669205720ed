"""The simulation's outbox in memory answers as PostgreSQL's: the same calls, one by one, on both.

Several transactions are open at once, as of several publishers; each marks what it claimed.
"""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis.ids import new_id
from chassis.keys import Keys
from chassis.outbox import PostgresOutbox
from chassis.publisher import OutboxTransaction
from chassis.work import Database
from contracts.event import Envelope, sealed
from guichet.passwords import database_of
from tests.simulation.memory import Memory
from tests.simulation.story import Labelled
from tests.simulation.work import MemoryOutbox, MemoryOutboxTransaction, write_out
from tests.simulation.world import Still

SEQUENCES = 12
CALLS = 60
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

EMIT = text("""
    INSERT INTO outbox (tenant_id, id, concerned, envelope)
    VALUES (:tenant, :id, '{}', CAST(:envelope AS jsonb))
""")


class Undone(Exception):
    """The transaction is not to be committed."""


class ClaimsTwice(MemoryOutboxTransaction):
    """Claims what another publisher holds."""

    async def claim(self, most: int) -> list[Envelope]:
        unsent = [row for _, row in self._inner.scan("outbox") if row.sent_at is None]
        unsent.sort(key=lambda row: int(row.position))
        return [row.envelope for row in unsent[:most]]


class ClaimsTheLast(MemoryOutboxTransaction):
    """Begins with what was told last."""

    async def claim(self, most: int) -> list[Envelope]:
        return (await super().claim(1000))[-most:]


class ForgetsToMark(MemoryOutboxTransaction):
    """Leaves one unsent."""

    async def mark(self, envelopes: Sequence[Envelope], now: datetime) -> None:
        await super().mark(envelopes[1:], now)


@dataclass
class Pair:
    """A publisher's transaction on each side, and what both have claimed."""

    real: OutboxTransaction
    model: OutboxTransaction
    ends: AsyncExitStack
    claimed: list[Envelope] = field(default_factory=list)


class Both:
    """The two outboxes, called alike."""

    def __init__(
        self, database: Database, chance: random.Random, kind: type[MemoryOutboxTransaction]
    ) -> None:
        self.world = Still(0)
        self.memory = Memory(self.world, "parcels")
        self.database = database
        self.real, self.model = PostgresOutbox(database), MemoryOutbox(self.memory)
        self.kind = kind
        self.chance = chance
        self.pairs: list[Pair] = []
        self.tenants = [new_id() for _ in range(2)]
        self.now = NOON

    async def call(self) -> str:
        """One call, chosen by chance, on both sides. Answers which one."""
        name = self.chance.choice(("emit", "begin", "claim", "claim", "mark", "finish", "forget"))
        await getattr(self, f"_{name}")()
        self.now += timedelta(seconds=self.chance.choice((0, 1, 5)))
        return name

    async def _emit(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            envelope = sealed(
                Labelled(parcel_id=new_id(), label="a label"),
                id=new_id(),
                tenant=self.chance.choice(self.tenants),
                time=self.now,
                version=1,
                epoch=1,
                traceparent=None,
            )
            async with self.memory.begin() as inner:
                await write_out(self.memory, inner, envelope)
            async with self.database.mover.begin() as connection:
                given = {"envelope": envelope.model_dump_json(), "id": envelope.id}
                await connection.execute(EMIT, {**given, "tenant": envelope.tenant})

    async def _begin(self) -> None:
        if len(self.pairs) < 3:
            ends = AsyncExitStack()
            real = await ends.enter_async_context(self.real.begin())
            inner = await ends.enter_async_context(self.memory.begin())
            self.pairs.append(Pair(real, self.kind(self.memory, inner), ends))

    async def _claim(self) -> None:
        if pair := self._some_pair():
            most = self.chance.choice((1, 3, 8))
            real, model = await pair.real.claim(most), await pair.model.claim(most)
            assert real == model
            pair.claimed += [one for one in real if one not in pair.claimed]

    async def _mark(self) -> None:
        pair = self._some_pair()
        if pair is not None and pair.claimed:
            some = self.chance.sample(pair.claimed, self.chance.randint(1, len(pair.claimed)))
            await pair.real.mark(some, self.now)
            await pair.model.mark(some, self.now)

    async def _finish(self) -> None:
        if self.pairs:
            pair = self.pairs.pop(self.chance.randrange(len(self.pairs)))
            if self.chance.random() < 0.7:
                await pair.ends.aclose()
            else:
                assert not await pair.ends.__aexit__(Undone, Undone(), None)

    async def _forget(self) -> None:
        before = self.now - timedelta(seconds=20)
        await self.real.forget(before)
        await self.model.forget(before)

    def _some_pair(self) -> Pair | None:
        return self.chance.choice(self.pairs) if self.pairs else None

    async def compare(self) -> None:
        """What is committed is the same on both sides."""
        async with self.database.mover.connect() as connection:
            found = await connection.execute(
                text("SELECT tenant_id, id, sent_at FROM outbox ORDER BY position")
            )
            real = [tuple(row) for row in found]
        rows = sorted(self.memory.tables["outbox"].values(), key=lambda row: int(row.position))
        assert real == [(one.envelope.tenant, one.envelope.id, one.sent_at) for one in rows]

    async def close(self) -> None:
        """Undo what is open."""
        for pair in self.pairs:
            await pair.ends.__aexit__(Undone, Undone(), None)
        self.world.loop.close()


@pytest.fixture
async def database(parcels_database: str, keys: Keys) -> AsyncIterator[Database]:
    """The parcels' database."""
    opened = database_of(keys, parcels_database, "parcels")
    yield opened
    await empty(opened)
    await opened.close()


async def empty(database: Database) -> None:
    """Nothing is left of other sequences."""
    async with database.mover.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM outbox")


async def disagreement(database: Database, kind: type[MemoryOutboxTransaction]) -> str | None:
    """How the two first differ, in so many sequences; None where they agree."""
    for seed in range(SEQUENCES):
        await empty(database)
        both = Both(database, random.Random(seed), kind)
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


async def test_the_outbox_in_memory_answers_as_postgresqls(database: Database) -> None:
    assert await disagreement(database, MemoryOutboxTransaction) is None


@pytest.mark.parametrize("lie", [ClaimsTwice, ClaimsTheLast, ForgetsToMark])
async def test_an_outbox_that_lies_is_found_out(
    database: Database, lie: type[MemoryOutboxTransaction]
) -> None:
    assert await disagreement(database, lie) is not None
