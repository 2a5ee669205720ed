"""What an account's person reads of themselves, as values."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import NotFound
from services.identity.tables import Account, Organisation, Person


@dataclass(frozen=True)
class Profile:
    """One's own details."""

    title: str
    birth_name: str
    first_name: str
    username: str | None
    address: str
    organisation: str
    postcode: str
    city: str


async def own_profile(db: AsyncSession, account_id: UUID) -> Profile:
    """The details of this active account's person. Raises NotFound."""
    found = await db.execute(
        select(
            Person.title,
            Person.birth_name,
            Person.first_name,
            Account.username,
            Person.address,
            Organisation.name,
            Organisation.postcode,
            Organisation.city,
        )
        .join(Account, (Account.tenant_id == Person.tenant_id) & (Account.person_id == Person.id))
        .join(
            Organisation,
            (Organisation.tenant_id == Account.tenant_id)
            & (Organisation.id == Account.organisation_id),
        )
        .where(Account.id == account_id, Account.state == "active")
    )
    row = found.first()
    if row is None:
        raise NotFound
    return Profile(*row)
