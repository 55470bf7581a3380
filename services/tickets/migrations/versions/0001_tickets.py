"""Issued tickets."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    create_chassis_tables(op)
    op.create_table(
        "ticket",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_title", sa.String(), nullable=False),
        sa.Column("venue_name", sa.String(), nullable=False),
        sa.Column("venue_city", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("class_name", sa.String(), nullable=False),
        sa.Column("seat_id", sa.String()),
        sa.Column("seat_label", sa.String()),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("unit_price_minor", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket"),
        sa.UniqueConstraint("order_id", "line_id", "ordinal", name="uq_ticket_order_id_line_id_ordinal"),
        sa.CheckConstraint("state IN ('valid', 'void')", name="ck_ticket_state"),
        sa.CheckConstraint("epoch BETWEEN 1 AND 65535", name="ck_ticket_epoch"),
        sa.CheckConstraint("ordinal >= 1", name="ck_ticket_ordinal"),
        sa.CheckConstraint("unit_price_minor >= 0", name="ck_ticket_unit_price_minor"),
    )
    op.create_index(
        "uq_ticket_valid_seat",
        "ticket",
        ["event_id", "seat_id"],
        unique=True,
        postgresql_where=sa.text("state = 'valid' AND seat_id IS NOT NULL"),
    )
    op.create_index("ix_ticket_person_id_starts_at_ticket_id", "ticket", ["person_id", "starts_at", "ticket_id"])


def downgrade() -> None:
    """Refused: tickets that people have bought are not dropped by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy issued tickets.")
