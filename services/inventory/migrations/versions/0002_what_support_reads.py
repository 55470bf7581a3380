"""What support reads of a hold: how it went on, when, and in which span."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import add_what_support_reads

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_what_support_reads(op)
    op.create_table(
        "hold_change",
        sa.Column("hold_id", sa.Uuid, sa.ForeignKey("hold.hold_id"), primary_key=True),
        sa.Column("state", sa.String(10), primary_key=True),
        sa.Column("was", sa.String(10), nullable=False),
        sa.Column("traceparent", sa.String(55)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
