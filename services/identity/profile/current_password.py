"""Whoever changes what one signs in by says their password again: a browser may stand open."""

from uuid import UUID

from chassis.work import Begin
from services.identity.attempts import count_attempt
from services.identity.domain.profiles import WrongPassword
from services.identity.hashing import matches
from services.identity.profile.queries import password_hash_of


async def right_hash(begin: Begin, account_id: UUID, password: str, attempts_id: UUID) -> str:
    """The hash that the current password was compared with. Raises WrongPassword."""
    async with begin() as work:
        allowed = await count_attempt(work, attempts_id)
        known = await password_hash_of(work.db, account_id)
    is_right = await matches(known, password)
    if known is None or not is_right or not allowed:
        raise WrongPassword
    return known
