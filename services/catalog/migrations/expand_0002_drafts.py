"""What people have begun to fill in, as requests tells it: the home page leads back to it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from chassis.database.roles import protect

revision = "expand_0002_drafts"
down_revision = "expand_0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table beside the others."""
    op.create_table(
        "drafts",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("procedure_id", sa.Uuid, nullable=False),
        sa.Column("saved_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_drafts"),
    )
    for column in ("person_id", "account_id"):
        op.create_index(f"ix_drafts_{column}", "drafts", ["tenant_id", column])
    protect(op, "catalog", "drafts")
