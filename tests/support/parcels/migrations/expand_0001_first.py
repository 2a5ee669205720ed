"""First tables."""

import sqlalchemy as sa
from alembic import op

from chassis.database.roles import create_chassis_tables, protect

revision = "expand_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    create_chassis_tables(op, "parcels")
    op.create_table(
        "parcels",
        sa.Column("tenant_id", sa.Uuid(), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "shelves",
        sa.Column("tenant_id", sa.Uuid(), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("tenant_id", sa.Uuid(), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
    )
    protect(op, "parcels", "parcels", "shelves", "notes")
