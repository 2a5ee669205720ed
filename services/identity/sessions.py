"""Sessions as several slices make and end them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.identity import SessionRevoked
from services.identity.domain.devices import UNKNOWN, Device
from services.identity.domain.sessions import IDLE, LONGEST, cookie_hash, new_cookie
from services.identity.tables import Account, Session


@dataclass(frozen=True)
class OpenedSession:
    """A new session and the only copy of its cookie's value."""

    id: UUID
    cookie: str


async def open_session(
    work: UnitOfWork, account_id: UUID, device: Device = UNKNOWN
) -> OpenedSession:
    """Sign the account in; what is left of its outlived sessions goes."""
    await work.db.execute(
        delete(Session).where(
            Session.account_id == account_id,
            (Session.seen_at < work.now - IDLE) | (Session.started_at < work.now - LONGEST),
        )
    )
    cookie = new_cookie()
    session = work.add(
        Session(
            id=new_id(),
            account_id=account_id,
            cookie_hash=cookie_hash(cookie),
            started_at=work.now,
            seen_at=work.now,
            browser=device.browser or None,
            system=device.system or None,
        )
    )
    return OpenedSession(session.id, cookie)


async def end_session(work: UnitOfWork, session_id: UUID) -> None:
    """End one session, everywhere. One that is gone already is left so."""
    session = await work.find(Session, Session.id == session_id)
    if session is None:
        return
    work.emit(SessionRevoked(scope="session", scope_id=session.id, revoked_at=work.now))
    await work.db.delete(session)


async def end_sessions_but(work: UnitOfWork, account_id: UUID, kept: UUID | None) -> None:
    """End all of an account's but that one, everywhere: for who goes on, or signs in anew.

    Each by its own name: an end of the account's would reach the session that begins with it.
    """
    others = await work.db.execute(
        select(Session.id).where(Session.account_id == account_id, Session.id != kept)
        if kept
        else select(Session.id).where(Session.account_id == account_id)
    )
    for session_id in others.scalars().all():
        await end_session(work, session_id)


async def end_sessions_of(work: UnitOfWork, account: Account) -> None:
    """End all of an account's, everywhere, if it has any. The account was fetched before."""
    open_ones = await work.db.execute(
        select(Session.id).where(Session.account_id == account.id).limit(1)
    )
    if open_ones.first() is None:
        return
    work.emit(SessionRevoked(scope="account", scope_id=account.id, revoked_at=work.now))
    await work.db.execute(delete(Session).where(Session.account_id == account.id))
