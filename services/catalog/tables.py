"""The tables of this service. What must hold of an event holds in the database, whoever writes it.

Triggers (migration 0009) keep what was published: seat maps, their seats, classes and their kind, versions that only grow.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment


class Table(SQLModel, registry=make_registry()):
    """Base of this service's tables."""


class VenueRow(Table, table=True):
    """Where events are. The id follows from the other columns, so the same place is one row."""

    __tablename__ = "venue"

    venue_id: UUID = Field(primary_key=True)
    name: str
    street: str
    city: str
    country: str


class SeatMapRow(Table, table=True):
    """One version of a house's geometry; never changed, so that whoever has read it may keep it.

    `document` is the answer that is given for it, made once: it is read far more often than imported."""

    __tablename__ = "seat_map"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        # The same geometry again is the same version.
        UniqueConstraint("name", "digest"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
    )

    seat_map_id: UUID = Field(primary_key=True)
    name: str
    version: int
    width: float
    height: float
    digest: bytes = Field(sa_type=LargeBinary)
    document: str = Field(sa_type=Text)


class SeatRow(Table, table=True):
    """A seat of a seat map: what can be sold. Where it stands is in the seat map's document."""

    __tablename__ = "seat"
    __table_args__ = (UniqueConstraint("seat_map_id", "ordinal"),)

    seat_map_id: UUID = Field(primary_key=True, foreign_key="seat_map.seat_map_id")
    seat_id: str = Field(primary_key=True)
    ordinal: int
    label: str
    category: str
    # Who is beside it (adjacency.py); null in seat maps that were imported before this was kept.
    row_id: str | None = None
    place_in_row: int | None = None


class EventRow(Table, table=True):
    """An event. `search_text` are its words as a search compares them; `digest` tells whether an import changes anything.

    `version` grows with every change; `previous_starts_at` is when it was to start before it was moved; codes of tickets of
    an edition before `code_edition` are refused at the door."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("identifier"),
        Index("ix_event_starts_at_event_id", "starts_at", "event_id"),
        # Events that have begun and are not over: few, among the many that are over.
        Index(
            "ix_event_under_way",
            text("tstzrange(starts_at, ends_at)"),
            postgresql_using="gist",
            postgresql_where=text("ends_at IS NOT NULL"),
        ),
        # Which events have the letters of a search.
        Index(
            "ix_event_search_text",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("max_per_order BETWEEN 1 AND 50", name="max_per_order"),
        CheckConstraint("max_per_buyer >= 1", name="max_per_buyer"),
        CheckConstraint("doors_at <= starts_at", name="doors_at"),
        CheckConstraint("ends_at > starts_at", name="ends_at"),
        CheckConstraint("title <> ''", name="title"),
        CheckConstraint(
            "state IN ('scheduled', 'rescheduled', 'postponed', 'cancelled', 'moved_online')", name="state"
        ),
    )

    event_id: UUID = Field(primary_key=True)
    identifier: str
    title: str
    description: str = Field(sa_type=Text)
    starts_at: datetime = moment()
    doors_at: datetime | None = moment(nullable=True, default=None)
    ends_at: datetime | None = moment(nullable=True, default=None)
    time_zone: str
    organiser_name: str
    image: str
    venue_id: UUID = Field(foreign_key="venue.venue_id")
    seat_map_id: UUID | None = Field(default=None, foreign_key="seat_map.seat_map_id")
    currency: str
    on_sale: bool
    max_per_order: int
    max_per_buyer: int | None = None
    state: str = Field(default="scheduled", sa_column_kwargs={"server_default": text("'scheduled'")})
    previous_starts_at: datetime | None = moment(nullable=True, default=None)
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    code_edition: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    search_text: str = Field(sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)


class TicketClassRow(Table, table=True):
    """What is for sale, at which price, from when until when. Capacity of a seated class: the number of its seats."""

    __tablename__ = "ticket_class"
    __table_args__ = (
        UniqueConstraint("event_id", "name"),
        CheckConstraint("kind IN ('general', 'seated')", name="kind"),
        CheckConstraint("price_minor >= 0", name="price_minor"),
        # A class that is not sold here may have none.
        CheckConstraint("capacity >= 0", name="capacity_not_negative"),
        CheckConstraint(
            "availability IN ('available', 'sold_out', 'not_yet', 'box_office', 'discontinued')", name="availability"
        ),
        CheckConstraint("sale_ends_at > sale_begins_at", name="sale_ends_at"),
    )

    class_id: UUID = Field(primary_key=True)
    event_id: UUID = Field(foreign_key="event.event_id")
    position: int
    name: str
    description: str | None = None
    kind: str
    price_minor: int = Field(sa_type=BigInteger)
    capacity: int
    colour: str | None = None
    availability: str = Field(default="available", sa_column_kwargs={"server_default": text("'available'")})
    sale_begins_at: datetime | None = moment(nullable=True, default=None)
    sale_ends_at: datetime | None = moment(nullable=True, default=None)


add_chassis_tables(Table.metadata)
