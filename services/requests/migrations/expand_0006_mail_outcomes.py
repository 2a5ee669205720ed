"""What became of the mails about a request, as its page tells."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from chassis.database.roles import protect

revision = "expand_0006_mail_outcomes"
down_revision = "expand_0005_operator_acts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table beside the others."""
    op.create_table(
        "mail_outcomes",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("request_id", sa.Uuid),
        sa.Column("submission_id", sa.Uuid),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("ended_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_mail_outcomes"),
        sa.CheckConstraint(
            "request_id IS NOT NULL OR submission_id IS NOT NULL",
            name="ck_mail_outcomes_of_something",
        ),
    )
    for column in ("request_id", "submission_id"):
        op.create_index(f"ix_mail_outcomes_{column}", "mail_outcomes", ["tenant_id", column])
    protect(op, "requests", "mail_outcomes")
