"""Requests with their counters, what they take over from others, and acceptances of the terms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from chassis.database.roles import create_chassis_tables, protect

revision = "expand_0001_first"
down_revision = None
branch_labels = None
depends_on = None

instant = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """From an empty database."""
    create_chassis_tables(op, "requests")
    op.create_table(
        "requests",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("procedure_id", sa.Uuid),
        sa.Column("procedure_title", JSONB, nullable=False),
        sa.Column("form_version", sa.Integer),
        sa.Column("sections", JSONB, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("account_id", sa.Uuid),
        sa.Column("organisation_id", sa.Uuid),
        sa.Column("submission_id", sa.Uuid),
        sa.Column("key", sa.Uuid),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("saved_at", instant, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_requests"),
        sa.UniqueConstraint("tenant_id", "number", name="uq_requests_tenant_id_number"),
        sa.UniqueConstraint("tenant_id", "key", name="uq_requests_tenant_id_key"),
        sa.UniqueConstraint(
            "tenant_id", "submission_id", name="uq_requests_tenant_id_submission_id"
        ),
    )
    op.create_index(
        "ix_requests_person_id", "requests", ["tenant_id", "person_id", "saved_at", "id"]
    )
    op.create_table(
        "request_counters",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("year", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "year", name="pk_request_counters"),
    )
    op.create_table(
        "requesters",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("organisation_id", sa.Uuid),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("birth_name", sa.Text, nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_requesters"),
    )
    op.create_table(
        "organisations",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("postcode", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_organisations"),
    )
    op.create_table(
        "procedures",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("title", JSONB, nullable=False),
        sa.Column("description", JSONB, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("opens", sa.Text, nullable=False),
        sa.Column("form_version", sa.Integer, nullable=False),
        sa.Column("form", JSONB),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_procedures"),
    )
    op.create_index("ix_procedures_slug", "procedures", ["tenant_id", "slug"])
    op.create_table(
        "acceptances",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("terms_version", sa.Integer, nullable=False),
        sa.Column("accepted_at", instant, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_acceptances"),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "terms_version",
            name="uq_acceptances_tenant_id_person_id_terms_version",
        ),
    )
    protect(
        op,
        "requests",
        "requests",
        "request_counters",
        "requesters",
        "organisations",
        "procedures",
        "acceptances",
    )
