"""The catalogue, its categories, its procedures and the versions of their forms."""

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
    create_chassis_tables(op, "catalog")
    op.create_table(
        "catalogues",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("arranged_at", instant),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_catalogues"),
        sa.UniqueConstraint("tenant_id", name="uq_catalogues_tenant_id"),
    )
    op.create_table(
        "categories",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("title", JSONB, nullable=False),
        sa.Column("about", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_categories"),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_categories_tenant_id_slug"),
    )
    op.create_table(
        "procedures",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("category_id", sa.Uuid),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("title", JSONB, nullable=False),
        sa.Column("description", JSONB, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("opens", sa.Text, nullable=False),
        sa.Column("form_version", sa.Integer, nullable=False),
        sa.Column("published_at", instant, nullable=False),
        sa.Column("retired_at", instant),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_procedures"),
        sa.UniqueConstraint(
            "tenant_id", "slug", "generation", name="uq_procedures_tenant_id_slug_generation"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "category_id"],
            ["categories.tenant_id", "categories.id"],
            name="fk_procedures_tenant_id_category_id",
        ),
    )
    op.create_index(
        "ix_procedures_offered",
        "procedures",
        ["tenant_id", "slug"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_index("ix_procedures_category_id", "procedures", ["tenant_id", "category_id"])
    op.create_table(
        "form_versions",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("procedure_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("form", JSONB, nullable=False),
        sa.Column("published_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_form_versions"),
        sa.UniqueConstraint(
            "tenant_id",
            "procedure_id",
            "number",
            name="uq_form_versions_tenant_id_procedure_id_number",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "procedure_id"],
            ["procedures.tenant_id", "procedures.id"],
            name="fk_form_versions_tenant_id_procedure_id",
        ),
    )
    protect(op, "catalog", "catalogues", "categories", "procedures", "form_versions")
