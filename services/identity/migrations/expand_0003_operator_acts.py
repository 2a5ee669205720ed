"""What operators do to events by hand is kept."""

from alembic import op

from chassis.database.roles import add_chassis_table
from chassis.database.tables import operator_acts

revision = "expand_0003_operator_acts"
down_revision = "expand_0002_recovery_and_profile"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table that the code before knows nothing of."""
    add_chassis_table(op, "identity", operator_acts)
