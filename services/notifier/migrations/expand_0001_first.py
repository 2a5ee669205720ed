"""The queue of mails, the attempts at each, and the people whom they go to."""

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
    create_chassis_tables(op, "notifier")
    op.create_table(
        "mails",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("concerned", sa.ARRAY(sa.Uuid), nullable=False),
        sa.Column("link_purpose", sa.Text),
        sa.Column("link_id", sa.Uuid),
        sa.Column("requested_at", instant, nullable=False),
        sa.Column("drop_after", instant, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", instant, nullable=False),
        sa.Column("lease_until", instant),
        sa.Column("lease_by", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("accepted_at", instant),
        sa.Column("traceparent", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_mails"),
        sa.UniqueConstraint(
            "tenant_id", "event_id", "template", name="uq_mails_tenant_id_event_id_template"
        ),
    )
    op.create_index(
        "ix_mails_queued",
        "mails",
        ["tenant_id", "due_at"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_mails_due_at", "mails", ["due_at"], postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index(
        "ix_mails_drop_after",
        "mails",
        ["drop_after"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "attempts",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("mail_id", sa.Uuid, nullable=False),
        sa.Column("tried_at", instant, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("words", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_attempts"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "mail_id"],
            ["mails.tenant_id", "mails.id"],
            name="fk_attempts_tenant_id_mail_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_attempts_mail_id", "attempts", ["tenant_id", "mail_id"])
    op.create_table(
        "requesters",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_requesters"),
    )
    op.create_index("ix_requesters_account_id", "requesters", ["tenant_id", "account_id"])
    protect(op, "notifier", "mails", "attempts", "requesters", moved=("mails", "attempts"))
