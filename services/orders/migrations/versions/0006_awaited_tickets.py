"""Orders that are confirmed and whose tickets nobody has published yet: they are published again until somebody does."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "awaited_tickets",
        sa.Column("order_id", sa.Uuid, sa.ForeignKey("purchase_order.order_id"), primary_key=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("tellings", sa.Integer, nullable=False, server_default=sa.text("1")),
    )
    op.create_index("ix_awaited_tickets_since", "awaited_tickets", ["since"])
