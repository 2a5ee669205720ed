"""What was lost, the links that give it back or confirm an address, and what a profile shows."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from chassis.database.roles import protect

revision = "expand_0002_recovery_and_profile"
down_revision = "expand_0001_first"
branch_labels = None
depends_on = None

instant = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Three tables, and columns that the code before knows nothing of."""
    op.add_column("people", sa.Column("phone", sa.Text))
    op.add_column("sessions", sa.Column("browser", sa.Text))
    op.add_column("sessions", sa.Column("system", sa.Text))
    op.create_table(
        "recoveries",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("lost", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text),
        sa.Column("username_key", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("submitted_at", instant, nullable=False),
        sa.Column("account_id", sa.Uuid),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name="fk_recoveries_tenant_id_account_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_recoveries"),
    )
    op.create_index(
        "ix_recoveries_account_id", "recoveries", ["tenant_id", "account_id", "submitted_at"]
    )
    op.create_index("ix_recoveries_address_key", "recoveries", ["tenant_id", "address_key"])
    op.create_index("ix_recoveries_username_key", "recoveries", ["tenant_id", "username_key"])
    _create_links("resets", sa.Column("recovery_id", sa.Uuid, nullable=False))
    op.create_foreign_key(
        "fk_resets_tenant_id_recovery_id",
        "resets",
        "recoveries",
        ["tenant_id", "recovery_id"],
        ["tenant_id", "id"],
    )
    op.create_index("ix_resets_recovery_id", "resets", ["tenant_id", "recovery_id"])
    _create_links("email_changes", sa.Column("address", sa.Text, nullable=False))
    protect(op, "identity", "recoveries", "resets", "email_changes")


def _create_links(table: str, *columns: sa.Column[Any]) -> None:
    """A table of what mailed links name."""
    op.create_table(
        table,
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        *columns,
        sa.Column("requested_at", instant, nullable=False),
        sa.Column("consumed_at", instant),
        sa.Column("voided_at", instant),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name=f"fk_{table}_tenant_id_account_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_account_id", table, ["tenant_id", "account_id", "requested_at"])
