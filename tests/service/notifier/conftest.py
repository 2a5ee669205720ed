"""The notifier on a real database of its own, its parts driven by hand, and a scripted relay."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from chassis.bus import EmbeddedBus
from chassis.database import roles
from chassis.database.migrate import migrate, with_database
from chassis.ids import new_id
from chassis.inbox.worker import Patience as InboxPatience
from chassis.keys import Keys
from chassis.runtime import Runtime
from chassis.settings import Settings
from contracts.event import Envelope, Event
from guichet.passwords import database_of, passwords_of
from services.notifier.delivery.deliver import Delivery
from services.notifier.domain.retries import Patience
from services.notifier.service import service
from tests.builders.notifier import a_tenant, told
from tests.service.notifier.relay import ScriptedRelay
from tests.support.names import names_apart

QUICK = Patience(first_s=0.02, longest_s=0.1, away_first_s=0.05, away_longest_s=0.2)


class Office:
    """The notifier, and what a test does with it."""

    def __init__(self, runtime: Runtime, relay: ScriptedRelay, admin_url: str) -> None:
        self._admin_url = admin_url
        self.runtime = runtime
        self.relay = relay
        self.deliveries: list[Delivery] = []

    async def tenant(self, **changes: Any) -> UUID:
        """A tenant that the notifier was told of."""
        tenant = new_id()
        await self.hear(tenant, a_tenant(tenant, **changes))
        return tenant

    async def hear(self, tenant: UUID, *events: Event | Envelope) -> None:
        """Be told of the events, in this order, and handle each."""
        for event in events:
            envelope = event if isinstance(event, Envelope) else told(tenant, event)
            await self.runtime.inbox.store([envelope])
            if envelope.type == "identity.TenantChanged.v1":
                await self.runtime.tenants.apply(envelope)
            await self.runtime.workers[0].drain()

    def delivery(self, **settings: Any) -> Delivery:
        """One more deliverer, to the scripted relay."""
        values = {
            "relay_host": "127.0.0.1",
            "relay_port": self.relay.port,
            "relay_timeout_s": 2,
            "relay_connections": 1,
        }
        delivery = Delivery(
            self.runtime.database,
            self.runtime.tenants,
            self.runtime.keys,
            Settings(**{**values, **settings}),
            patience=QUICK,
        )
        self.deliveries.append(delivery)
        return delivery

    async def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the mover sees."""
        async with self.runtime.database.mover.begin() as connection:
            found = await connection.execute(text(sql), values)
            return [tuple(row) for row in found.all()] if found.returns_rows else []

    async def clear(self, tenant: UUID, table: str) -> None:
        """Forget what a table holds of the tenant."""
        async with self.runtime.database.begin(tenant) as work:
            await work.db.execute(text(f"DELETE FROM {table}"))

    async def dump(self) -> str:
        """All that the database holds, as text, read past every policy."""
        admin = await asyncpg.connect(self._admin_url, timeout=10)
        try:
            tables = await admin.fetch(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
            )
            held = [
                row[0]
                for (table,) in tables
                for row in await admin.fetch(f"SELECT to_jsonb(t)::text FROM {table} AS t")
            ]
        finally:
            await admin.close()
        return "\n".join(held)

    async def of(self, tenant: UUID, sql: str) -> list[tuple[Any, ...]]:
        """What the tenant's own app sees."""
        async with self.runtime.database.begin(tenant) as work:
            return [tuple(row) for row in (await work.db.execute(text(sql))).all()]


@pytest.fixture(scope="session")
async def notifier_keys(worker_folder: Path, postgres_url: str) -> Keys:
    keys = Keys(worker_folder / "notifier-keys")
    with names_apart("mail"):
        await migrate(postgres_url, service.schema, passwords_of(keys, "notifier"))
    return keys


@pytest.fixture
async def office(notifier_keys: Keys, postgres_url: str) -> AsyncIterator[Office]:
    relay = ScriptedRelay()
    await relay.start()
    bus = EmbeddedBus()
    with names_apart("mail"):
        own_url = with_database(postgres_url, roles.database_name("notifier"))
        runtime = Runtime(
            service,
            Settings(relay_host="127.0.0.1", relay_port=relay.port),
            database_of(notifier_keys, postgres_url, "notifier"),
            notifier_keys,
            bus,
            patience=InboxPatience(attempts=3, first_s=0.01, awaits_s=0.2),
        )
    bus.subscribe(runtime.inbox)
    office = Office(runtime, relay, own_url)
    yield office
    for delivery in office.deliveries:
        await delivery.close()
    await relay.stop()
    await runtime.workers[0]._notes.close()
    for table in ("attempts", "mails", "outbox", "inbox", "inbox_seen", "tenant_projections"):
        await office.rows(f"DELETE FROM {table}")
    await runtime.stop()
