"""What activation reads, as values."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.domain import usernames
from services.identity.domain.links import Standing
from services.identity.tables import Account, Activation, Organisation, Person, Tenant


@dataclass(frozen=True)
class Waiting:
    """An account that waits for its activation, as its page needs it."""

    standing: Standing
    town: str
    names: tuple[str, ...]  # what a guesser knows of it
    password_minimum: int


async def waiting(db: AsyncSession, activation_id: UUID) -> Waiting | None:
    """What the activation with this id is about, or None."""
    rows = await db.execute(
        select(
            Account.state,
            Person.address,
            Activation.consumed_at,
            Activation.voided_at,
            Organisation.name,
            Organisation.city,
            Organisation.postcode,
            Person.birth_name,
            Person.first_name,
        )
        .join(
            Account,
            (Account.tenant_id == Activation.tenant_id) & (Account.id == Activation.account_id),
        )
        .join(Person, (Person.tenant_id == Account.tenant_id) & (Person.id == Account.person_id))
        .join(
            Organisation,
            (Organisation.tenant_id == Account.tenant_id)
            & (Organisation.id == Account.organisation_id),
        )
        .where(Activation.id == activation_id)
    )
    row = rows.first()
    if row is None:
        return None
    tenant = (await db.execute(select(Tenant.facts))).scalar_one()
    return Waiting(
        standing=Standing(row.state, row.address, row.consumed_at, row.voided_at),
        town=row.name,
        names=(
            row.name,
            row.city,
            row.postcode,
            row.birth_name,
            row.first_name,
            row.address,
            tenant["name"],
            tenant["brand"]["portal_name"],
        ),
        password_minimum=tenant["password_minimum"],
    )


async def free_username(db: AsyncSession, town: str) -> str:
    """A username that nobody of the tenant has, made from the town's name."""
    candidates = usernames.candidates(town)
    taken = await db.execute(
        select(Account.username_key).where(Account.username_key.in_(candidates))
    )
    return usernames.first_free(candidates, {key for key in taken.scalars() if key})


async def is_taken(db: AsyncSession, username: str) -> bool:
    """Has somebody of the tenant a username that counts as the same?"""
    key = usernames.username_key(username)
    found = await db.execute(select(Account.id).where(Account.username_key == key))
    return found.first() is not None
