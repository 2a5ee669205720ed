"""The simulation's queue of mails answers as PostgreSQL's: the same calls, one by one, on both.

Time passes for leases alone, and for both at once: they are brought nearer to their end.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from services.notifier.delivery.claim import StoredQueue
from services.notifier.delivery.deliver import LEASE
from services.notifier.delivery.mails import Key, Taken
from services.notifier.delivery.mark import Mark
from services.notifier.domain.answers import judged, lost
from services.notifier.domain.kinds import KINDS, Template
from tests.simulation.mail_bugs import ClaimsWhatIsLeased, IgnoresWhoseLeaseItIs
from tests.simulation.mailing import Mail, MemoryQueue
from tests.simulation.memory import Memory
from tests.simulation.world import Still
from tests.support.mail_queue import MailQueue, mail_queue

SEQUENCES = 12
CALLS = 60
TENANTS = 3
HOLDERS = ("one", "another")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANSWERS = (
    judged(250, "taken"),
    judged(451, "later"),
    judged(550, "never"),
    lost(perhaps_taken=True, words="lost"),
)

QUEUE = text("""
    INSERT INTO mails (tenant_id, id, event_id, template, facts, address, language, concerned,
        about, priority, requested_at, drop_after, state, due_at, attempts, doubts, version)
    VALUES (:tenant, :id, :id, :template, '{}', 'town@example.org', 'fr', '{}', '{}', :priority,
        :due_at, 'infinity', 'queued', :due_at, 0, 0, 0)
""")
PASS = text("UPDATE mails SET lease_until = lease_until - CAST(:span AS interval)")
ROWS = text("""
    SELECT tenant_id, id, state, due_at, lease_by, message_id, attempts, doubts FROM mails
    ORDER BY id
