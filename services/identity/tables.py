"""The tables of identity's database: columns and keys, nothing else."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.database.rows import RootColumns, RowBase, TenantColumns, new_metadata


class Base(RowBase):
    """Identity's tables."""

    __abstract__ = True
    metadata = new_metadata()


class TenantRow(TenantColumns, Base):
    """A row of tenant data."""

    __abstract__ = True


class RootRow(RootColumns, Base):
    """A row that events are about."""

    __abstract__ = True


class Tenant(RootRow):
    """A tenant: its id is its tenant_id. Slug and host are unique in the whole installation."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("id = tenant_id", name="own"),
        Index("uq_tenants_slug", "slug", unique=True),
        Index("uq_tenants_host", "host", unique=True),
    )
    slug: Mapped[str]
    host: Mapped[str]  # normalised: lower case, no port, no final dot
    state: Mapped[str]  # active, suspended
    facts: Mapped[dict[str, Any]]  # domain.tenants.TenantFacts without slug, host and terms
    terms_number: Mapped[int]  # of the terms in force
    created_at: Mapped[datetime]


class Terms(TenantRow):
    """One text of the terms of use, kept as it was published."""

    __tablename__ = "terms"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)
    number: Mapped[int]
    text: Mapped[dict[str, Any]]  # by language
    published_at: Mapped[datetime]


class Organisation(RootRow):
    """A town, or another body whose people use the portal."""

    __tablename__ = "organisations"
    name: Mapped[str]
    city: Mapped[str]
    postcode: Mapped[str]


class Person(RootRow):
    """A human. Every column is empty once their account is erased."""

    __tablename__ = "people"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "organisation_id"], ["organisations.tenant_id", "organisations.id"]
        ),
        Index("ix_people_address_key", "tenant_id", "address_key"),
        Index("ix_people_organisation_id", "tenant_id", "organisation_id"),
    )
    organisation_id: Mapped[UUID]
    title: Mapped[str]
    birth_name: Mapped[str]
    first_name: Mapped[str]
    address: Mapped[str]
    address_key: Mapped[str]  # normalised
    phone: Mapped[str | None]
    language: Mapped[str]


class Account(RootRow):
    """A person's way to sign in. State: pending, active, erased."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "username_key"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["people.tenant_id", "people.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "organisation_id"], ["organisations.tenant_id", "organisations.id"]
        ),
        Index("ix_accounts_person_id", "tenant_id", "person_id"),
        Index("ix_accounts_organisation_id", "tenant_id", "organisation_id"),
    )
    person_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    submission_id: Mapped[UUID | None]  # the registration that it came from
    state: Mapped[str]
    username: Mapped[str | None]  # as it was typed
    username_key: Mapped[str | None]  # normalised; none before activation and after erasure
    password_hash: Mapped[str | None]
    roles: Mapped[list[Any]]
    registered_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]


class Registration(RootRow):
    """A submission of the account creation's form.

    State: submitted, known (the address has an account: its mail offers a further one), opened
    (an account waits for its activation), activated, lapsed.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "one_use_key"),
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        Index("ix_registrations_account_id", "tenant_id", "account_id"),
    )
    request_id: Mapped[UUID]
    one_use_key: Mapped[str]  # a second press of the button brings the same one
    browser: Mapped[str]  # a hash of the anonymous cookie of the browser that sent it
    state: Mapped[str]
    answers: Mapped[dict[str, Any]]  # empty once activated or lapsed
    language: Mapped[str]
    terms_number: Mapped[int]
    terms_accepted_at: Mapped[datetime]
    submitted_at: Mapped[datetime]
    account_id: Mapped[UUID | None]


class Activation(RootRow):
    """What a mailed link names. Purpose: activation, invitation. It serves once."""

    __tablename__ = "activations"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        Index("ix_activations_account_id", "tenant_id", "account_id", "requested_at"),
    )
    account_id: Mapped[UUID]
    purpose: Mapped[str]
    requested_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]  # another link was used, or the account is gone


class Recovery(RootRow):
    """Somebody says that they lost identifier or password, known or not.

    What they typed is looked up once they have their answer, and cleared with that.
    """

    __tablename__ = "recoveries"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        Index("ix_recoveries_account_id", "tenant_id", "account_id", "submitted_at"),
        Index("ix_recoveries_address_key", "tenant_id", "address_key"),
        Index("ix_recoveries_username_key", "tenant_id", "username_key"),
    )
    lost: Mapped[str]  # username, password
    address_key: Mapped[str | None]  # as it was typed, normalised
    username_key: Mapped[str | None]
    language: Mapped[str]
    submitted_at: Mapped[datetime]
    account_id: Mapped[UUID | None]  # the first that is told of


class Reset(RootRow):
    """What a mailed link names that sets a new password. It serves once."""

    __tablename__ = "resets"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "recovery_id"], ["recoveries.tenant_id", "recoveries.id"]
        ),
        Index("ix_resets_account_id", "tenant_id", "account_id", "requested_at"),
        Index("ix_resets_recovery_id", "tenant_id", "recovery_id"),
    )
    recovery_id: Mapped[UUID]
    account_id: Mapped[UUID]
    requested_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]  # another link was used, or the account changed otherwise


class EmailChange(RootRow):
    """What a mailed link names that confirms a new mail address. It serves once."""

    __tablename__ = "email_changes"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        Index("ix_email_changes_account_id", "tenant_id", "account_id", "requested_at"),
    )
    account_id: Mapped[UUID]
    address: Mapped[str]  # the new one
    requested_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]  # another link was used, or the account changed otherwise


class Session(RootRow):
    """A signed-in browser. Only a hash of its cookie is kept."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "cookie_hash"),
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        Index("ix_sessions_account_id", "tenant_id", "account_id"),
    )
    account_id: Mapped[UUID]
    cookie_hash: Mapped[str]  # SHA-256, hexadecimal
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]  # to within some minutes
    browser: Mapped[str | None]  # its maker's name for it, such as Firefox; none: not known
    system: Mapped[str | None]  # what it runs on, such as Windows


class SignInAttempts(TenantRow):
    """Attempts at one identifier, known or not. Its id is made from a keyed hash of it."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index("ix_sign_in_attempts_since", "tenant_id", "since"),)
    since: Mapped[datetime]
    count: Mapped[int]


class Acceptance(TenantRow):
    """That an account's person accepted a version of the terms."""

    __tablename__ = "acceptances"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "account_id"], ["accounts.tenant_id", "accounts.id"]),
        Index("ix_acceptances_account_id", "tenant_id", "account_id", "terms_number", unique=True),
    )
    account_id: Mapped[UUID]
    terms_number: Mapped[int]
    accepted_at: Mapped[datetime]
