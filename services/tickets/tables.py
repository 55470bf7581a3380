"""The tables of this service. A ticket is a snapshot of what was bought, read through what its event has become."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment


class Table(SQLModel, registry=make_registry()):
    """Base of this service's tables."""


class TicketRow(Table, table=True):
    """One place for one person."""

    __tablename__ = "ticket"
    __table_args__ = (
        # An order that is heard of twice, in whatever way, has its tickets once.
        UniqueConstraint("order_id", "line_id", "ordinal"),
        # A seat has one valid ticket; two would let two people fight for it at the door.
        Index(
            "uq_ticket_valid_seat",
            "event_id",
            "seat_id",
            unique=True,
            postgresql_where=text("state = 'valid' AND seat_id IS NOT NULL"),
        ),
        Index("ix_ticket_person_id_starts_at_ticket_id", "person_id", "starts_at", "ticket_id"),
        # Whoever holds tickets of an event that has moved is notified, order by order.
        Index("ix_ticket_event_id_order_id", "event_id", "order_id"),
        CheckConstraint("state IN ('valid', 'void')", name="state"),
        CheckConstraint("epoch BETWEEN 1 AND 65535", name="epoch"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
        CheckConstraint("seat_id IS NULL OR ordinal = 1", name="a_seat_is_one_place"),
        CheckConstraint("unit_price_minor >= 0", name="unit_price_minor"),
    )

    ticket_id: UUID = Field(primary_key=True)
    order_id: UUID
    order_number: str
    person_id: UUID
    event_id: UUID
    event_title: str
    venue_name: str
    venue_city: str
    starts_at: datetime = moment()
    time_zone: str
    line_id: UUID
    ordinal: int
    class_id: UUID
    class_name: str
    seat_id: str | None = None
    seat_label: str | None = None
    currency: str
    unit_price_minor: int = Field(sa_type=BigInteger)
    state: str
    epoch: int
    issued_at: datetime = moment(server_default=func.now())
    venue_street: str | None = None
    venue_country: str | None = None
    doors_at: datetime | None = moment(nullable=True, default=None)
    # The version of the event that was bought; None on older tickets, which show any version that is known.
    event_version: int | None = Field(default=None, sa_type=BigInteger)


class EventRow(Table, table=True):
    """An event as catalog published it last, once it has changed; its tickets are read through it. A trigger (migration 0008)
    refuses an older version.

    Also the work of notifying whoever holds tickets: `told_version` lags behind `version` until all orders up to the last
    one are notified, `told_after` is the last order that was.
    """

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint(
            "state IN ('scheduled', 'rescheduled', 'postponed', 'cancelled', 'moved_online')", name="state"
        ),
        CheckConstraint("told_version <= version", name="told_version"),
        CheckConstraint("code_edition BETWEEN 1 AND 65535", name="code_edition"),
        Index("ix_event_untold", "heard_at", postgresql_where=text("told_version < version")),
    )

    event_id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    state: str
    changes: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    title: str
    starts_at: datetime = moment()
    doors_at: datetime | None = moment(nullable=True, default=None)
    time_zone: str
    venue_name: str
    venue_street: str | None = None
    venue_city: str
    venue_country: str | None = None
    previous_starts_at: datetime | None = moment(nullable=True, default=None)
    code_edition: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    told_version: int = Field(sa_type=BigInteger)
    told_after: UUID | None = None
    traceparent: str | None = None
    heard_at: datetime = moment(server_default=func.now())


add_chassis_tables(Table.metadata)
