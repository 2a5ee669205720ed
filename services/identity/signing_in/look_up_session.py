"""The gateway asks whose a cookie is."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from chassis.work import UnitOfWork
from services.identity.domain.names import display_name
from services.identity.domain.sessions import SEEN_TO_WITHIN, cookie_hash, ends_at
from services.identity.tables import Account, Person, Session


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in by a cookie, and until when unless it is seen again."""

    session_id: UUID
    account_id: UUID
    person_id: UUID
    organisation_id: UUID
    roles: tuple[str, ...]
    display_name: str
    language: str
    until: datetime


async def look_up_session(work: UnitOfWork, cookie: str) -> SignedIn | None:
    """Whose session it is, or None for one that ended, idled too long or never was."""
    found = await work.db.execute(
        select(
            Session.id,
            Session.started_at,
            Session.seen_at,
            Account.id.label("account_id"),
            Account.person_id,
            Account.organisation_id,
            Account.roles,
            Account.username,
            Person.birth_name,
            Person.first_name,
            Person.language,
        )
        .join(
            Account, (Account.tenant_id == Session.tenant_id) & (Account.id == Session.account_id)
        )
        .join(Person, (Person.tenant_id == Account.tenant_id) & (Person.id == Account.person_id))
        .where(Session.cookie_hash == cookie_hash(cookie), Account.state == "active")
    )
    row = found.first()
    if row is None or ends_at(row.started_at, row.seen_at) <= work.now:
        return None
    if work.now - row.seen_at > SEEN_TO_WITHIN:
        await work.db.execute(update(Session).where(Session.id == row.id).values(seen_at=work.now))
    return SignedIn(
        session_id=row.id,
        account_id=row.account_id,
        person_id=row.person_id,
        organisation_id=row.organisation_id,
        roles=tuple(row.roles),
        display_name=display_name(row.birth_name, row.first_name) or row.username or "",
        language=row.language,
        until=ends_at(row.started_at, work.now),
    )
