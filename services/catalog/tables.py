"""The tables of the catalog's database: columns and keys, nothing else."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from chassis.database.rows import RootColumns, RowBase, TenantColumns, new_metadata


class Base(RowBase):
    """The catalog's tables."""

    __abstract__ = True
    metadata = new_metadata()


class TenantRow(TenantColumns, Base):
    """A row of tenant data."""

    __abstract__ = True


class RootRow(RootColumns, Base):
    """A row that events are about."""

    __abstract__ = True


class Catalogue(RootRow):
    """A tenant's catalogue as a whole, one row each: what `CategoriesArranged` is about."""

    __tablename__ = "catalogues"
    __table_args__ = (UniqueConstraint("tenant_id"),)
    arranged_at: Mapped[datetime | None]  # none before its first arrangement


class Category(TenantRow):
    """A category in its place. One that left the catalogue has no row."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("tenant_id", "slug"),)
    position: Mapped[int]
    slug: Mapped[str]
    title: Mapped[dict[str, Any]]
    about: Mapped[dict[str, Any]]  # empty where the title says it all
    icon: Mapped[str | None]  # none: its title's first letters stand for it


class Procedure(RootRow):
    """A procedure, offered or retired. One that comes back is a new row, a generation later."""

    __tablename__ = "procedures"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug", "generation"),
        ForeignKeyConstraint(
            ["tenant_id", "category_id"], ["categories.tenant_id", "categories.id"]
        ),
        Index(
            "ix_procedures_offered",
            "tenant_id",
            "slug",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index("ix_procedures_category_id", "tenant_id", "category_id"),
    )
    category_id: Mapped[UUID | None]  # none once retired
    position: Mapped[int]  # in its category
    slug: Mapped[str]
    generation: Mapped[int]
    title: Mapped[dict[str, Any]]
    description: Mapped[dict[str, Any]]
    minutes: Mapped[int]
    opens: Mapped[str]  # form, registration
    form_version: Mapped[int]  # the one that is offered, or was last; 0: it never had a form
    published_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class FormVersion(TenantRow):
    """One version of a procedure's questions, kept as it was published."""

    __tablename__ = "form_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "procedure_id", "number"),
        ForeignKeyConstraint(
            ["tenant_id", "procedure_id"], ["procedures.tenant_id", "procedures.id"]
        ),
    )
    procedure_id: Mapped[UUID]
    number: Mapped[int]
    form: Mapped[dict[str, Any]]  # contracts.forms.Form as JSON
    published_at: Mapped[datetime]


class Draft(TenantRow):
    """A procedure's form that somebody is filling in, as requests last told; its id is the draft's.

    Events come in any order, so that nothing refers to its procedure by a foreign key.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        Index("ix_drafts_person_id", "tenant_id", "person_id"),
        Index("ix_drafts_account_id", "tenant_id", "account_id"),
    )
    person_id: Mapped[UUID]
    account_id: Mapped[UUID]
    procedure_id: Mapped[UUID]
    saved_at: Mapped[datetime]  # for the first time on the last day on which it was
