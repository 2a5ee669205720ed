"""New terms of use come into force."""

from chassis.work import UnitOfWork
from contracts.words import Words
from services.identity.tenants.telling import fetch_tenant, next_terms, tell_tenant


async def publish_terms(work: UnitOfWork, text: Words) -> int:
    """Put the text in force and tell of it. Answers its number. Raises UnknownTenant."""
    tenant = await fetch_tenant(work)
    terms = await next_terms(work, tenant, text)
    await tell_tenant(work, tenant, terms)
    return terms.number
