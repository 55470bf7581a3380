"""What support reads of a payment: its steps, and each time that a gateway was asked, in which span."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import add_what_support_reads

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Adds columns, tables and an index."""
    add_what_support_reads(op)
    op.add_column("gateway_operation", sa.Column("settled_at", _MOMENT))
    op.add_column("gateway_operation", sa.Column("settled_in", sa.String()))
    op.create_index("ix_webhook_gateway_payment_id", "webhook", ["gateway_payment_id"])
    op.create_table(
        "payment_change",
        sa.Column("payment_id", sa.Uuid(), sa.ForeignKey("payment.payment_id"), primary_key=True),
        sa.Column("state", sa.String(), primary_key=True),
        sa.Column("reason", sa.String()),
        sa.Column("traceparent", sa.String()),
        sa.Column("changed_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "gateway_attempt",
        sa.Column("key", sa.String(), sa.ForeignKey("gateway_operation.key"), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True),
        sa.Column("asked_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("traceparent", sa.String()),
        sa.Column("problem", sa.String()),
        sa.Column("silent_at", _MOMENT),
    )


def downgrade() -> None:
    """Refused: what happened to money is not forgotten by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy what support reads of payments.")
