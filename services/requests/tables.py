"""The tables of the database of requests: columns and keys, nothing else.

Requesters, organisations and procedures are projections, which events may bring in any order, and
which erasures and retirements take away: nothing refers to them by a foreign key.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from chassis.database.rows import RootColumns, RowBase, TenantColumns, new_metadata


class Base(RowBase):
    """The tables of requests."""

    __abstract__ = True
    metadata = new_metadata()


class TenantRow(TenantColumns, Base):
    """A row of tenant data."""

    __abstract__ = True


class RootRow(RootColumns, Base):
    """A row that events are about."""

    __abstract__ = True


class Request(RootRow):
    """What was filed. Once its person is erased, number, procedure and dates are all that is left.

    An account creation belongs to its submission, and to a person only once they activated.
    """

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("tenant_id", "key"),
        UniqueConstraint("tenant_id", "submission_id"),
        Index("ix_requests_person_id", "tenant_id", "person_id", "saved_at", "id"),
    )
    number: Mapped[str]  # 2026-000123
    procedure_id: Mapped[UUID | None]  # none: an account creation
    procedure_title: Mapped[dict[str, Any]]
    form_version: Mapped[int | None]  # none: a form of identity's own
    sections: Mapped[list[Any]]  # contracts.forms.AnsweredSection as JSON
    person_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    submission_id: Mapped[UUID | None]
    key: Mapped[UUID | None]  # of one filing: pressing twice saves once
    state: Mapped[str]  # domain/states.py
    saved_at: Mapped[datetime]


request_counters = Table(
    "request_counters",
    Base.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),  # in the tenant's time zone
    Column("last", Integer, nullable=False),
)
"""The last number given out, by tenant and year."""


class Requester(TenantRow):
    """A person who files, as identity last told of them; its id is the person's."""

    __tablename__ = "requesters"
    account_id: Mapped[UUID]
    organisation_id: Mapped[UUID | None]
    title: Mapped[str]
    birth_name: Mapped[str]
    first_name: Mapped[str]
    address: Mapped[str]
    phone: Mapped[str | None]
    language: Mapped[str]


class Organisation(TenantRow):
    """An organisation as identity last told of it."""

    __tablename__ = "organisations"
    name: Mapped[str]
    city: Mapped[str]
    postcode: Mapped[str]


class Procedure(TenantRow):
    """A procedure as the catalog now offers it. A retired one has no row."""

    __tablename__ = "procedures"
    # Not unique: one that comes back under its slug may be told of before the end of the former.
    __table_args__ = (Index("ix_procedures_slug", "tenant_id", "slug"),)
    slug: Mapped[str]
    title: Mapped[dict[str, Any]]
    description: Mapped[dict[str, Any]]
    minutes: Mapped[int]
    opens: Mapped[str]  # form, registration
    form_version: Mapped[int]
    form: Mapped[dict[str, Any] | None]  # contracts.forms.Form as JSON


class Acceptance(RootRow):
    """A person accepted a version of the terms, here or when they made their account."""

    __tablename__ = "acceptances"
    __table_args__ = (UniqueConstraint("tenant_id", "person_id", "terms_version"),)
    person_id: Mapped[UUID]
    account_id: Mapped[UUID]
    terms_version: Mapped[int]
    accepted_at: Mapped[datetime]


class Draft(RootRow):
    """What somebody is filling in, kept with the very form that asked: one a person and procedure.

    It is of one filing, which its key names, and gone once that is sent. One that its author threw
    away is kept for a while, to be taken back.
    """

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("tenant_id", "person_id", "procedure_id"),)
    person_id: Mapped[UUID]
    account_id: Mapped[UUID]
    procedure_id: Mapped[UUID]
    slug: Mapped[str]
    procedure_title: Mapped[dict[str, Any]]
    form_version: Mapped[int]
    form: Mapped[dict[str, Any]]  # contracts.forms.Form as JSON
    values: Mapped[dict[str, Any]]  # as typed, by the inputs' names
    page: Mapped[int]  # of the form's pages, where its author was
    key: Mapped[str]  # the one-use key as the pages carry it
    begun_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    discarded_at: Mapped[datetime | None]


class Attachment(TenantRow):
    """A file that somebody handed in: of a draft, then of the request that the draft became.

    Its bytes stand in the store under its id.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint("(draft_id IS NULL) <> (request_id IS NULL)", name="belongs_to_one"),
        Index("ix_attachments_draft_id", "tenant_id", "draft_id"),
        Index("ix_attachments_request_id", "tenant_id", "request_id"),
        Index("ix_attachments_person_id", "tenant_id", "person_id"),
    )
    person_id: Mapped[UUID]
    draft_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    attached_at: Mapped[datetime]


class MailOutcome(TenantRow):
    """What became of a mail about a request or a registration. Its id is the mail's."""

    __tablename__ = "mail_outcomes"
    __table_args__ = (
        CheckConstraint("request_id IS NOT NULL OR submission_id IS NOT NULL", name="of_something"),
        Index("ix_mail_outcomes_request_id", "tenant_id", "request_id"),
        Index("ix_mail_outcomes_submission_id", "tenant_id", "submission_id"),
    )
    request_id: Mapped[UUID | None]
    submission_id: Mapped[UUID | None]
    template: Mapped[str]
    outcome: Mapped[str]  # domain/mails.py
    code: Mapped[int | None]  # SMTP's
    words: Mapped[str]  # the mail server's, without addresses
    ended_at: Mapped[datetime]
