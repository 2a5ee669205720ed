"""The parcels service on a real database, its parts driven by hand."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.bus import EmbeddedBus
from chassis.database.migrate import migrate
from chassis.inbox.worker import Patience, Worker
from chassis.keys import Keys
from chassis.runtime import Runtime
from chassis.settings import Settings
from guichet.passwords import database_of, passwords_of
from tests.support.parcels.service import Faults, service

QUICK = Patience(attempts=3, first_s=0.01, awaits_s=0.2, awaits_for=timedelta(days=7))


@pytest.fixture(scope="session")
def keys(worker_folder: Path) -> Keys:
    return Keys(worker_folder / "parcels-keys")


@pytest.fixture(scope="session")
async def parcels_database(postgres_url: str, keys: Keys) -> str:
    await migrate(postgres_url, service.schema, passwords_of(keys, "parcels"))
    return postgres_url


@pytest.fixture
async def parcels(parcels_database: str, keys: Keys) -> AsyncIterator[Runtime]:
    """The service, connected to its own bus, nothing running yet."""
    Faults.poison.clear()
    Faults.ran.clear()
    bus = EmbeddedBus()
    runtime = Runtime(
        service,
        Settings(),
        database_of(keys, parcels_database, "parcels"),
        keys,
        bus,
        patience=QUICK,
    )
    bus.subscribe(runtime.inbox)
    yield runtime
    for one in runtime.workers:
        await one._notes.close()
    async with runtime.database.mover.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM inbox")
        await connection.exec_driver_sql("DELETE FROM outbox")
        await connection.exec_driver_sql("DELETE FROM inbox_notes")
    await runtime.stop()


@pytest.fixture
def worker(parcels: Runtime) -> Worker:
    return parcels.workers[0]
