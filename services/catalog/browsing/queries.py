"""What the pages show of the catalogue, in one statement each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import NotFound
from contracts.words import Words
from services.catalog.tables import Category, Draft, Procedure


@dataclass(frozen=True)
class ProcedureLine:
    """A procedure, to be chosen."""

    slug: str
    title: Words
    opens: str  # form, registration


@dataclass(frozen=True)
class CategoryCard:
    """A category with the procedures that this reader may choose from."""

    slug: str
    title: Words
    about: Words
    icon: str | None
    procedures: tuple[ProcedureLine, ...]


@dataclass(frozen=True)
class DraftLine:
    """What somebody has begun of a procedure, and not sent."""

    id: UUID
    slug: str
    title: Words
    saved_at: datetime


async def drafts_of(db: AsyncSession, person_id: UUID) -> list[DraftLine]:
    """The person's drafts of procedures that are still offered, latest first.

    Of one that was retired there is nothing to resume; requests shows its author what they wrote.
    """
    lines = (
        select(Draft.id, Procedure.slug, Procedure.title, Draft.saved_at)
        .join(
            Procedure,
            and_(Procedure.tenant_id == Draft.tenant_id, Procedure.id == Draft.procedure_id),
        )
        .where(Draft.person_id == person_id, Procedure.retired_at.is_(None))
        .order_by(Draft.saved_at.desc(), Draft.id)
    )
    return [DraftLine(*row) for row in await db.execute(lines)]


async def category_cards(db: AsyncSession, *, signed_in: bool) -> list[CategoryCard]:
    """Every category that has something for this reader, in the tenant's order."""
    return [card for card in await _cards(db, true(), signed_in) if card.procedures]


async def category_card(db: AsyncSession, slug: str, *, signed_in: bool) -> CategoryCard:
    """The category of that slug, even where it has nothing for this reader. Raises NotFound."""
    found = await _cards(db, Category.slug == slug, signed_in)
    if not found:
        raise NotFound
    return found[0]


async def _cards(
    db: AsyncSession, which: ColumnElement[bool], signed_in: bool
) -> list[CategoryCard]:
    """Who is signed in has an account: the registration is not offered to them."""
    offered = and_(
        Procedure.tenant_id == Category.tenant_id,
        Procedure.category_id == Category.id,
        Procedure.retired_at.is_(None),
    )
    if signed_in:
        offered = and_(offered, Procedure.opens != "registration")
    rows = await db.execute(
        select(
            Category.slug.label("category"),
            Category.title.label("category_title"),
            Category.about,
            Category.icon,
            Procedure.slug,
            Procedure.title,
            Procedure.opens,
        )
        .outerjoin(Procedure, offered)
        .where(which)
        .order_by(Category.position, Procedure.position)
    )
    return [_card(group) for _, group in groupby(rows, key=lambda row: row.category)]


def _card(group: Iterable[Any]) -> CategoryCard:
    rows = list(group)
    return CategoryCard(
        slug=rows[0].category,
        title=rows[0].category_title,
        about=rows[0].about,
        icon=rows[0].icon,
        procedures=tuple(
            ProcedureLine(slug=row.slug, title=row.title, opens=row.opens)
            for row in rows
            if row.slug is not None
        ),
    )
