"""Places and holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_chassis_tables(op)
    op.create_table(
        "event",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
    )
    op.create_table(
        "ticket_class",
        sa.Column("class_id", sa.Uuid, primary_key=True),
        sa.Column("event_id", sa.Uuid, sa.ForeignKey("event.event_id"), nullable=False, index=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("held", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("sold", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint("kind IN ('general', 'seated')", name="ck_ticket_class_kind"),
        sa.CheckConstraint("capacity >= 0 AND held >= 0 AND sold >= 0", name="ck_ticket_class_not_negative"),
        sa.CheckConstraint("held + sold <= capacity", name="ck_ticket_class_never_more_than_capacity"),
        sa.CheckConstraint("kind = 'general' OR (held = 0 AND sold = 0)", name="ck_ticket_class_seated_has_rows"),
        # The hot row changes in place: no index holds its counters, and there is room for its next version.
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.Uuid, primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("order_id", sa.Uuid, index=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("lines", JSONB, nullable=False),
        sa.Column("traceparent", sa.String),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("state IN ('held', 'committed', 'released', 'expired')", name="ck_hold_state"),
    )
    op.create_index("ix_hold_due", "hold", ["expires_at"], postgresql_where=sa.text("state = 'held'"))
    op.create_index("ix_hold_event_due", "hold", ["event_id", "expires_at"], postgresql_where=sa.text("state = 'held'"))
    op.create_table(
        "seat",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("seat_id", sa.String(100), primary_key=True),
        sa.Column("class_id", sa.Uuid, sa.ForeignKey("ticket_class.class_id"), nullable=False, index=True),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("state", sa.String(10), nullable=False, server_default=sa.text("'free'")),
        sa.Column("hold_id", sa.Uuid, sa.ForeignKey("hold.hold_id")),
        sa.CheckConstraint("state IN ('free', 'held', 'sold')", name="ck_seat_state"),
        sa.CheckConstraint("(state = 'free') = (hold_id IS NULL)", name="ck_seat_owner_unless_free"),
    )
    op.create_index("ix_seat_hold", "seat", ["hold_id"], postgresql_where=sa.text("hold_id IS NOT NULL"))
    op.create_index("ix_seat_taken", "seat", ["event_id"], postgresql_where=sa.text("state <> 'free'"))
