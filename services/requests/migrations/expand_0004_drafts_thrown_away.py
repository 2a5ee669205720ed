"""Drafts can be thrown away by their author, and taken back for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "expand_0004_drafts_thrown_away"
down_revision = "expand_0003_drafts_are_told_of"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """When each was thrown away; none of those there are was."""
    op.add_column("drafts", sa.Column("discarded_at", TIMESTAMP(timezone=True)))
