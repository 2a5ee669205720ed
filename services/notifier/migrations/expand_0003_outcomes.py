"""What is told of a mail's end, how urgent it is, and which relay perhaps has it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "expand_0003_outcomes"
down_revision = "expand_0002_operator_acts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that former code leaves at their defaults, and the index of the claim."""
    for column in (
        sa.Column("about", JSONB, nullable=False, server_default="{}"),
        sa.Column("priority", sa.SmallInteger, nullable=False, server_default="1"),
        sa.Column("relay", sa.Text),
        sa.Column("doubts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    ):
        op.add_column("mails", column)
    op.create_index(
        "ix_mails_turn",
        "mails",
        ["priority", "tenant_id", "due_at"],
        postgresql_where=sa.text("state = 'queued'"),
    )
