"""Orders and their lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)
STATES = "('placing', 'held', 'paying', 'authorised', 'committed', 'confirmed', 'cancelling', 'cancelled')"


def upgrade() -> None:
    create_chassis_tables(op)
    op.create_table(
        "purchase_order",
        sa.Column("order_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.String(20), nullable=False),
        sa.UniqueConstraint("number", name="uq_purchase_order_number"),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(20)),
        sa.Column("event_id", sa.Uuid, nullable=False, index=True),
        sa.Column("event_title", sa.String, nullable=False),
        sa.Column("event_starts_at", INSTANT, nullable=False),
        sa.Column("event_time_zone", sa.String, nullable=False),
        sa.Column("venue_name", sa.String, nullable=False),
        sa.Column("venue_city", sa.String, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("total_minor", sa.Integer, nullable=False),
        sa.Column("wish", JSONB, nullable=False),
        sa.Column("hold_id", sa.Uuid, nullable=False),
        sa.UniqueConstraint("hold_id", name="uq_purchase_order_hold_id"),
        sa.Column("hold_expires_at", INSTANT),
        sa.Column("payment_id", sa.Uuid),
        sa.UniqueConstraint("payment_id", name="uq_purchase_order_payment_id"),
        sa.Column("payment_attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("redirect_url", sa.String),
        sa.Column("last_decline", sa.String),
        sa.Column("paid", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("traceparent", sa.String),
        sa.Column("trace_id", sa.String, index=True),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("due_at", INSTANT),
        sa.Column("leased_until", INSTANT),
        sa.Column("fence", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("last_error", sa.String),
        sa.CheckConstraint(f"state IN {STATES}", name="ck_purchase_order_state"),
        sa.CheckConstraint("total_minor >= 0", name="ck_purchase_order_total_not_negative"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="ck_purchase_order_currency_is_iso_4217"),
        sa.CheckConstraint(
            "(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="ck_purchase_order_confirmed_has_a_time"
        ),
        sa.CheckConstraint(
            "(state IN ('cancelling', 'cancelled')) = (reason IS NOT NULL)",
            name="ck_purchase_order_cancelled_has_a_reason",
        ),
    )
    op.create_index(
        "ix_purchase_order_due", "purchase_order", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index("ix_purchase_order_person_order", "purchase_order", ["person_id", "order_id"])
    op.create_table(
        "order_line",
        sa.Column("line_id", sa.Uuid, primary_key=True),
        sa.Column("order_id", sa.Uuid, sa.ForeignKey("purchase_order.order_id"), nullable=False, index=True),
        sa.Column("class_id", sa.Uuid, nullable=False),
        sa.Column("class_name", sa.String, nullable=False),
        sa.Column("seat_id", sa.String),
        sa.Column("seat_label", sa.String),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("unit_price_minor", sa.Integer, nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_order_line_quantity_positive"),
        sa.CheckConstraint("unit_price_minor >= 0", name="ck_order_line_price_not_negative"),
        sa.CheckConstraint("seat_id IS NULL OR quantity = 1", name="ck_order_line_a_seat_is_one_place"),
    )
    op.create_table(
        "order_change",
        sa.Column("order_id", sa.Uuid, sa.ForeignKey("purchase_order.order_id"), primary_key=True),
        sa.Column("change_no", sa.Integer, primary_key=True),
        sa.Column("happening", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("trace_id", sa.String),
        sa.Column("changed_at", INSTANT, nullable=False, server_default=sa.func.now()),
    )
