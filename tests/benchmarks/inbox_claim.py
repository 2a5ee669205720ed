"""The inbox with 5,000 tenants, one of which has 500,000 events waiting.

    GUICHET_TEST_POSTGRES_URL=… python -m tests.benchmarks.inbox_claim [--seconds 45] [--workers 3]

Every tenant begins with one event; once those are handled, quiet tenants' events come four a
second while the backlog is worked off. Counts what must be none (events handled twice, two of a
subject at once) and measures the claim, the rate, and how long a quiet tenant's event waits
meanwhile. Without an address in the environment it starts a server of its own.
"""

import argparse
import asyncio
import contextlib
import os
import random
import resource
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

os.environ.setdefault("GUICHET_DATABASE_PREFIX", f"bench_{os.getpid()}")

from sqlalchemy import text  # after the prefix is set

from chassis import clock
from chassis.bus import EmbeddedBus
from chassis.database.migrate import migrate
from chassis.ids import new_id
from chassis.inbox.handling import Handling
from chassis.inbox.postgres import PostgresInbox
from chassis.inbox.verbs import FIRST_TENANT
from chassis.inbox.worker import Worker
from chassis.keys import Keys
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.subscriptions import every, on
from chassis.work import UnitOfWork
from contracts.event import sealed
from guichet.passwords import database_of, passwords_of
from guichet.serving import run_until_done
from tests.support.parcels.service import ParcelLabelled
from tests.support.parcels.service import service as parcels
from tests.support.parcels.tables import Note
from tests.support.postgres import ADDRESS, drop_databases, provide

TENANTS = 5_000
BACKLOG = 500_000
PORTION = 50_000  # filled by one statement, within the bound of the connection
SUBJECTS = 50_000  # of the tenant with the backlog

FILL = text("""
    INSERT INTO inbox (tenant_id, id, handler, state, due_at, stored_at, concerned, envelope)
    SELECT :tenant, gen_random_uuid(), 'note', 'ready', now(), now(),
        ARRAY[md5((number % :subjects)::text)::uuid],
        jsonb_build_object(
            'id', gen_random_uuid(), 'source', 'parcels', 'type', 'parcels.ParcelLabelled.v1',
            'subject', md5((number % :subjects)::text)::uuid, 'time', now(), 'dataschema', '',
            'tenant', CAST(:tenant AS uuid), 'version', 1, 'epoch', 1,
            'data', jsonb_build_object(
                'parcel_id', md5((number % :subjects)::text)::uuid, 'label', number::text))
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS number
""")


class Undone(Exception):
    """The transaction is not to be committed."""


class Watch:
    """What the handler sees: how often each event ran, and whether two of a subject overlapped."""

    def __init__(self) -> None:
        self.runs: Counter[tuple[UUID, str]] = Counter()
        self.running: set[tuple[UUID, UUID]] = set()
        self.overlaps = 0
        self.tenants = 0  # whose first event was handled
        self.quiet: dict[str, float] = {}
        self.waits: list[float] = []

    async def note(self, work: UnitOfWork, event: ParcelLabelled) -> None:
        """Write a row, as a timeline would, and keep watch meanwhile."""
        subject = (work.tenant, event.parcel_id)
        self.overlaps += subject in self.running
        self.running.add(subject)
        work.add(Note(id=new_id(), parcel_id=event.parcel_id, label=event.label))
        await work.db.flush()
        self.running.discard(subject)
        self.runs[work.tenant, event.label] += 1
        self.tenants += event.label.startswith("first")
        if event.label in self.quiet:
            self.waits.append(time.perf_counter() - self.quiet.pop(event.label))


