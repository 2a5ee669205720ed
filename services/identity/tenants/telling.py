"""Telling the others what a tenant now is, whole; what every verb of this slice ends with."""

from sqlalchemy import func, select

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.words import Words
from services.identity.domain.tenants import HostTaken, SlugTaken, UnknownTenant, told
from services.identity.tables import Tenant, Terms

TAKEN = {"uq_tenants_slug": SlugTaken, "uq_tenants_host": HostTaken}
"""What the installation's unique indexes refuse."""


async def fetch_tenant(work: UnitOfWork) -> Tenant:
    """The tenant of this unit of work, locked. Raises UnknownTenant."""
    tenant = await work.find(Tenant, Tenant.id == work.tenant)
    if tenant is None:
        raise UnknownTenant
    return tenant


async def next_terms(work: UnitOfWork, tenant: Tenant, text: Words) -> Terms:
    """Put a new text of the terms in force, under the next number."""
    highest = await work.db.execute(select(func.coalesce(func.max(Terms.number), 0)))
    terms = work.add(
        Terms(id=new_id(), number=highest.scalar_one() + 1, text=text, published_at=work.now)
    )
    tenant.terms_number = terms.number
    return terms


async def tell_tenant(work: UnitOfWork, tenant: Tenant, terms: Terms | None = None) -> None:
    """Emit TenantChanged. `terms` are those in force, where the caller has them."""
    if terms is None:
        found = await work.db.execute(select(Terms).where(Terms.number == tenant.terms_number))
        terms = found.scalar_one()
    work.emit(
        told(
            tenant_id=tenant.id,
            slug=tenant.slug,
            host=tenant.host,
            state=tenant.state,
            facts=tenant.facts,
            terms_number=terms.number,
            terms_text=terms.text,
            terms_published_at=terms.published_at,
        )
    )
