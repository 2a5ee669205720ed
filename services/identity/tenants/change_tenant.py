"""An operator changes what a tenant is."""

from sqlalchemy import select

from chassis.work import UnitOfWork
from services.identity.domain.tenants import TenantFacts
from services.identity.tables import Terms
from services.identity.tenants.telling import TAKEN, fetch_tenant, next_terms, tell_tenant
from services.identity.unique import refusing


async def change_tenant(work: UnitOfWork, facts: TenantFacts) -> None:
    """Replace its facts; terms whose text differs come into force as a new version.

    Raises UnknownTenant, SlugTaken and HostTaken.
    """
    tenant = await fetch_tenant(work)
    async with refusing(work, TAKEN):
        tenant.slug, tenant.host, tenant.facts = facts.slug, facts.host, facts.kept()
    found = await work.db.execute(select(Terms).where(Terms.number == tenant.terms_number))
    terms = found.scalar_one()
    if terms.text != facts.terms:
        terms = await next_terms(work, tenant, facts.terms)
    await tell_tenant(work, tenant, terms)
