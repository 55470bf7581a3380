"""How an event stands (cancelled, postponed, moved), and what its offers say of their sale."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)
STATES = "('scheduled', 'rescheduled', 'postponed', 'cancelled', 'moved_online')"
AVAILABILITIES = "('available', 'sold_out', 'not_yet', 'box_office', 'discontinued')"


def upgrade() -> None:
    op.add_column("event", sa.Column("state", sa.String, nullable=False, server_default=sa.text("'scheduled'")))
    op.add_column("event", sa.Column("previous_starts_at", INSTANT))
    op.add_column("event", sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")))
    op.create_check_constraint("ck_event_state", "event", f"state IN {STATES}")
    availability = sa.Column("availability", sa.String, nullable=False, server_default=sa.text("'available'"))
    op.add_column("ticket_class", availability)
    op.add_column("ticket_class", sa.Column("sale_begins_at", INSTANT))
    op.add_column("ticket_class", sa.Column("sale_ends_at", INSTANT))
    op.create_check_constraint("ck_ticket_class_availability", "ticket_class", f"availability IN {AVAILABILITIES}")
    op.create_check_constraint("ck_ticket_class_sale_ends_at", "ticket_class", "sale_ends_at > sale_begins_at")
    op.drop_constraint("ck_ticket_class_capacity", "ticket_class")
    op.create_check_constraint("ck_ticket_class_capacity_not_negative", "ticket_class", "capacity >= 0")
