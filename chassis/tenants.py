"""The tenant as identity tells of it: projected in every service, and cached in every process.

A service lists `on(TenantChanged, project_tenant, newest)`; what it shows or sends for a tenant
comes from here, so it serves while identity is away.
"""

from collections import OrderedDict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.tables import tenant_projections
from chassis.subscriptions import Broadcast, broadcast
from chassis.work import Database, UnitOfWork
from contracts.event import Envelope
from contracts.identity import TenantChanged

PLATFORM = UUID(int=1)
"""The installation's own tenant: operators' accounts, and calls that are of no tenant."""


async def project_tenant(work: UnitOfWork, event: TenantChanged) -> None:
    """Keep the tenant as it now is."""
    values = {"state": event.state, "facts": event.model_dump(mode="json")}
    await work.db.execute(
        insert(tenant_projections)
        .values(tenant_id=work.tenant, **values)
        .on_conflict_do_update(index_elements=["tenant_id"], set_=values)
    )


async def tenant_facts(db: AsyncSession, tenant: UUID) -> TenantChanged | None:
    """The tenant as this service was last told, or None before it was."""
    found = await db.execute(
        select(tenant_projections.c.facts).where(tenant_projections.c.tenant_id == tenant)
    )
    facts = found.scalar_one_or_none()
    return None if facts is None else TenantChanged.model_validate(facts)


class TenantCache:
    """Tenants in memory, loaded from the projection and kept current by the broadcast."""

    MOST = 10_000

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[UUID, tuple[tuple[int, int], TenantChanged]] = OrderedDict()

    def broadcasts(self) -> Broadcast:
        """What keeps the cache current."""
        return broadcast(TenantChanged, self.apply)

    async def get(self, tenant: UUID) -> TenantChanged | None:
        """The tenant, or None while this service has not been told of it."""
        if tenant in self._known:
            self._known.move_to_end(tenant)
            return self._known[tenant][1]
        async with self._database.begin(tenant) as work:
            facts = await tenant_facts(work.db, tenant)
        if facts is not None:
            self._keep(tenant, (0, 0), facts)
        return facts

    async def apply(self, envelope: Envelope) -> None:
        """What was just told, unless something newer is known."""
        version = (envelope.epoch, envelope.version)
        if envelope.tenant in self._known and self._known[envelope.tenant][0] > version:
            return
        event = envelope.event()
        assert isinstance(event, TenantChanged)
        self._keep(envelope.tenant, version, event)

    def _keep(self, tenant: UUID, version: tuple[int, int], facts: TenantChanged) -> None:
        known = self._known.get(tenant)
        if known is not None and known[0] > version:
            return
        self._known[tenant] = (version, facts)
        while len(self._known) > self.MOST:
            self._known.popitem(last=False)
