"""Catalogues to import: valid ones but for what a test changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chassis.ids import new_id
from contracts.forms import Field, Form, Section
from contracts.identity import Brand, Support, TenantChanged, Terms
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
        icon=None,
        procedures=procedures or (a_procedure(f"anomalie-{slug}"),),
    )
    return replace(category, **changes)


def a_catalogue(*categories: WantedCategory) -> CatalogueFile:
    """A catalogue with these categories, or with one."""
    return CatalogueFile(categories or (a_category(),))


def slugs(things: Sequence[WantedProcedure | WantedCategory]) -> list[str]:
    """How they are called in addresses."""
    return [one.slug for one in things]


def a_tenant(**changes: Any) -> TenantChanged:
    """A tenant as identity tells of it."""
    told: dict[str, Any] = {
        "tenant_id": new_id(),
        "slug": "portail",
        "name": "Éditeur",
        "host": "portail.localhost",
        "origin": None,
        "state": "active",
        "brand": Brand(portal_name="Portail", colour="#1f5fa8"),
        "support": Support(phone="04.72.26.06.86", hours={"fr": "24h/24"}, mail="aide@x.example"),
        "signature": {"fr": "Le support"},
        "languages": ("fr",),
        "timezone": "Europe/Paris",
        "terms": Terms(version=1, published_at=datetime(2026, 1, 1, tzinfo=UTC), text={"fr": "…"}),
    }
    return TenantChanged(**{**told, **changes})
