"""A tenant begins."""

from chassis.work import UnitOfWork
from services.identity.domain.tenants import TenantFacts
from services.identity.tables import Tenant
from services.identity.tenants.telling import TAKEN, next_terms, tell_tenant
from services.identity.unique import refusing


async def create_tenant(work: UnitOfWork, facts: TenantFacts) -> bool:
    """Make the tenant that this unit of work is of, and tell of it.

    Answers False, without effect, where it exists already. Raises SlugTaken and HostTaken.
    """
    if await work.find(Tenant, Tenant.id == work.tenant) is not None:
        return False
    async with refusing(work, TAKEN):
        tenant = work.add(
            Tenant(
                id=work.tenant,
                slug=facts.slug,
                host=facts.host,
                state="active",
                facts=facts.kept(),
                terms_number=0,
                created_at=work.now,
            )
        )
    terms = await next_terms(work, tenant, facts.terms)
    await tell_tenant(work, tenant, terms)
    return True
