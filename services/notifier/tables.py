"""The tables of the notifier's database: columns and keys, nothing else."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.rows import RootColumns, RowBase, TenantColumns, new_metadata


class Base(RowBase):
    """The notifier's tables."""

    __abstract__ = True
    metadata = new_metadata()


class TenantRow(TenantColumns, Base):
    """A row of tenant data."""

    __abstract__ = True


class RootRow(RootColumns, Base):
    """A row that events are about."""

    __abstract__ = True


class Mail(RootRow):
    """A mail, as template and facts: what its reader sees is made when it is sent."""

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "template"),
        Index("ix_mails_queued", "tenant_id", "due_at", postgresql_where=text("state = 'queued'")),
        Index(
            "ix_mails_turn",
            "priority",
            "tenant_id",
            "due_at",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_mails_due_at", "due_at", postgresql_where=text("state = 'queued'")),
        Index("ix_mails_drop_after", "drop_after", postgresql_where=text("state = 'queued'")),
    )
    event_id: Mapped[UUID]  # what asked for it
    template: Mapped[str]
    facts: Mapped[dict[str, Any]]
    person_id: Mapped[UUID | None]  # whose address it follows until it is sent
    address: Mapped[str]
    language: Mapped[str]
    concerned: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))  # whose erasure reaches it
    about: Mapped[dict[str, Any]]  # domain.outcomes.About, as what is told of it names them
    priority: Mapped[int] = mapped_column(SmallInteger)  # domain.kinds.Priority
    link_purpose: Mapped[str | None]
    link_id: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    drop_after: Mapped[datetime]  # not sent until then: never
    state: Mapped[str]  # queued, accepted, refused, dropped
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    lease_by: Mapped[str | None]
    attempts: Mapped[int]
    doubts: Mapped[int] = mapped_column(server_default="0")  # tries after which a relay may have it
    relay: Mapped[str | None]  # which relay that was: it is tried there again
    message_id: Mapped[str | None]  # fixed at the first try
    accepted_at: Mapped[datetime | None]
    traceparent: Mapped[str | None]


class Attempt(TenantRow):
    """One try at a mail, and what the relay answered."""

    __tablename__ = "attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "mail_id"], ["mails.tenant_id", "mails.id"], ondelete="CASCADE"
        ),
        Index("ix_attempts_mail_id", "tenant_id", "mail_id"),
    )
    mail_id: Mapped[UUID]
    tried_at: Mapped[datetime]
    outcome: Mapped[str]  # accepted, refused, deferred, unknown
    code: Mapped[int | None]  # SMTP's; none where the relay gave no answer
    words: Mapped[str]  # the relay's, without addresses


class Requester(TenantRow):
    """A person whom mails go to, as identity last told of them. Its id is the person's."""

    __tablename__ = "requesters"
    __table_args__ = (Index("ix_requesters_account_id", "tenant_id", "account_id"),)
    account_id: Mapped[UUID]
    name: Mapped[str]
    address: Mapped[str]
    language: Mapped[str]
