"""A person who knows their password sets another one."""

from uuid import UUID

from chassis.work import UnitOfWork
from services.identity.attempts import forget_attempts
from services.identity.credentials import set_password
from services.identity.domain.profiles import WrongPassword
from services.identity.people import own_account


async def change_password(
    work: UnitOfWork, known_hash: str, new_hash: str, *, attempts_id: UUID | None = None
) -> None:
    """Set it; the principal's other sessions end, all links are void, and they are told.

    `known_hash` is what the current password was compared with. Raises WrongPassword where it was
    changed since.
    """
    account, _ = await own_account(work)
    if account.password_hash != known_hash:
        raise WrongPassword
    await set_password(work, account, new_hash, kept=work.principal.session_id)
    if attempts_id is not None:
        await forget_attempts(work, attempts_id)
