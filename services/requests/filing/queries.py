"""What filing reads: procedures on offer, what is known of who files, what they accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.forms import grouped_phone
from contracts.forms import AttachedFile, Form
from contracts.words import Words
from services.requests.domain.terms import acceptance_id
from services.requests.tables import (
    Acceptance,
    Attachment,
    Draft,
    Organisation,
    Procedure,
    Request,
    Requester,
)


@dataclass(frozen=True)
class Offer:
    """A procedure as it is now offered."""

    id: UUID
    slug: str
    title: Words
    description: Words
    minutes: int
    form_version: int
    form: Form | None  # none: it opens the registration


async def offer(db: AsyncSession, slug: str) -> Offer | None:
    """The procedure under that address, or None: never published here, or retired."""
    found = await db.execute(
        select(
            Procedure.id,
            Procedure.slug,
            Procedure.title,
            Procedure.description,
            Procedure.minutes,
            Procedure.form_version,
            Procedure.form,
        )
        .where(Procedure.slug == slug)
        .order_by(Procedure.id.desc())
        .limit(1)
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Offer(
        id=row.id,
        slug=row.slug,
        title=row.title,
        description=row.description,
        minutes=row.minutes,
        form_version=row.form_version,
        form=None if row.form is None else Form.model_validate(row.form),
    )


@dataclass(frozen=True)
class DraftView:
    """A draft, with the form that asked for what it holds."""

    id: UUID
    procedure_id: UUID
    slug: str
    title: Words
    form_version: int
    form: Form
    values: Mapping[str, str]
    page: int
    key: str
    saved_at: datetime


async def draft_of(
    db: AsyncSession,
    person_id: UUID,
    *,
    procedure_id: UUID | None = None,
    slug: str = "",
    key: str | None = None,
) -> DraftView | None:
    """What the person began to fill in of that procedure, or of one that was at that address.

    One that they threw away only to who still has a page of it open, and so knows its key.
    """
    which = and_(
        Draft.slug == slug if procedure_id is None else Draft.procedure_id == procedure_id,
        Draft.discarded_at.is_(None) if key is None else Draft.key == key,
    )
    found = await db.execute(
        select(Draft)
        .where(Draft.person_id == person_id, which)
        .order_by(Draft.saved_at.desc())
        .limit(1)
    )
    draft = found.scalar_one_or_none()
    if draft is None:
        return None
    return DraftView(
        id=draft.id,
        procedure_id=draft.procedure_id,
        slug=draft.slug,
        title=draft.procedure_title,
        form_version=draft.form_version,
        form=Form.model_validate(draft.form),
        values=draft.values,
        page=draft.page,
        key=draft.key,
        saved_at=draft.saved_at,
    )


async def attached_to(db: AsyncSession, draft_id: UUID) -> dict[UUID, AttachedFile]:
    """The files of a draft, by their ids."""
    found = await db.execute(
        select(Attachment.id, Attachment.name, Attachment.size_bytes, Attachment.media_type)
        .where(Attachment.draft_id == draft_id)
        .order_by(Attachment.id)
    )
    return {
        row.id: AttachedFile(
            id=row.id, name=row.name, size_bytes=row.size_bytes, media_type=row.media_type
        )
        for row in found
    }


async def known_values(db: AsyncSession, person_id: UUID) -> Mapping[str, str] | None:
    """What the portal knows of a person, by the names that forms pre-fill from.

    None until this service was told of the person.
    """
    found = await db.execute(
        select(Requester, Organisation)
        .outerjoin(Organisation, Organisation.id == Requester.organisation_id)
        .where(Requester.id == person_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    person: Requester = row[0]
    town: Organisation | None = row[1]
    known = {
        "person.first_name": person.first_name,
        "person.birth_name": person.birth_name,
        "person.title": person.title,
        "person.email": person.address,
        "person.phone": grouped_phone(person.phone or ""),
    }
    if town is not None:
        known["organisation.name"] = town.name
        known["organisation.city"] = town.city
        known["organisation.postcode"] = town.postcode
    return known


@dataclass(frozen=True)
class Beginning:
    """What a procedure's introduction is made of."""

    procedure: Offer
    known: Mapping[str, str]
    accepted: bool  # the terms in force, by this person, already
    draft: DraftView | None  # what they have begun of it before


async def beginning(
    db: AsyncSession, procedure: Offer, person_id: UUID, terms_version: int
) -> Beginning | None:
    """How this person begins the procedure; None until this service was told of them."""
    known = await known_values(db, person_id)
    if known is None:
        return None
    return Beginning(
        procedure,
        known,
        await has_accepted(db, person_id, terms_version),
        await draft_of(db, person_id, procedure_id=procedure.id),
    )


async def has_accepted(db: AsyncSession, person_id: UUID, terms_version: int) -> bool:
    """Has the person accepted that version of the terms?"""
    found = await db.execute(
        select(Acceptance.id).where(Acceptance.id == acceptance_id(person_id, terms_version))
    )
    return found.first() is not None


async def saved_under(db: AsyncSession, key: UUID) -> UUID | None:
    """The request that was saved with that one-use key, or None."""
    found = await db.execute(select(Request.id).where(Request.key == key))
    return found.scalar_one_or_none()
