"""What the catalog tells: procedures with their forms, and how they are arranged."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.event import Event
from contracts.forms import Form
from contracts.words import Words


class ProcedurePublished(Event, source="catalog", version=1, subject="procedure_id"):
    """A procedure as it is now offered, whole, with the version of its form."""

    procedure_id: UUID
    category_id: UUID
    slug: str
    title: Words
    description: Words
    minutes: int
    opens: Literal["form", "registration"]
    form_version: int
    form: Form | None  # none where identity's own registration is opened


class ProcedureRetired(Event, source="catalog", version=1, subject="procedure_id", ends=True):
    """A procedure is no longer offered. Requests that were filed keep their answers."""

    procedure_id: UUID


class ArrangedCategory(BaseModel):
    """A category in its place, with its procedures in theirs."""

    model_config = ConfigDict(frozen=True)
    category_id: UUID
    slug: str
    title: Words
    about: Words
    icon: str | None = None  # the name of a drawing
    procedure_ids: tuple[UUID, ...]


class CategoriesArranged(Event, source="catalog", version=1, subject="catalogue_id"):
    """The order in which a tenant's categories and procedures are shown."""

    catalogue_id: UUID  # the tenant's catalogue as a whole
    categories: tuple[ArrangedCategory, ...]
