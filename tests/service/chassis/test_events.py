"""From a committed change to its effects elsewhere: outbox, publisher, inbox, handlers."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.ids import new_id
from chassis.inbox.dead import dead_rows, replay
from chassis.inbox.postgres import PostgresInbox
from chassis.inbox.worker import Worker
from chassis.outbox import send_all_again
from chassis.runtime import Runtime
from contracts.event import Envelope
from tests.support.parcels.service import (
    Faults,
    ParcelLost,
    ParcelWeighed,
    Reminder,
    label_parcel,
)
from tests.support.parcels.tables import Parcel


async def rows(runtime: Runtime, tenant: UUID, sql: str) -> list[tuple[object, ...]]:
    async with runtime.database.begin(tenant) as work:
        return [tuple(row) for row in (await work.db.execute(text(sql))).all()]


async def settle(runtime: Runtime) -> None:
    await runtime.publisher.drain()
    await runtime.workers[0].drain()


async def envelopes(runtime: Runtime, tenant: UUID) -> list[Envelope]:
    found = await rows(runtime, tenant, "SELECT envelope FROM outbox ORDER BY position")
    return [Envelope.model_validate(row[0]) for row in found]


async def test_a_change_reaches_each_handler_once(parcels: Runtime) -> None:
    tenant = new_id()
    async with parcels.database.begin(tenant) as work:
        parcel = await label_parcel(work, "books")
    await settle(parcels)
    await parcels.inbox.store(await envelopes(parcels, tenant))
    await settle(parcels)
    assert await rows(parcels, tenant, "SELECT label FROM notes") == [("books",)]
    assert await rows(parcels, tenant, "SELECT id, applied FROM shelves") == [(parcel, 1)]
    assert await rows(parcels, tenant, "SELECT id FROM inbox") == []


async def test_what_was_sent_is_sent_again_to_no_effect(parcels: Runtime) -> None:
    """As after the loss of a queue, with what it held: in pieces, whoever else has the outbox."""
    tenant = new_id()
    for _ in range(3):
        async with parcels.database.begin(tenant) as work:
            await label_parcel(work, "books")
    await settle(parcels)
    unsent = "SELECT id FROM outbox WHERE sent_at IS NULL"
    assert await rows(parcels, tenant, unsent) == []
    assert await send_all_again(parcels.database, piece=2) >= 3
    assert len(await rows(parcels, tenant, unsent)) == 3
    await settle(parcels)
    assert await rows(parcels, tenant, unsent) == []
    assert await rows(parcels, tenant, "SELECT label FROM notes") == [("books",)] * 3


async def test_what_is_rolled_back_is_told_to_nobody(parcels: Runtime) -> None:
    tenant = new_id()

    async def label_and_fail() -> None:
        async with parcels.database.begin(tenant) as work:
            await label_parcel(work, "books")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await label_and_fail()
    assert await rows(parcels, tenant, "SELECT id FROM outbox") == []


async def test_a_projection_keeps_the_newest_whatever_the_order(parcels: Runtime) -> None:
    tenant = new_id()
    async with parcels.database.begin(tenant) as work:
        parcel = await label_parcel(work, "one")
    for label in ("two", "three"):
        async with parcels.database.begin(tenant) as work:
            await label_parcel(work, label, parcel)
    told = await envelopes(parcels, tenant)
    for envelope in shuffled_and_doubled(told):
        await parcels.inbox.store([envelope])
        await parcels.workers[0].drain()
    assert await rows(parcels, tenant, "SELECT label FROM shelves") == [("three",)]
    assert sorted(await rows(parcels, tenant, "SELECT label FROM notes")) == [
        ("one",),
        ("three",),
        ("two",),
    ]


def shuffled_and_doubled(told: Sequence[Envelope]) -> list[Envelope]:
    twice = [*told, *told]
    random.Random(4).shuffle(twice)
    return twice


async def test_an_event_before_what_it_needs_waits_for_it(parcels: Runtime) -> None:
    tenant = new_id()
    async with parcels.database.begin(tenant) as work:
        parcel = await label_parcel(work, "books")
        work.emit(ParcelWeighed(parcel_id=parcel))
    labelled, weighed = await envelopes(parcels, tenant)
    await parcels.inbox.store([weighed])
    await parcels.workers[0].drain()
    state = await rows(parcels, tenant, "SELECT state, awaits FROM inbox")
    assert state == [("awaiting", parcel)]
    await parcels.inbox.store([labelled])
    await parcels.workers[0].drain()
    notes = await rows(parcels, tenant, "SELECT label FROM notes ORDER BY label")
    assert notes == [("books",), ("weighed books",)]


async def test_after_its_end_nothing_is_told_of_a_subject(parcels: Runtime) -> None:
    tenant = new_id()
    async with parcels.database.begin(tenant) as work:
        parcel = await label_parcel(work, "books")
    async with parcels.database.begin(tenant) as work:
        await work.fetch(Parcel, parcel)
        work.emit(ParcelLost(parcel_id=parcel))
    for envelope in reversed(await envelopes(parcels, tenant)):
        await parcels.inbox.store([envelope])
        await parcels.workers[0].drain()
    assert await rows(parcels, tenant, "SELECT id FROM shelves") == []
    assert await rows(parcels, tenant, "SELECT id FROM inbox") == []


async def test_a_poison_event_is_dead_and_the_rest_flows(parcels: Runtime) -> None:
    tenant = new_id()
    Faults.poison.add("bad")
    for label in ("good", "bad", "better"):
        async with parcels.database.begin(tenant) as work:
            await label_parcel(work, label)
    await settle(parcels)
    async with asyncio.timeout(10):
        while not await dead_rows(parcels.database.mover):
            await parcels.workers[0].drain()
            await asyncio.sleep(0.01)
    [dead] = await dead_rows(parcels.database.mover)
    assert (dead.handler, dead.attempts) == ("note", 3)
    assert "ValueError" in dead.error
    assert "poison" not in dead.error
    assert await rows(parcels, tenant, "SELECT label FROM shelves ORDER BY label") == [
        ("bad",),
        ("better",),
        ("good",),
    ]
    assert sorted(Faults.ran[-2:]) == ["better", "good"]
    Faults.poison.clear()
    assert await replay(parcels.database.mover, dead.tenant, dead.id, dead.handler, by="test")
    await parcels.workers[0].drain()
    assert ("bad",) in await rows(parcels, tenant, "SELECT label FROM notes")


async def test_a_timer_runs_once_it_is_due(parcels: Runtime) -> None:
    tenant, parcel, again = new_id(), new_id(), new_id()
    async with parcels.database.begin(tenant) as work:
        await work.later(Reminder(parcel_id=parcel), clock.now() + timedelta(seconds=1.5), id=again)
        await work.later(Reminder(parcel_id=parcel), clock.now() + timedelta(days=1))
        await work.later(Reminder(parcel_id=parcel), clock.now(), id=again)
    await parcels.workers[0].drain()
    assert await rows(parcels, tenant, "SELECT label FROM notes") == []
    async with asyncio.timeout(20):
        while not await rows(parcels, tenant, "SELECT label FROM notes"):
            await parcels.workers[0].drain()
            await asyncio.sleep(0.02)
    assert await rows(parcels, tenant, "SELECT label FROM notes") == [("reminded",)]


async def test_a_row_that_ended_two_workers_alone_is_dead(parcels: Runtime) -> None:
    tenant = new_id()
    async with parcels.database.begin(tenant) as work:
        await label_parcel(work, "heavy")
    await parcels.publisher.drain()
    async with parcels.database.mover.begin() as connection:
        keys = [
            [str(row[0]), str(row[1]), row[2]]
            for row in await connection.execute(
                text("SELECT tenant_id, id, handler FROM inbox WHERE handler = 'note'")
            )
        ]
        for lost in (11, 12):  # advisory keys that nobody holds
            await connection.execute(
                text(
                    "INSERT INTO inbox_notes (worker, alone, running)"
                    " VALUES (:worker, true, CAST(:running AS jsonb))"
                ),
                {"worker": lost, "running": str(keys).replace("'", '"')},
            )
    notes = parcels.workers[0]._notes
    assert await notes.blame_the_left_behind() == 2
    [dead] = await dead_rows(parcels.database.mover)
    assert dead.handler == "note"
    assert "twice" in dead.error
    await parcels.workers[0].drain()
    assert await rows(parcels, tenant, "SELECT label FROM shelves") == [("heavy",)]
    await notes.close()


async def test_two_workers_share_without_doubling(parcels: Runtime, worker: Worker) -> None:
    tenants = [new_id() for _ in range(5)]
    for tenant in tenants:
        async with parcels.database.begin(tenant) as work:
            for number in range(20):
                await label_parcel(work, f"{number}")
    await parcels.publisher.drain()
    second = Worker(PostgresInbox(parcels.database), worker._handling)
    await asyncio.gather(worker.drain(), second.drain())
    await second._notes.close()
    await worker.drain()
    for tenant in tenants:
        assert await rows(parcels, tenant, "SELECT count(*) FROM notes") == [(20,)]
    assert worker.handled > 0
    assert second.handled > 0
