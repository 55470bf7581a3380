"""What support reads of an order: in which span it changed, and each time that it had to wait."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import add_what_support_reads

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    add_what_support_reads(op)
    op.add_column("order_change", sa.Column("span_id", sa.String))
    op.create_table(
        "order_wait",
        sa.Column("order_id", sa.Uuid, sa.ForeignKey("purchase_order.order_id"), primary_key=True),
        sa.Column("waited_at", INSTANT, primary_key=True, server_default=sa.func.now()),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("problem", sa.String, nullable=False),
        sa.Column("again_at", INSTANT, nullable=False),
        sa.Column("traceparent", sa.String),
    )
