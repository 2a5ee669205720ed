"""Handlers that hang, connections that are cut, a bus that fails: tried again, each effect once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from chassis.bus import Bus
from chassis.inbox.dead import dead_rows, replay
from chassis.inbox.postgres import PostgresInbox
from chassis.inbox.worker import Worker
from chassis.outbox import PostgresOutbox
from chassis.publisher import Publisher
from chassis.runtime import Runtime
from chassis.work import UnitOfWork
from contracts.event import Envelope
from contracts.identity import ProfileChanged, RegistrationSubmitted
from services.requests.handlers.identity import project_requester, record_registration
from tests.builders.requests import Town, a_portal, told
from tests.builders.story import someone
from tests.support.apart import QUICK, Apart

Trouble = Callable[[UnitOfWork], Awaitable[None]]


async def hang(_work: UnitOfWork) -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


async def hang_in_a_statement(work: UnitOfWork) -> None:
    """Wait for PostgreSQL, which takes its time."""
    await work.db.execute(text("SELECT pg_sleep(60)"))


class Faulty:
    """A handler that comes into trouble the first times that it runs, after its effect."""

    def __init__(self, trouble: Trouble, *, times: int) -> None:
        self._trouble = trouble
        self._times = times
        self.runs = 0
        self.in_trouble = asyncio.Event()

    async def record(self, work: UnitOfWork, event: RegistrationSubmitted) -> None:
        """As the requests service does: a request, its number and an event."""
        await record_registration(work, event)
        await work.db.flush()
        await self._meet(work)

    async def project(self, work: UnitOfWork, event: ProfileChanged) -> None:
        """As the requests service does: a row for the person."""
        await project_requester(work, event)
        await self._meet(work)

    async def _meet(self, work: UnitOfWork) -> None:
        self.runs += 1
        if self.runs <= self._times:
            self.in_trouble.set()
            await self._trouble(work)


@asynccontextmanager
async def at_work(runtime: Runtime, *, count: int = 1) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Workers of the service that run by themselves, as in an installation."""
    handling = runtime.workers[0]._handling
    workers = [
        Worker(PostgresInbox(runtime.database), handling, patience=QUICK) for _ in range(count)
    ]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield tasks
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in workers:
            await worker._notes.close()


@pytest.fixture
async def tenant(apart: Apart) -> UUID:
    """One that requests was told of."""
    tenant = Town().person_id
    await apart.hear("requests", told(tenant, a_portal(tenant)))
    return tenant


async def one_of_each(apart: Apart, tenant: UUID, town: Town) -> None:
    """The registration is recorded once, under the first number, and told once; its person kept."""
    [request] = await apart.rows("requests", tenant, "requests")
    assert (request["id"], request["number"][5:]) == (str(town.request_id), "000001")
    [counter] = await apart.rows("requests", tenant, "request_counters")
    assert counter["last"] == 1
    assert len(await apart.rows("requests", tenant, "outbox")) == 1
    assert len(await apart.rows("requests", tenant, "requesters")) == 1
    assert await apart.inbox("requests", tenant) == {}


@pytest.mark.parametrize("trouble", [hang, hang_in_a_statement])
async def test_a_handler_that_hangs_is_ended_and_tried_again(
    apart: Apart, tenant: UUID, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "HANDLER_TIMEOUT_S", 0.2)
    town, bystander = Town(), Town()
    faulty = Faulty(trouble, times=2)
    with (
        apart.handled_by("requests", "record_registration", faulty.record),
        apart.handled_by("requests", "project_requester", faulty.project),
    ):
        await apart.hear(
            "requests",
            told(tenant, town.is_called()),
            told(tenant, bystander.stands_at()),
            told(tenant, town.submits()),
        )
        await apart.until_handled("requests", tenant)
    assert faulty.runs == 4  # hung in the batch, then by itself; then both went well
    await one_of_each(apart, tenant, town)
    assert len(await apart.rows("requests", tenant, "organisations")) == 1
    assert apart.runtimes["requests"].database.mover.pool.checkedout() == 0  # type: ignore[attr-defined]


