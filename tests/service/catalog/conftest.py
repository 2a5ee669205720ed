"""The catalog on a real database, nothing running, with one tenant for each test."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from chassis import clock
from chassis.app import build_app
from chassis.bus import EmbeddedBus
from chassis.database.migrate import migrate
from chassis.database.tables import outbox
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import ANONYMOUS, CUSTOMER, TOKEN_HEADER, Call, Principal, mint
from chassis.runtime import Runtime
from chassis.settings import Settings
from chassis.tenants import project_tenant
from chassis.work import UnitOfWork
from contracts.event import Envelope, Event
from guichet.passwords import database_of, passwords_of
from services.catalog.domain.catalogue import CatalogueFile
from services.catalog.importing.import_catalogue import ImportOutcome, import_catalogue
from services.catalog.service import service
from tests.builders.catalog import a_tenant
from tests.support.names import names_apart

E = TypeVar("E", bound=Event)

A_TOWN = Principal(
    kind="person",
    account_id=new_id(),
    person_id=new_id(),
    roles=frozenset({CUSTOMER}),
    display_name="Compte Démonstration",
)


@pytest.fixture(scope="session")
async def catalog(postgres_url: str, worker_folder: Path) -> AsyncIterator[Runtime]:
    """The service, connected; neither publisher nor workers run."""
    keys = Keys(worker_folder / "catalog-keys")
    with names_apart("cat"):
        await migrate(postgres_url, service.schema, passwords_of(keys, "catalog"))
        database = database_of(keys, postgres_url, "catalog")
        runtime = Runtime(service, Settings(), database, keys, EmbeddedBus())
    yield runtime
    await runtime.stop()


@pytest.fixture(scope="session")
def app(catalog: Runtime) -> FastAPI:
    """What the gateway calls."""
    return build_app(catalog)


@dataclass
class Portal:
    """One tenant's portal, and what a test does and reads there."""

    runtime: Runtime
    app: FastAPI
    tenant: UUID = field(default_factory=new_id)

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work of this tenant."""
        return self.runtime.database.begin(self.tenant)

    async def imports(self, catalogue: CatalogueFile) -> ImportOutcome:
        """Import, in a transaction of its own."""
        async with self.begin() as work:
            return await import_catalogue(work, catalogue)

    async def envelopes(self) -> list[Envelope]:
        """What was told so far, in its order."""
        async with self.begin() as work:
            found = await work.db.execute(
                select(outbox.c.envelope)
                .where(outbox.c.tenant_id == self.tenant)
                .order_by(outbox.c.position)
            )
            return [Envelope.model_validate(one) for one in found.scalars()]

    async def told(self, kind: type[E]) -> list[E]:
        """The events of this kind, in their order."""
        events = [one.event() for one in await self.envelopes()]
        return [one for one in events if isinstance(one, kind)]

    async def get(
        self,
        path: str,
        reader: Principal = ANONYMOUS,
        *,
        method: str = "GET",
        language: str = "",
    ) -> httpx.Response:
        """A page, as the gateway asks for it."""
        call = Call(self.tenant, "test", reader, language=language)
        token = mint(self.runtime.token_key, "catalog", call, clock.now())
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
            return await client.request(method, path, headers={TOKEN_HEADER: token})


@pytest.fixture
async def portal(catalog: Runtime, app: FastAPI) -> Portal:
    """A fresh tenant that the catalog was told of."""
    return await _opened(Portal(catalog, app))


@pytest.fixture
async def other_portal(catalog: Runtime, app: FastAPI) -> Portal:
    """Another tenant."""
    return await _opened(Portal(catalog, app))


async def _opened(portal: Portal) -> Portal:
    async with portal.begin() as work:
        await project_tenant(work, a_tenant(tenant_id=portal.tenant))
    return portal
