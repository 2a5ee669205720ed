"""What signing in reads, as values."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.domain.usernames import username_key
from services.identity.tables import Account


@dataclass(frozen=True)
class KnownCredentials:
    """The account behind an identifier, and what its password is compared with."""

    account_id: UUID
    password_hash: str


async def credentials_of(db: AsyncSession, username: str) -> KnownCredentials | None:
    """Those of the active account with this identifier, or None."""
    found = await db.execute(
        select(Account.id, Account.password_hash).where(
            Account.username_key == username_key(username), Account.state == "active"
        )
    )
    row = found.first()
    return None if row is None or row[1] is None else KnownCredentials(row[0], row[1])
