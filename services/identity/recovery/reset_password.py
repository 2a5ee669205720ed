"""A person who lost their password sets a new one, by the link that was mailed to them."""

from uuid import UUID

from sqlalchemy import select

from chassis.work import UnitOfWork
from services.identity.attempts import forget_attempts
from services.identity.credentials import set_password
from services.identity.domain.devices import UNKNOWN, Device
from services.identity.domain.links import GoneLink, Link, Standing, check_serves_active
from services.identity.sessions import OpenedSession, open_session
from services.identity.tables import Account, Person, Reset


async def reset_password(
    work: UnitOfWork,
    link: Link,
    password_hash: str,
    *,
    attempts_id: UUID | None = None,
    device: Device = UNKNOWN,
) -> OpenedSession:
    """Consume the link, once; all sessions end, a new one begins, all other links are void.

    The link's signature and place, and the rules of passwords, were checked. `attempts_id` names
    the vain attempts to sign in that are forgotten. Raises UsedLink, GoneLink and ExpiredLink.
    """
    account = await _account_of(work, link.id)  # locked first: of two at once the other waits here
    reset = await work.fetch(Reset, link.id)
    person = await work.fetch(Person, account.person_id)
    standing = Standing(account.state, person.address, reset.consumed_at, reset.voided_at)
    check_serves_active(link, standing, work.now)
    reset.consumed_at = work.now
    await work.db.flush()
    await set_password(work, account, password_hash)
    if attempts_id is not None:
        await forget_attempts(work, attempts_id)
    return await open_session(work, account.id, device)


async def _account_of(work: UnitOfWork, reset_id: UUID) -> Account:
    found = await work.db.execute(select(Reset.account_id).where(Reset.id == reset_id))
    account_id = found.scalar_one_or_none()
    if account_id is None:
        raise GoneLink
    return await work.fetch(Account, account_id)
