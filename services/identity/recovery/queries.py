"""What recovery reads, as values."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.domain.links import Standing
from services.identity.tables import Account, Person, Reset


@dataclass(frozen=True)
class Known:
    """An account that its person can sign in with, and where mails reach them."""

    account_id: UUID
    username: str
    address: str
    language: str


@dataclass(frozen=True)
class Resetting:
    """What a link to a new password is about."""

    account_id: UUID
    username: str
    standing: Standing


async def known_by(
    db: AsyncSession, address_key: str | None, username_key: str | None
) -> list[Known]:
    """The active accounts that have all that was typed, oldest first.

    None of them is erased before this transaction ends: what is told of them here can be cleared.
    """
    wanted = [Account.state == "active"]
    if address_key is not None:
        wanted.append(Person.address_key == address_key)
    if username_key is not None:
        wanted.append(Account.username_key == username_key)
    rows = await db.execute(
        select(Account.id, Account.username, Person.address, Person.language)
        .join(Person, (Person.tenant_id == Account.tenant_id) & (Person.id == Account.person_id))
        .where(*wanted)
        .order_by(Account.id)
        .limit(MOST_OF_AN_ADDRESS)
        .with_for_update(read=True, of=Account)
    )
    return [Known(row[0], row.username or "", row.address, row.language) for row in rows]


async def waiting_at(db: AsyncSession, address_key: str) -> UUID | None:
    """The newest account that waits at this address to be made its person's, or None."""
    rows = await db.execute(
        select(Account.id)
        .join(Person, (Person.tenant_id == Account.tenant_id) & (Person.id == Account.person_id))
        .where(Account.state == "pending", Person.address_key == address_key)
        .order_by(Account.id.desc())
        .limit(1)
    )
    return rows.scalar_one_or_none()


MOST_OF_AN_ADDRESS = 20
"""More accounts of one address are not told of: their mails would look like an attack."""


async def resetting(db: AsyncSession, reset_id: UUID) -> Resetting | None:
    """What the reset with this id is about, or None."""
    rows = await db.execute(
        select(
            Account.id,
            Account.username,
            Account.state,
            Person.address,
            Reset.consumed_at,
            Reset.voided_at,
        )
        .join(Account, (Account.tenant_id == Reset.tenant_id) & (Account.id == Reset.account_id))
        .join(Person, (Person.tenant_id == Account.tenant_id) & (Person.id == Account.person_id))
        .where(Reset.id == reset_id)
    )
    row = rows.first()
    if row is None:
        return None
    standing = Standing(row.state, row.address, row.consumed_at, row.voided_at)
    return Resetting(row[0], row.username or "", standing)
