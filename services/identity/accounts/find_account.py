"""Finding an account by what its person calls it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.domain.usernames import username_key
from services.identity.tables import Account


async def account_by_username(db: AsyncSession, username: str) -> UUID | None:
    """The id of the account with this identifier, compared as at sign-in, or None."""
    found = await db.execute(
        select(Account.id).where(Account.username_key == username_key(username))
    )
    return found.scalar_one_or_none()
