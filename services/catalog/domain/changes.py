"""What has to change, so that what is wanted is what is offered: nothing where they agree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from contracts.catalog import ArrangedCategory
from contracts.forms import Form
from contracts.words import Words
from services.catalog.domain.catalogue import CatalogueFile, WantedProcedure
from services.catalog.domain.identifiers import category_id, procedure_id


@dataclass(frozen=True)
class HeldProcedure:
    """A procedure that is offered now."""

    id: UUID
    category_id: UUID
    slug: str
    title: Words
    description: Words
    minutes: int
    opens: str
    form_version: int  # 0: it never had a form
    form: Form | None


@dataclass(frozen=True)
class Held:
    """What a tenant offers now, and how often each slug was offered so far."""

    arrangement: tuple[ArrangedCategory, ...] = ()
    procedures: Mapping[str, HeldProcedure] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Publication:
    """A procedure that is new or was changed, with the version that its form comes to."""

    id: UUID
    category_id: UUID
    wanted: WantedProcedure
    generation: int
    form_version: int
    is_new: bool
    new_form: Form | None  # to be kept as that version; none where the questions stayed


@dataclass(frozen=True)
class Changes:
    """What an import does. `arrangement` is how all stands afterwards."""

    arrangement: tuple[ArrangedCategory, ...]
    rearranged: bool
    publications: tuple[Publication, ...]
    retired: tuple[HeldProcedure, ...]


def changes(tenant: UUID, held: Held, wanted: CatalogueFile) -> Changes:
    """How to come from `held` to `wanted`."""
    categories: list[ArrangedCategory] = []
    publications: list[Publication] = []
    for category in wanted.categories:
        own_id = category_id(tenant, category.slug)
        placed: list[UUID] = []
        for procedure in category.procedures:
            known = held.procedures.get(procedure.slug)
            if known is None:
                publication = _first(tenant, own_id, procedure, held.generations)
                publications.append(publication)
                placed.append(publication.id)
            else:
                publications.extend(_next(known, own_id, procedure))
                placed.append(known.id)
        categories.append(
            ArrangedCategory(
                category_id=own_id,
                slug=category.slug,
                title=category.title,
                about=category.about,
                icon=category.icon,
                procedure_ids=tuple(placed),
            )
        )
    kept = {procedure.slug for category in wanted.categories for procedure in category.procedures}
    arrangement = tuple(categories)
    return Changes(
        arrangement=arrangement,
        rearranged=arrangement != held.arrangement,
        publications=tuple(publications),
        retired=tuple(one for slug, one in held.procedures.items() if slug not in kept),
    )


def _first(
    tenant: UUID, own_id: UUID, wanted: WantedProcedure, generations: Mapping[str, int]
) -> Publication:
    """A procedure that is not offered now, though it may have been."""
    generation = generations.get(wanted.slug, 0) + 1
    return Publication(
        id=procedure_id(tenant, wanted.slug, generation),
        category_id=own_id,
        wanted=wanted,
        generation=generation,
        form_version=0 if wanted.form is None else 1,
        is_new=True,
        new_form=wanted.form,
    )


def _next(known: HeldProcedure, own_id: UUID, wanted: WantedProcedure) -> Iterator[Publication]:
    """A procedure that is offered, if it is to be offered otherwise."""
    new_form = wanted.form if wanted.form != known.form else None
    told = (own_id, wanted.title, wanted.description, wanted.minutes, wanted.opens, wanted.form)
    now = (
        known.category_id,
        known.title,
        known.description,
        known.minutes,
        known.opens,
        known.form,
    )
    if told != now:
        yield Publication(
            id=known.id,
            category_id=own_id,
            wanted=wanted,
            generation=0,
            form_version=known.form_version + (0 if new_form is None else 1),
            is_new=False,
            new_form=new_form,
        )
