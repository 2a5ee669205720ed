"""A person ends one of their sessions, or all but the one that they are in."""

from uuid import UUID

from sqlalchemy import select

from chassis.work import UnitOfWork
from services.identity.people import own_account
from services.identity.sessions import end_session, end_sessions_but
from services.identity.tables import Session


async def end_own_session(work: UnitOfWork, session_id: UUID) -> None:
    """End that session of the principal's. Another's, or one that is gone, is left as it is."""
    account, _ = await own_account(work)
    found = await work.db.execute(
        select(Session.id).where(Session.id == session_id, Session.account_id == account.id)
    )
    if found.first() is not None:
        await end_session(work, session_id)


async def end_other_sessions(work: UnitOfWork) -> None:
    """End all of the principal's but the one that they are in."""
    account, _ = await own_account(work)
    await end_sessions_but(work, account.id, work.principal.session_id)
