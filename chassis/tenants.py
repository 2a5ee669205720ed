"""The tenant as identity tells of it: projected in every service, and cached in every process.

A service lists `on(TenantChanged, project_tenant, newest)`; what it shows or sends for a tenant
comes from here, so it serves while identity is away.
"""

import math
import time
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

LOADED = (0, 0)
"""Stands for the version of what is read from the projection: below whatever is told."""


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
    """Tenants in memory, loaded from the projection and kept current by the broadcast.

    What is loaded is read again after a minute: the projection is fed by the inbox, so it may have
    been older than what the broadcast told before this process heard it. What was told is kept for
    as long as the broadcast is heard.
    """

    MOST = 10_000
    LOADED_FOR_S = 60.0

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[UUID, tuple[tuple[int, int], float, TenantChanged]] = OrderedDict()

    def broadcasts(self) -> Broadcast:
        """What keeps the cache current."""
        return broadcast(TenantChanged, self.apply, joined=self.joined, lost=self._known.clear)

    async def joined(self) -> None:
        """Keep nothing: what changed may not have been heard."""
        self._known.clear()

    async def get(self, tenant: UUID) -> TenantChanged | None:
        """The tenant, or None while this service has not been told of it."""
        known = self._known.get(tenant)
        if known is not None and time.monotonic() < known[1]:
            self._known.move_to_end(tenant)
            return known[2]
        async with self._database.begin(tenant) as work:
            facts = await tenant_facts(work.db, tenant)
        if facts is not None:
            self._keep(tenant, LOADED, facts)
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
        until = time.monotonic() + self.LOADED_FOR_S if version == LOADED else math.inf
        self._known[tenant] = (version, until, facts)
        while len(self._known) > self.MOST:
            self._known.popitem(last=False)
