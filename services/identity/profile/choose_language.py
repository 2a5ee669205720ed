"""A person chooses the language that the portal and its mails speak to them."""

from sqlalchemy import select

from chassis.work import UnitOfWork
from services.identity.domain.profiles import UnknownLanguage
from services.identity.people import own_account, tell_profile
from services.identity.tables import Tenant


async def choose_language(work: UnitOfWork, language: str) -> None:
    """Keep the principal's language and tell of it. Raises UnknownLanguage."""
    tenant = (await work.db.execute(select(Tenant.facts))).scalar_one()
    if language not in tenant["languages"]:
        raise UnknownLanguage
    account, person = await own_account(work)
    person.language = language
    tell_profile(work, account, person)
