"""Drafts are told of: they have versions. Those there are stay untold until they are saved."""

import sqlalchemy as sa
from alembic import op

revision = "expand_0003_drafts_are_told_of"
down_revision = "expand_0002_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A version for each draft; 0: nobody was told of it."""
    op.add_column("drafts", sa.Column("version", sa.BigInteger, nullable=False, server_default="0"))
    op.alter_column("drafts", "version", server_default=None)
