"""What registration reads, as values."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.forms import normalise_address
from services.identity.tables import Account, Person, Registration


@dataclass(frozen=True)
class KnownAccount:
    """An account that its person can sign in with."""

    id: UUID
    username: str


@dataclass(frozen=True)
class Submitted:
    """Where a registration stands, and whose it is."""

    state: str
    address: str


async def accounts_at(db: AsyncSession, address: str) -> list[KnownAccount]:
    """The active accounts of whoever reads mail at this address, oldest first.

    None of them is erased before this transaction ends: what is told of them here can be cleared.
    """
    rows = await db.execute(
        select(Account.id, Account.username)
        .join(Person, (Person.tenant_id == Account.tenant_id) & (Person.id == Account.person_id))
        .where(Person.address_key == normalise_address(address), Account.state == "active")
        .order_by(Account.id)
        .with_for_update(read=True, of=Account)
    )
    return [KnownAccount(id, username or "") for id, username in rows]


async def submitted(db: AsyncSession, submission_id: UUID) -> Submitted | None:
    """The registration with this id, or None."""
    rows = await db.execute(
        select(Registration.state, Registration.answers).where(Registration.id == submission_id)
    )
    row = rows.first()
    return None if row is None else Submitted(row.state, row.answers.get("email", ""))
