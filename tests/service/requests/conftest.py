"""Requests on a real database of its own, asked as the gateway asks, its worker driven by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chassis import clock
from chassis.app import build_app
from chassis.bus import EmbeddedBus
from chassis.database.migrate import migrate
from chassis.files import FolderFiles
from chassis.ids import new_id
from chassis.inbox.worker import Patience
from chassis.keys import Keys
from chassis.principals import ANONYMOUS, TOKEN_HEADER, Call, Principal, mint
from chassis.runtime import Runtime
from chassis.settings import Settings
from contracts.event import Envelope, Event
from guichet.passwords import database_of, passwords_of
from services.requests.service import service
from tests.builders.requests import Town, a_portal, told
from tests.support.names import names_apart

QUICK = Patience(attempts=3, first_s=0.01, awaits_s=0.1)


class Counter:
    """The service, and what a test does with it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.app = build_app(runtime)

    async def portal(self, **changes: Any) -> UUID:
        """A tenant that the service was told of."""
        tenant = new_id()
        await self.hear(tenant, a_portal(tenant, **changes))
        return tenant

    async def town(self, tenant: UUID) -> Town:
        """A person with an account, all that is told of them handled."""
        town = Town()
        await self.hear(tenant, *town.arrives())
        return town

    async def hear(self, tenant: UUID, *events: Event | Envelope, version: int = 1) -> None:
        """Be told of the events, in this order, and handle each."""
        for event in events:
            envelope = (
                event if isinstance(event, Envelope) else told(tenant, event, version=version)
            )
            await self.runtime.inbox.store([envelope])
            if envelope.type == "identity.TenantChanged.v1":
                await self.runtime.tenants.apply(envelope)
            await self.runtime.workers[0].drain()

    async def settle(self, tenant: UUID) -> None:
        """Handle until nothing waits."""
        async with asyncio.timeout(10):
            while await self.of(tenant, "SELECT 1 FROM inbox"):
                await self.runtime.workers[0].drain()
                await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def visitor(
        self, tenant: UUID, principal: Principal = ANONYMOUS, *, language: str = ""
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody whom the gateway speaks for."""

        async def speak_for(request: httpx.Request) -> None:
            call = Call(tenant, "http-1", principal, language=language)
            key = self.runtime.token_key
            request.headers[TOKEN_HEADER] = mint(key, "requests", call, clock.now())

        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://ypok.localhost",
            headers={"Accept": "text/html"},
            event_hooks={"request": [speak_for]},
        ) as client:
            yield client

    async def of(self, tenant: UUID, sql: str) -> list[tuple[Any, ...]]:
        """What the tenant's own app sees."""
        async with self.runtime.database.begin(tenant) as work:
            return [tuple(row) for row in (await work.db.execute(text(sql))).all()]

    async def events(self, tenant: UUID, kind: type[Event]) -> list[Any]:
        """What was told to the other services, of that kind, in order."""
        rows = await self.of(tenant, "SELECT envelope FROM outbox ORDER BY position")
        envelopes = [Envelope.model_validate(row[0]) for row in rows]
        return [one.event() for one in envelopes if one.type == kind.type_name()]


@pytest.fixture(scope="session")
async def counter_keys(worker_folder: Path, postgres_url: str) -> Keys:
    keys = Keys(worker_folder / "requests-keys")
    with names_apart("req"):
        await migrate(postgres_url, service.schema, passwords_of(keys, "requests"))
    return keys


@pytest.fixture
async def counter(counter_keys: Keys, postgres_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    with names_apart("req"):
        runtime = Runtime(
            service,
            Settings(),
            database_of(counter_keys, postgres_url, "requests"),
            counter_keys,
            EmbeddedBus(),
            patience=QUICK,
            files=FolderFiles(tmp_path / "attachments"),
        )
    yield Counter(runtime)
    await runtime.workers[0]._notes.close()
    async with runtime.database.mover.begin() as connection:
        for table in ("inbox", "outbox", "inbox_seen", "tenant_projections"):
            await connection.exec_driver_sql(f"DELETE FROM {table}")
    await runtime.stop()
