"""The tables of this service. A ticket holds all that is printed on it: it is a snapshot, and needs nobody to be read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, func, text
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
        CheckConstraint("state IN ('valid', 'void')", name="state"),
        CheckConstraint("epoch BETWEEN 1 AND 65535", name="epoch"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
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


add_chassis_tables(Table.metadata)
