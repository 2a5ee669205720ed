"""What an import reads: all that a tenant offers, as values to compare with."""

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import ArrangedCategory
from contracts.forms import Form
from services.catalog.domain.changes import Held, HeldProcedure
from services.catalog.tables import Category, FormVersion, Procedure


async def held_catalogue(db: AsyncSession) -> Held:
    """What is offered now. To be asked under the lock of the tenant's `Catalogue`."""
    offered = await _offered_procedures(db)
    return Held(
        arrangement=await _arrangement(db, offered),
        procedures={one.slug: one for one in offered},
        generations=await _generations(db),
    )


async def _offered_procedures(db: AsyncSession) -> list[HeldProcedure]:
    rows = await db.execute(
        select(
            Procedure.id,
            Procedure.category_id,
            Procedure.slug,
            Procedure.title,
            Procedure.description,
            Procedure.minutes,
            Procedure.opens,
            Procedure.form_version,
            FormVersion.form,
        )
        .outerjoin(
            FormVersion,
            and_(
                FormVersion.tenant_id == Procedure.tenant_id,
                FormVersion.procedure_id == Procedure.id,
                FormVersion.number == Procedure.form_version,
                Procedure.opens == "form",
            ),
        )
        .where(Procedure.retired_at.is_(None))
        .order_by(Procedure.position)
    )
    return [
        HeldProcedure(
            id=row.id,
            category_id=row.category_id,
            slug=row.slug,
            title=row.title,
            description=row.description,
            minutes=row.minutes,
            opens=row.opens,
            form_version=row.form_version,
            form=None if row.form is None else Form.model_validate(row.form),
        )
        for row in rows
    ]


async def _arrangement(
    db: AsyncSession, offered: list[HeldProcedure]
) -> tuple[ArrangedCategory, ...]:
    rows = await db.execute(
        select(Category.id, Category.slug, Category.title, Category.about, Category.icon).order_by(
            Category.position
        )
    )
    return tuple(
        ArrangedCategory(
            category_id=id,
            slug=slug,
            title=title,
            about=about,
            icon=icon,
            procedure_ids=tuple(one.id for one in offered if one.category_id == id),
        )
        for id, slug, title, about, icon in rows
    )


async def _generations(db: AsyncSession) -> dict[str, int]:
    rows = await db.execute(
        select(Procedure.slug, func.max(Procedure.generation)).group_by(Procedure.slug)
    )
    return {row[0]: row[1] for row in rows}