def cutting(apart: Apart, *, during: bool) -> Trouble:
    """The connection is cut: during a statement of the handler, or between two."""

    async def be_cut(work: UnitOfWork) -> None:
        pid = (await work.db.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        cut = asyncio.create_task(terminate(apart, pid))
        if not during:
            await cut
        await work.db.execute(text("SELECT pg_sleep(60)"))

    return be_cut


@pytest.mark.parametrize("during", [True, False], ids=["during a statement", "between two"])
async def test_a_handler_whose_connection_is_cut_is_tried_again(
    apart: Apart, tenant: UUID, during: bool
) -> None:
    town = Town()
    faulty = Faulty(cutting(apart, during=during), times=3)
    with (
        apart.handled_by("requests", "record_registration", faulty.record),
        apart.handled_by("requests", "project_requester", faulty.project),
    ):
        await apart.runtimes["requests"].inbox.store(
            [told(tenant, town.is_called()), told(tenant, town.submits())]
        )
        async with at_work(apart.runtimes["requests"]):
            await apart.comes_to("requests", tenant, {})
    assert faulty.runs == 5
    await one_of_each(apart, tenant, town)


async def test_an_event_that_always_costs_its_connection_is_dead_and_keeps_nobody(
    apart: Apart, tenant: UUID
) -> None:
    town = Town()
    guilty = Faulty(cutting(apart, during=False), times=100)
    with apart.handled_by("requests", "project_requester", guilty.project):
        await apart.runtimes["requests"].inbox.store(
            [told(tenant, town.is_called()), told(tenant, town.stands_at())]
        )
        async with at_work(apart.runtimes["requests"]):
            await apart.comes_to("requests", tenant, {"project_requester": "dead"})
    assert guilty.runs == 1 + QUICK.attempts
    assert len(await apart.rows("requests", tenant, "organisations")) == 1
    mover = apart.runtimes["requests"].database.mover
    [dead] = [row for row in await dead_rows(mover) if row.tenant == tenant]
    assert await replay(mover, tenant, dead.id, dead.handler, by="test")
    await apart.work("requests")
    assert len(await apart.rows("requests", tenant, "requesters")) == 1


async def test_what_a_worker_leaves_in_the_middle_another_takes_up(
    apart: Apart, tenant: UUID
) -> None:
    town = Town()
    faulty = Faulty(hang, times=1)
    requests = apart.runtimes["requests"]
    with apart.handled_by("requests", "record_registration", faulty.record):
        await requests.inbox.store([told(tenant, town.is_called()), told(tenant, town.submits())])
        async with at_work(requests) as [task]:
            async with asyncio.timeout(10):
                await faulty.in_trouble.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await apart.work("requests")
    assert faulty.runs == 2
    await one_of_each(apart, tenant, town)


async def terminate(apart: Apart, pid: int) -> None:
    """End a backend, as an administrator may."""
    admin = await asyncpg.connect(apart.urls["requests"], timeout=10)
    try:
        await admin.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    finally:
        await admin.close()


# ── The publisher ────────────────────────────────────────────────────────────────────────────────


class FaultyBus:
    """Carries to the inbox of requests, but comes into trouble the first times."""

    def __init__(self, apart: Apart, trouble: Callable[[], Awaitable[None]], *, late: bool) -> None:
        self._inbox = apart.runtimes["requests"].inbox
        self._trouble = trouble
        self._late = late
        self.left = 3
        self.carried: list[UUID] = []
        self.well = asyncio.Event()

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """As a bus does, unless it is in trouble: before it carried them, or after that."""
        in_trouble = self.left > 0
        self.left -= 1
        if in_trouble and not self._late:
            await self._trouble()
        await self._inbox.store(envelopes)
        self.carried += [one.id for one in envelopes]
        if in_trouble:
            await self._trouble()
        self.well.set()


async def refuse() -> None:
    """Be gone."""
    raise ConnectionResetError


async def say_nothing() -> None:
    """Never confirm."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("late", [False, True], ids=["before carrying", "after carrying"])
@pytest.mark.parametrize("trouble", [refuse, say_nothing])
async def test_what_a_bus_does_not_confirm_is_sent_again_and_has_one_effect(
    apart: Apart,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[], Awaitable[None]],
    late: bool,
) -> None:
    monkeypatch.setattr(Publisher, "TIMEOUT_S", 0.1)
    portal = apart.portal()
    await portal.opens()
    await portal.is_asked(someone("Fabre"))
    bus = FaultyBus(apart, trouble, late=late)
    checked: Bus = bus
    publisher = Publisher(PostgresOutbox(apart.runtimes["identity"].database), checked)

    with pytest.raises((ConnectionResetError, TimeoutError)):
        await publisher.publish()
    outbox = await apart.rows("identity", portal.tenant, "outbox")
    assert [row["sent_at"] for row in outbox] == [None, None]

    running = asyncio.create_task(publisher.run())
    async with asyncio.timeout(10):
        await bus.well.wait()
    publisher.stop()
    await running
    sent = await apart.rows("identity", portal.tenant, "outbox")
    assert None not in [row["sent_at"] for row in sent]
    expected = sorted(row["id"] for row in outbox) * (4 if late else 1)
    assert sorted(map(str, bus.carried)) == sorted(expected)
    await apart.until_handled("requests", portal.tenant)
    assert len(await apart.rows("requests", portal.tenant, "requests")) == 1
    [counter] = await apart.rows("requests", portal.tenant, "request_counters")
    assert counter["last"] == 1
    [projected] = await apart.rows("requests", portal.tenant, "tenant_projections")
    assert projected["state"] == "active"
