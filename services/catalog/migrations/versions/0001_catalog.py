"""Events, venues, seat maps, ticket classes and prices."""

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
        "venue",
        sa.Column("venue_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("venue_id", name="pk_venue"),
    )
    _create_seat_maps()
    _create_events()


def _create_seat_maps() -> None:
    op.create_table(
        "seat_map",
        sa.Column("seat_map_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seat_map_id", name="pk_seat_map"),
        sa.UniqueConstraint("name", "version", name="uq_seat_map_name_version"),
        sa.UniqueConstraint("name", "digest", name="uq_seat_map_name_digest"),
        sa.CheckConstraint("version > 0", name="ck_seat_map_version"),
        sa.CheckConstraint("width > 0 AND height > 0", name="ck_seat_map_size"),
    )
    op.create_table(
        "seat",
        sa.Column("seat_map_id", sa.Uuid(), nullable=False),
        sa.Column("seat_id", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seat_map_id", "seat_id", name="pk_seat"),
        sa.UniqueConstraint("seat_map_id", "ordinal", name="uq_seat_seat_map_id_ordinal"),
        sa.ForeignKeyConstraint(["seat_map_id"], ["seat_map.seat_map_id"], name="fk_seat_seat_map_id"),
    )


def _create_events() -> None:
    op.create_table(
        "event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doors_at", sa.DateTime(timezone=True)),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("organiser_name", sa.String(), nullable=False),
        sa.Column("image", sa.String(), nullable=False),
        sa.Column("venue_id", sa.Uuid(), nullable=False),
        sa.Column("seat_map_id", sa.Uuid()),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("on_sale", sa.Boolean(), nullable=False),
        sa.Column("max_per_order", sa.Integer(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_event"),
        sa.UniqueConstraint("identifier", name="uq_event_identifier"),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.venue_id"], name="fk_event_venue_id"),
        sa.ForeignKeyConstraint(["seat_map_id"], ["seat_map.seat_map_id"], name="fk_event_seat_map_id"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="ck_event_currency"),
        sa.CheckConstraint("max_per_order BETWEEN 1 AND 50", name="ck_event_max_per_order"),
        sa.CheckConstraint("doors_at <= starts_at", name="ck_event_doors_at"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_event_ends_at"),
        sa.CheckConstraint("title <> ''", name="ck_event_title"),
    )
    op.create_index("ix_event_starts_at_event_id", "event", ["starts_at", "event_id"])
    op.create_table(
        "ticket_class",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("colour", sa.String()),
        sa.PrimaryKeyConstraint("class_id", name="pk_ticket_class"),
        sa.UniqueConstraint("event_id", "name", name="uq_ticket_class_event_id_name"),
        sa.ForeignKeyConstraint(["event_id"], ["event.event_id"], name="fk_ticket_class_event_id"),
        sa.CheckConstraint("kind IN ('general', 'seated')", name="ck_ticket_class_kind"),
        sa.CheckConstraint("price_minor >= 0", name="ck_ticket_class_price_minor"),
        sa.CheckConstraint("capacity > 0", name="ck_ticket_class_capacity"),
    )


def downgrade() -> None:
    """Refused: published events are not dropped by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy published events.")