async def measure(url: str, keys: Keys, seconds: float, workers: int) -> None:
    """Fill, work the backlog off for a while, and print what was seen."""
    watch = Watch()
    service = Service(
        name="parcels",
        schema=parcels.schema,
        routers=(),
        subscriptions=[on(ParcelLabelled, watch.note, every)],
    )
    await migrate(url, service.schema, passwords_of(keys, "parcels"))
    database = database_of(keys, url, "parcels")
    runtime = Runtime(service, Settings(), database, keys, EmbeddedBus())
    tenants = sorted(new_id() for _ in range(TENANTS))
    heavy = tenants[TENANTS // 2]
    async with database.mover.begin() as connection:
        await connection.exec_driver_sql("SET LOCAL statement_timeout = '300s'")
        for first in range(0, BACKLOG, PORTION):
            portion = {
                "first": first,
                "last": first + PORTION - 1,
                "tenant": heavy,
                "subjects": SUBJECTS,
            }
            await connection.execute(FILL, portion)
    for start in range(0, TENANTS, 500):
        await runtime.inbox.store(
            [labelled(tenant, f"first {tenant}") for tenant in tenants[start : start + 500]]
        )
    claims = await claim_times(PostgresInbox(database))
    handling = Handling("parcels", tuple(service.subscriptions), ())
    crew = [Worker(PostgresInbox(database), handling) for _ in range(workers)]
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    tasks = [asyncio.create_task(worker.run()) for worker in crew]
    number = 0
    while watch.tenants < TENANTS - 1:  # noqa: ASYNC110  # the handlers don't know that they are watched
        await asyncio.sleep(0.05)
    firsts_s = time.perf_counter() - started
    while time.perf_counter() - started < firsts_s + seconds:
        await asyncio.sleep(0.25)
        number += 1
        label = f"quiet {number}"
        watch.quiet[label] = time.perf_counter()
        await runtime.inbox.store([labelled(random.choice(tenants), label)])
    async with asyncio.timeout(30):
        while watch.quiet:  # noqa: ASYNC110  # the handlers don't know that they are watched
            await asyncio.sleep(0.05)
    for worker in crew:
        worker.stop()
    await asyncio.gather(*tasks)
    took = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    late = [time.perf_counter() - at for at in watch.quiet.values()]
    handled = sum(watch.runs.values())
    await runtime.database.close()
    report(
        {
            "tenants, waiting events of one": f"{TENANTS:,}, {BACKLOG:,}",
            "workers (one process), seconds": f"{workers}, {took:.0f}",
            "events handled, a second": f"{handled:,}, {handled / took:,.0f}",
            "every tenant's first event handled after": f"{firsts_s:.1f} s",
            "CPU of this process an event": (
                f"{(used.ru_utime - cpu.ru_utime) / handled * 1e6:,.0f} µs"
            ),
            "claim of 50 rows, median, p95": (
                f"{statistics.median(claims):.1f} ms, "
                f"{sorted(claims)[int(len(claims) * 0.95)]:.1f} ms"
            ),
            "handled twice": str(sum(1 for count in watch.runs.values() if count > 1)),
            "two of one subject at once": str(watch.overlaps),
            "quiet tenants' events, all handled": f"{number}, {not watch.quiet}",
            "wait of a quiet tenant's event, median, p95, longest": (
                f"{statistics.median(watch.waits):.2f} s, "
                f"{sorted(watch.waits)[int(len(watch.waits) * 0.95)]:.2f} s, "
                f"{max([*watch.waits, *late]):.2f} s"
            ),
        }
    )


async def claim_times(inbox: PostgresInbox) -> list[float]:
    """How long the claim takes on the full backlog, in ms; each is rolled back."""
    times = []
    cursor = FIRST_TENANT
    for _ in range(40):
        with contextlib.suppress(Undone):
            async with inbox.begin() as transaction:
                started = time.perf_counter()
                _, cursor = await transaction.claim(cursor, most=Worker.BATCH, each=Worker.EACH)
                times.append((time.perf_counter() - started) * 1000)
                raise Undone
    return times


def labelled(tenant: UUID, label: str):  # type: ignore[no-untyped-def]  # an Envelope
    """An event of a parcel of its own."""
    event = ParcelLabelled(parcel_id=new_id(), label=label)
    return sealed(
        event, id=new_id(), tenant=tenant, time=clock.now(), version=1, epoch=1, traceparent=None
    )


def report(figures: dict[str, str]) -> None:
    """Print the figures as the rows of a table."""
    print(f"\nmeasured at {clock.now():%Y-%m-%d %H:%M} UTC\n")  # noqa: T201  # for people
    for name, value in figures.items():
        print(f"| {name} | {value} |")  # noqa: T201  # its table


def main() -> None:
    """Read the arguments, provide a server, measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=45)
    arguments.add_argument("--workers", type=int, default=3)
    chosen = arguments.parse_args()
    server = None if ADDRESS in os.environ else provide()
    url = os.environ[ADDRESS] if server is None else server.url
    try:
        with tempfile.TemporaryDirectory() as folder:
            run_until_done(measure(url, Keys(Path(folder)), chosen.seconds, chosen.workers))
    finally:
        drop_databases(url, os.environ["GUICHET_DATABASE_PREFIX"])
        if server is not None:
            server.stop()


if __name__ == "__main__":
    main()
