"""How an event stands that has changed since its orders were placed, and which version of it an order has seen."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True)
STATES = "('scheduled', 'rescheduled', 'postponed', 'cancelled', 'moved_online')"


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("previous_starts_at", INSTANT),
        sa.Column("time_zone", sa.String, nullable=False),
        sa.Column("venue_name", sa.String, nullable=False),
        sa.Column("venue_city", sa.String, nullable=False),
        sa.CheckConstraint(f"state IN {STATES}", name="ck_event_state"),
    )
    op.add_column("purchase_order", sa.Column("event_version", sa.Integer, nullable=False, server_default=sa.text("0")))
