"""The verb: a tenant offers what its catalogue's file says, and nothing else."""

from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.catalog import CategoriesArranged, ProcedurePublished, ProcedureRetired
from services.catalog.domain.catalogue import CatalogueFile
from services.catalog.domain.changes import Changes, Publication, changes
from services.catalog.domain.identifiers import catalogue_id
from services.catalog.importing.queries import held_catalogue
from services.catalog.tables import Catalogue, Category, FormVersion, Procedure

log = structlog.get_logger()


@dataclass(frozen=True)
class ImportOutcome:
    """What an import changed: slugs of procedures, and whether the order was told anew."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    retired: tuple[str, ...]
    rearranged: bool

    @property
    def without_effect(self) -> bool:
        """Was everything as the file says already?"""
        return not (self.new or self.changed or self.retired or self.rearranged)


async def import_catalogue(work: UnitOfWork, catalogue: CatalogueFile) -> ImportOutcome:
    """Publish, retire and arrange what differs from the file, and tell the other services that.

    Imports of one tenant come one after the other. A procedure that the file no longer names is
    retired; a form that changed becomes a new version, the old ones stay.
    """
    whole = await _locked(work)
    plan = changes(work.tenant, await held_catalogue(work.db), catalogue)
    await _retire(work, plan)
    if plan.rearranged:
        await _arrange_categories(work, plan)
    for publication in plan.publications:
        await _publish(work, publication)
    await work.db.flush()
    _keep_forms(work, plan)
    if plan.rearranged:
        await _arrange_procedures(work, plan)
        whole.arranged_at = work.now
        work.emit(CategoriesArranged(catalogue_id=whole.id, categories=plan.arrangement))
    outcome = _outcome(plan)
    log.info(
        "catalogue_imported",
        tenant=str(work.tenant),
        new=len(outcome.new),
        changed=len(outcome.changed),
        retired=len(outcome.retired),
        rearranged=outcome.rearranged,
    )
    return outcome


async def _locked(work: UnitOfWork) -> Catalogue:
    """The tenant's catalogue, made if it lacks, held against other imports."""
    own_id = catalogue_id(work.tenant)
    await work.db.execute(
        insert(Catalogue)
        .values(tenant_id=work.tenant, id=own_id, version=0)
        .on_conflict_do_nothing()
    )
    return await work.fetch(Catalogue, own_id)


async def _retire(work: UnitOfWork, plan: Changes) -> None:
    for held in plan.retired:
        procedure = await work.fetch(Procedure, held.id)
        procedure.category_id = None
        procedure.retired_at = work.now
        work.emit(ProcedureRetired(procedure_id=procedure.id))
    await work.db.flush()


async def _arrange_categories(work: UnitOfWork, plan: Changes) -> None:
    """A row for each category of the plan; those that it no longer has go last of all."""
    known = {one.id: one for one in await work.db.scalars(select(Category))}
    for position, arranged in enumerate(plan.arrangement):
        category = known.get(arranged.category_id) or work.add(
            Category(id=arranged.category_id, slug=arranged.slug)
        )
        category.position = position
        category.title = arranged.title
        category.about = arranged.about
        category.icon = arranged.icon
    await work.db.flush()


async def _publish(work: UnitOfWork, publication: Publication) -> None:
    wanted = publication.wanted
    if publication.is_new:
        procedure = work.add(
            Procedure(
                id=publication.id,
                slug=wanted.slug,
                generation=publication.generation,
                position=0,  # until it is arranged, below
            )
        )
    else:
        procedure = await work.fetch(Procedure, publication.id)
    procedure.category_id = publication.category_id
    procedure.title = wanted.title
    procedure.description = wanted.description
    procedure.minutes = wanted.minutes
    procedure.opens = wanted.opens
    procedure.form_version = publication.form_version
    procedure.published_at = work.now
    work.emit(
        ProcedurePublished(
            procedure_id=publication.id,
            category_id=publication.category_id,
            slug=wanted.slug,
            title=wanted.title,
            description=wanted.description,
            minutes=wanted.minutes,
            opens=wanted.opens,
            form_version=publication.form_version,
            form=wanted.form,
        )
    )


def _keep_forms(work: UnitOfWork, plan: Changes) -> None:
    for publication in plan.publications:
        if publication.new_form is not None:
            work.add(
                FormVersion(
                    id=new_id(),
                    procedure_id=publication.id,
                    number=publication.form_version,
                    form=publication.new_form.model_dump(mode="json"),
                    published_at=work.now,
                )
            )


async def _arrange_procedures(work: UnitOfWork, plan: Changes) -> None:
    """The procedures in their places; then the categories that nothing stands in any more go."""
    offered = await work.db.scalars(select(Procedure).where(Procedure.retired_at.is_(None)))
    places = {
        id: position
        for arranged in plan.arrangement
        for position, id in enumerate(arranged.procedure_ids)
    }
    for procedure in offered:
        procedure.position = places[procedure.id]
    kept = [arranged.category_id for arranged in plan.arrangement]
    await work.db.execute(delete(Category).where(Category.id.not_in(kept)))


def _outcome(plan: Changes) -> ImportOutcome:
    return ImportOutcome(
        new=tuple(one.wanted.slug for one in plan.publications if one.is_new),
        changed=tuple(one.wanted.slug for one in plan.publications if not one.is_new),
        retired=tuple(one.slug for one in plan.retired),
        rearranged=plan.rearranged,
    )
