"""Catalogues to import: valid ones but for what a test changes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contracts.forms import Field, Form, Section
from services.catalog.domain.catalogue import CatalogueFile, WantedCategory, WantedProcedure


def a_form(*labels: str) -> Form:
    """A form that asks these questions, or what has happened."""
    fields = tuple(
        Field(key=f"question_{at}", kind="text", label={"fr": label})
        for at, label in enumerate(labels or ("Ce qui s’est passé",), start=1)
    )
    return Form(sections=(Section(key="facts", title={"fr": "Les faits"}, fields=fields),))


def a_procedure(slug: str = "anomalie", **changes: Any) -> WantedProcedure:
    """A procedure with a form of one question."""
    procedure = WantedProcedure(
        slug=slug,
        title={"fr": slug.capitalize()},
        description={"fr": "Signalez un dysfonctionnement."},
        minutes=5,
        opens="form",
        form=a_form(),
    )
    return replace(procedure, **changes)


def the_registration(slug: str = "creation-de-compte") -> WantedProcedure:
    """The procedure that opens identity's own form."""
    return a_procedure(slug, opens="registration", form=None)


def a_category(
    slug: str = "logiciel", *procedures: WantedProcedure, **changes: Any
) -> WantedCategory:
    """A category with these procedures, or with one."""
    category = WantedCategory(
        slug=slug,
        title={"fr": slug.capitalize()},
        about={"fr": "ce qui concerne le logiciel"},
        procedures=procedures or (a_procedure(f"anomalie-{slug}"),),
    )
    return replace(category, **changes)


def a_catalogue(*categories: WantedCategory) -> CatalogueFile:
    """A catalogue with these categories, or with one."""
    return CatalogueFile(categories or (a_category(),))


def slugs(things: Sequence[WantedProcedure | WantedCategory]) -> list[str]:
    """How they are called in addresses."""
    return [one.slug for one in things]
