"""What a person reads of themselves, as values."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import NotFound
from contracts.links import LIFETIMES, Purpose
from services.identity.domain.links import Standing
from services.identity.domain.sessions import ends_at
from services.identity.tables import Account, EmailChange, Organisation, Person, Session


@dataclass(frozen=True)
class Profile:
    """One's own details."""

    title: str
    birth_name: str
    first_name: str
    phone: str | None
    username: str | None
    address: str
    language: str
    organisation: str
    postcode: str
    city: str


@dataclass(frozen=True)
class OpenSession:
    """A browser in which one is signed in."""

    id: UUID
    browser: str | None
    system: str | None
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class Changing:
    """What a link to a new address is about."""

    username: str
    address: str
    standing: Standing


async def own_profile(db: AsyncSession, account_id: UUID) -> Profile:
    """The details of this active account's person. Raises NotFound."""
    found = await db.execute(
        select(
            Person.title,
            Person.birth_name,
            Person.first_name,
            Person.phone,
            Account.username,
            Person.address,
            Person.language,
            Organisation.name.label("organisation"),
            Organisation.postcode,
            Organisation.city,
        )
        .join(Account, (Account.tenant_id == Person.tenant_id) & (Account.person_id == Person.id))
        .join(
            Organisation,
            (Organisation.tenant_id == Account.tenant_id)
            & (Organisation.id == Account.organisation_id),
        )
        .where(Account.id == account_id, Account.state == "active")
    )
    row = found.first()
    if row is None:
        raise NotFound
    return Profile(**row._asdict())


async def awaited_address(db: AsyncSession, account_id: UUID, now: datetime) -> str | None:
    """The newest address that was asked to confirm and may still do so, or None."""
    found = await db.execute(
        select(EmailChange.address)
        .where(
            EmailChange.account_id == account_id,
            EmailChange.consumed_at.is_(None),
            EmailChange.voided_at.is_(None),
            EmailChange.requested_at > now - LIFETIMES[Purpose.EMAIL_CHANGE],
        )
        .order_by(EmailChange.requested_at.desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


async def own_sessions(db: AsyncSession, account_id: UUID, now: datetime) -> list[OpenSession]:
    """The account's sessions that still serve, last used first."""
    rows = await db.execute(
        select(Session.id, Session.browser, Session.system, Session.started_at, Session.seen_at)
        .where(Session.account_id == account_id)
        .order_by(Session.seen_at.desc(), Session.id)
    )
    found = [OpenSession(*row) for row in rows]
    return [one for one in found if ends_at(one.started_at, one.seen_at) > now]


async def password_hash_of(db: AsyncSession, account_id: UUID) -> str | None:
    """What the current password is compared with."""
    found = await db.execute(
        select(Account.password_hash).where(Account.id == account_id, Account.state == "active")
    )
    return found.scalar_one_or_none()


async def changing(db: AsyncSession, change_id: UUID) -> Changing | None:
    """What the change of address with this id is about, or None."""
    rows = await db.execute(
        select(
            Account.username,
            Account.state,
            EmailChange.address,
            EmailChange.consumed_at,
            EmailChange.voided_at,
        )
        .join(
            Account,
            (Account.tenant_id == EmailChange.tenant_id) & (Account.id == EmailChange.account_id),
        )
        .where(EmailChange.id == change_id)
    )
    row = rows.first()
    if row is None:
        return None
    standing = Standing(row.state, row.address, row.consumed_at, row.voided_at)
    return Changing(row.username or "", row.address, standing)
