"""Identity on a real database, its parts driven by hand, with one tenant for each test."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.bus import EmbeddedBus
from chassis.database.migrate import migrate
from chassis.database.tables import outbox
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import ANONYMOUS, Principal
from chassis.runtime import Runtime
from chassis.settings import Settings
from chassis.work import UnitOfWork
from contracts.event import Envelope, Event
from guichet.passwords import database_of, passwords_of
from services.identity.domain.tenants import TenantFacts
from services.identity.service import service
from services.identity.tenants.create_tenant import create_tenant
from tests.builders.identity import tenant_facts
from tests.service.identity.browser import Browser
from tests.support.names import names_apart

E = TypeVar("E", bound=Event)


@pytest.fixture(scope="session")
def identity_keys(worker_folder: Path) -> Keys:
    return Keys(worker_folder / "identity-keys")


@pytest.fixture(scope="session")
async def identity_database(postgres_url: str, identity_keys: Keys) -> str:
    with names_apart("id"):
        await migrate(postgres_url, service.schema, passwords_of(identity_keys, "identity"))
    return postgres_url


@pytest.fixture
async def identity(identity_database: str, identity_keys: Keys) -> AsyncIterator[Runtime]:
    """The service on its own bus, nothing running yet."""
    bus = EmbeddedBus()
    with names_apart("id"):
        database = database_of(identity_keys, identity_database, "identity")
        runtime = Runtime(service, Settings(), database, identity_keys, bus)
    bus.subscribe(runtime.inbox)
    for broadcast in runtime.broadcasts:
        bus.listen(broadcast)
    yield runtime
    for worker in runtime.workers:
        await worker._notes.close()
    async with runtime.database.mover.begin() as connection:
        for table in ("inbox", "outbox", "inbox_notes"):
            await connection.exec_driver_sql(f"DELETE FROM {table}")
    await runtime.stop()


@dataclass
class Portal:
    """One tenant, and what a test does and reads there."""

    runtime: Runtime
    facts: TenantFacts
    tenant: UUID = field(default_factory=new_id)

    def begin(self, principal: Principal = ANONYMOUS) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work of this tenant."""
        return self.runtime.database.begin(self.tenant, principal)

    async def settle(self) -> None:
        """Carry and handle all events, until nothing is left."""
        while True:
            await self.runtime.publisher.drain()
            if not await self.runtime.workers[0].drain():
                return

    async def told(self, kind: type[E]) -> list[E]:
        """The events of this kind, in the order in which they were told."""
        async with self.begin() as work:
            found = await work.db.execute(
                select(outbox.c.envelope)
                .where(outbox.c.tenant_id == self.tenant)
                .order_by(outbox.c.position)
            )
            envelopes = [Envelope.model_validate(one) for one in found.scalars()]
        events = [one.event() for one in envelopes]
        return [one for one in events if isinstance(one, kind)]

    async def only(self, kind: type[E]) -> E:
        """The one event of this kind."""
        (event,) = await self.told(kind)
        return event

    async def row(self, kind: type[Any], id: UUID) -> Any:
        """The row with this id, or None."""
        async with self.begin() as work:
            return await work.find(kind, kind.id == id)


async def a_portal(identity: Runtime) -> Portal:
    """A fresh tenant, which this service has heard of."""
    portal = Portal(identity, tenant_facts())
    async with portal.begin() as work:
        await create_tenant(work, portal.facts)
    await portal.settle()
    return portal


@pytest.fixture
async def portal(identity: Runtime) -> Portal:
    """A tenant."""
    return await a_portal(identity)


@pytest.fixture
async def another_portal(identity: Runtime) -> Portal:
    """Another one."""
    return await a_portal(identity)


@pytest.fixture
def browser(portal: Portal) -> Browser:
    """A visitor's browser at the tenant's portal."""
    return Browser.at(portal.runtime, portal.tenant)
