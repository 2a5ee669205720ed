"""An operator puts a suspended tenant's portal on the air again."""

from chassis.work import UnitOfWork
from services.identity.tenants.telling import fetch_tenant, tell_tenant


async def resume_tenant(work: UnitOfWork) -> None:
    """Resume it and tell of it; without effect where it is active. Raises UnknownTenant."""
    tenant = await fetch_tenant(work)
    if tenant.state != "active":
        tenant.state = "active"
        await tell_tenant(work, tenant)