""")


class MarksForAnybody(MemoryQueue):
    """Keeps every answer, whoever holds the lease by now."""

    async def mark(self, mark: Mark) -> None:
        key = Key(mark.mail.tenant, mark.mail.id)
        mails = self._memory.tables["mails"]
        mails[key] = replace(mails[key], lease_by=self.holder)
        await super().mark(mark)


class NamesAnew(MemoryQueue):
    """Gives a mail another Message-ID at each try."""

    async def take(self, key: Key, message_id: str, now: datetime) -> Taken | None:
        mails = self._memory.tables["mails"]
        mails[key] = replace(mails[key], message_id=None)
        return await super().take(key, message_id, now)


class ServesOneTenant(MemoryQueue):
    """Claims as many of one tenant as there are."""

    async def claim(self, now: datetime, *, most: int, each: int) -> list[Key]:
        return await super().claim(now, most=most, each=most)


class GivesBackAnybodys(MemoryQueue):
    """Lets go of what another has claimed."""

    async def give_back(self, keys: list[Key]) -> None:  # type: ignore[override]  # as it is called
        mails = self._memory.tables["mails"]
        for key in keys:
            mails[key] = replace(mails[key], lease_by=None, lease_until=None)


class Both:
    """Two holders' queues on each side, called alike."""

    def __init__(self, queue: MailQueue, chance: random.Random, kind: type[MemoryQueue]) -> None:
        self.world = Still(0)
        self.memory = Memory(self.world, "notifier")
        self.database = queue.database
        self.tenants = sorted(queue.tenants)
        self.chance = chance
        self.real = {one: StoredQueue(queue.database, one, LEASE) for one in HOLDERS}
        self.model = {one: kind(self.memory, one) for one in HOLDERS}
        self.now = NOON
        self.taken: list[Taken] = []

    async def call(self) -> str:
        """One call, chosen by chance, on both sides. Answers which one."""
        names = ["queue", "claim", "take", "mark", "renew", "give_back", "next_due", "passes"]
        name = self.chance.choice([*names, "queue", "claim", "claim", "take", "mark"])
        await getattr(self, f"_{name}")(self.chance.choice(HOLDERS))
        self.now += timedelta(seconds=self.chance.choice((0, 1, 5)))
        return name

    async def _queue(self, _holder: str) -> None:
        for _ in range(self.chance.randint(1, 5)):
            key = Key(self.chance.choice(self.tenants), UUID(int=self.chance.getrandbits(128)))
            template = self.chance.choice(list(Template))
            due_at = self.now + timedelta(microseconds=self.chance.randint(-(10**7), 10**7))
            async with self.memory.begin() as inner:
                await inner.put("mails", key, Mail(key, template, due_at))
            async with self.database.mover.begin() as connection:
                await connection.execute(
                    QUEUE,
                    {
                        "tenant": key.tenant,
                        "id": key.id,
                        "template": template.value,
                        "priority": KINDS[template].priority,
                        "due_at": due_at,
                    },
                )

    async def _claim(self, holder: str) -> None:
        most, each = self.chance.choice((1, 3, 8)), self.chance.choice((1, 2, 5))
        real = await self.real[holder].claim(self.now, most=most, each=each)
        model = await self.model[holder].claim(self.now, most=most, each=each)
        assert sorted(map(by_id, real)) == sorted(map(by_id, model))

    async def _take(self, holder: str) -> None:
        if keys := self._some():
            message_id = f"<{self.chance.getrandbits(32)}@example.org>"
            real = await self.real[holder].take(keys[0], message_id, self.now)
            model = await self.model[holder].take(keys[0], message_id, self.now)
            assert real is None or model is not None
            assert model is None or real is not None
            if real is not None and model is not None:
                assert (real.message_id, real.attempts) == (model.message_id, model.attempts)
                assert (real.doubts, real.template) == (model.doubts, model.template)
                self.taken.append(real)

    async def _mark(self, holder: str) -> None:
        if self.taken:
            mail, answer = self.chance.choice(self.taken), self.chance.choice(ANSWERS)
            later = self.now + timedelta(microseconds=self.chance.randint(0, 10**7))
            mark = Mark(mail, answer, self.now, later)
            await self.real[holder].mark(mark)
            await self.model[holder].mark(mark)

    async def _renew(self, holder: str) -> None:
        keys = self._some()
        assert await self.real[holder].renew(keys) == await self.model[holder].renew(keys)

    async def _give_back(self, holder: str) -> None:
        keys = self._some()
        await self.real[holder].give_back(keys)
        await self.model[holder].give_back(keys)

    async def _next_due(self, holder: str) -> None:
        real = await self.real[holder].next_due(self.now)
        assert real == await self.model[holder].next_due(self.now)

    async def _passes(self, _holder: str) -> None:
        # Never a whole lease in sum: what PostgreSQL's own clock adds is far less than a tenth.
        span = LEASE * self.chance.choice((0.4, 0.7))
        mails = self.memory.tables["mails"]
        for key, mail in mails.items():
            if mail.lease_until is not None:
                mails[key] = replace(mail, lease_until=mail.lease_until - span)
        async with self.database.mover.begin() as connection:
            await connection.execute(PASS, {"span": span})

    def _some(self) -> list[Key]:
        keys = list(self.memory.tables["mails"])
        return self.chance.sample(keys, min(len(keys), self.chance.randint(1, 3)))

    async def compare(self) -> None:
        """What is kept is the same on both sides."""
        async with self.database.mover.connect() as connection:
            real = [tuple(row) for row in await connection.execute(ROWS)]
        mails: list[Mail] = list(self.memory.tables["mails"].values())
        assert real == [
            (
                one.key.tenant,
                one.key.id,
                one.state,
                one.due_at,
                one.lease_by,
                one.message_id,
                one.attempts,
                one.doubts,
            )
            for one in sorted(mails, key=lambda one: one.key.id)
        ]


def by_id(key: Key) -> UUID:
    """Mails have ids of their own, whatever their tenant."""
    return key.id


@pytest.fixture
async def queue(postgres_url: str, tmp_path: Path) -> AsyncIterator[MailQueue]:
    """A queue without mails, and its tenants."""
    async with mail_queue(postgres_url, tmp_path, "alike") as queue:
        await queue.fill(0, tenants=TENANTS)
        yield queue


async def disagreement(queue: MailQueue, kind: type[MemoryQueue]) -> str | None:
    """How the two first differ, in so many sequences; None where they agree."""
    for seed in range(SEQUENCES):
        async with queue.database.mover.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM mails")
        both = Both(queue, random.Random(seed), kind)
        called = []
        try:
            for _ in range(CALLS):
                called.append(await both.call())
                await both.compare()
        except AssertionError as error:
            return f"seed {seed}, after {called}: {error}"
        finally:
            both.world.loop.close()
    return None


async def test_the_queue_in_memory_answers_as_postgresqls(queue: MailQueue) -> None:
    assert await disagreement(queue, MemoryQueue) is None


@pytest.mark.parametrize(
    "lie",
    [
        ClaimsWhatIsLeased,
        IgnoresWhoseLeaseItIs,
        MarksForAnybody,
        NamesAnew,
        ServesOneTenant,
        GivesBackAnybodys,
    ],
)
async def test_a_queue_that_lies_is_found_out(queue: MailQueue, lie: type[MemoryQueue]) -> None:
    assert await disagreement(queue, lie) is not None
