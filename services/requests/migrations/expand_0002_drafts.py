"""Drafts: what people are filling in, before it is sent; and the files that they attach."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from chassis.database.roles import protect

revision = "expand_0002_drafts"
down_revision = "expand_0001_first"
branch_labels = None
depends_on = None

instant = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Tables beside the others."""
    op.create_table(
        "drafts",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("procedure_id", sa.Uuid, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("procedure_title", JSONB, nullable=False),
        sa.Column("form_version", sa.Integer, nullable=False),
        sa.Column("form", JSONB, nullable=False),
        sa.Column("values", JSONB, nullable=False),
        sa.Column("page", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("begun_at", instant, nullable=False),
        sa.Column("saved_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_drafts"),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "procedure_id",
            name="uq_drafts_tenant_id_person_id_procedure_id",
        ),
    )
    op.create_table(
        "attachments",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("draft_id", sa.Uuid),
        sa.Column("request_id", sa.Uuid),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("attached_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_attachments"),
        sa.CheckConstraint(
            "(draft_id IS NULL) <> (request_id IS NULL)", name="ck_attachments_belongs_to_one"
        ),
    )
    for column in ("draft_id", "request_id", "person_id"):
        op.create_index(f"ix_attachments_{column}", "attachments", ["tenant_id", column])
    protect(op, "requests", "drafts", "attachments")
