"""Events that move: what catalog published last of an event, and which holders are still to be notified; street and doors on tickets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Adds columns that may be null, a table, and an index."""
    op.add_column("ticket", sa.Column("venue_street", sa.String()))
    op.add_column("ticket", sa.Column("venue_country", sa.String()))
    op.add_column("ticket", sa.Column("doors_at", _MOMENT))
    op.create_index("ix_ticket_event_id_order_id", "ticket", ["event_id", "order_id"])
    op.create_table(
        "event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("doors_at", _MOMENT),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("venue_name", sa.String(), nullable=False),
        sa.Column("venue_street", sa.String()),
        sa.Column("venue_city", sa.String(), nullable=False),
        sa.Column("venue_country", sa.String()),
        sa.Column("previous_starts_at", _MOMENT),
        sa.Column("told_version", sa.BigInteger(), nullable=False),
        sa.Column("told_after", sa.Uuid()),
        sa.Column("traceparent", sa.String()),
        sa.Column("heard_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("event_id", name="pk_event"),
        sa.CheckConstraint(
            "state IN ('scheduled', 'rescheduled', 'postponed', 'cancelled', 'moved_online')", name="ck_event_state"
        ),
        sa.CheckConstraint("told_version <= version", name="ck_event_told_version"),
    )
    op.create_index("ix_event_untold", "event", ["heard_at"], postgresql_where=sa.text("told_version < version"))
