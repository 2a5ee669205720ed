"""An operator takes a tenant's portal off the air for a while."""

from chassis.work import UnitOfWork
from services.identity.tenants.telling import fetch_tenant, tell_tenant


async def suspend_tenant(work: UnitOfWork) -> None:
    """Suspend it and tell of it; without effect where it is suspended. Raises UnknownTenant."""
    tenant = await fetch_tenant(work)
    if tenant.state != "suspended":
        tenant.state = "suspended"
        await tell_tenant(work, tenant)
