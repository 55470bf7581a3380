"""Mails to be sent, and the log of what became of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    create_chassis_tables(op)
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("lease_id", sa.Uuid()),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("last_problem", sa.String()),
        sa.Column("traceparent", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_delivery"),
        sa.UniqueConstraint("order_id", "template", name="uq_delivery_order_id_template"),
        sa.UniqueConstraint("message_id", name="uq_delivery_message_id"),
        sa.CheckConstraint("template IN ('tickets', 'money_returned')", name="ck_delivery_template"),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed')", name="ck_delivery_state"),
        sa.CheckConstraint("attempts >= 0", name="ck_delivery_attempts"),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="ck_delivery_sent_at"),
        sa.CheckConstraint("state <> 'failed' OR last_problem IS NOT NULL", name="ck_delivery_failed_for_a_reason"),
        sa.CheckConstraint("(lease_id IS NULL) = (leased_until IS NULL)", name="ck_delivery_lease"),
    )
    op.create_index("ix_delivery_due", "delivery", ["next_attempt_at"], postgresql_where=sa.text("state = 'waiting'"))


def downgrade() -> None:
    """Refused: without the log, mails would be sent again."""
    raise NotImplementedError("Restore a backup instead: going back would lose which mails were sent.")
