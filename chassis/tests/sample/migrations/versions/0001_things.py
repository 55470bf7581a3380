"""Things, and what every service has."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables(op)
    op.create_table(
        "thing", sa.Column("thing_id", sa.Uuid, primary_key=True), sa.Column("name", sa.Text, nullable=False)
    )
