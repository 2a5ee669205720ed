"""The drawing that stands before a category, where its catalogue names one."""

import sqlalchemy as sa
from alembic import op

revision = "expand_0003_icons"
down_revision = "expand_0002_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that what runs already does without."""
    op.add_column("categories", sa.Column("icon", sa.Text))
