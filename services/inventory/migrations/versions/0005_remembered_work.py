"""The chassis' table of what tries of remembered work came to."""

from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds a table."""
    create_chassis_tables(op)
