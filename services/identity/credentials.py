"""Passwords as several slices check and set them, and what a guesser knows of an account."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import NotFound
from chassis.work import UnitOfWork
from contracts.identity import PasswordChanged
from services.identity.people import void_links
from services.identity.sessions import end_sessions_but
from services.identity.tables import Account, Organisation, Person, Tenant


@dataclass(frozen=True)
class Asked:
    """What is asked of an account's new password: the tenant's least length, and no such words."""

    minimum: int
    context: tuple[str, ...]


async def asked_of_password(db: AsyncSession, account_id: UUID) -> Asked:
    """What this account's new password must be. Raises NotFound."""
    found = await db.execute(
        select(
            Account.username,
            Organisation.name,
            Organisation.city,
            Organisation.postcode,
            Person.birth_name,
            Person.first_name,
            Person.address,
        )
        .join(Person, (Person.tenant_id == Account.tenant_id) & (Person.id == Account.person_id))
        .join(
            Organisation,
            (Organisation.tenant_id == Account.tenant_id)
            & (Organisation.id == Account.organisation_id),
        )
        .where(Account.id == account_id)
    )
    row = found.first()
    if row is None:
        raise NotFound
    tenant = (await db.execute(select(Tenant.facts))).scalar_one()
    known = (*row, tenant["name"], tenant["brand"]["portal_name"])
    return Asked(tenant["password_minimum"], tuple(one for one in known if one))


async def set_password(
    work: UnitOfWork, account: Account, password_hash: str, *, kept: UUID | None = None
) -> None:
    """Set it, void the account's links, end its sessions but the one kept, and tell its person.

    The account was fetched before: of two at once the other waits for its row.
    """
    account.password_hash = password_hash
    await void_links(work, account.id)
    await end_sessions_but(work, account.id, kept)
    person = await work.fetch(Person, account.person_id)
    work.emit(
        PasswordChanged(
            account_id=account.id,
            username=account.username or "",
            address=person.address,
            language=person.language,
            changed_at=work.now,
        )
    )
