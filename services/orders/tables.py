"""Orders' tables. An order is its own saga: state, lease, fence and timer are columns, visible in SQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment

STATES = "('placing', 'held', 'paying', 'authorised', 'committed', 'confirmed', 'cancelling', 'cancelled')"


class Table(SQLModel, registry=make_registry()):
    """Base of orders' tables, on metadata of their own."""


class Event(Table, table=True):
    """How an event stands that has changed since it was published: cancelled, moved. Stands over the snapshot of older orders."""

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint(
            "state IN ('scheduled', 'rescheduled', 'postponed', 'cancelled', 'moved_online')", name="state"
        ),
    )

    event_id: UUID = Field(primary_key=True)
    # Catalog's number for the event, which grows with every change: only a newer fact overwrites.
    version: int
    state: str
    title: str
    starts_at: datetime = moment()
    previous_starts_at: datetime | None = moment(nullable=True, default=None)
    time_zone: str
    venue_name: str
    venue_city: str


class PurchaseOrder(Table, table=True):
    """An order, and the saga that carries it to its end. Triggers (migration 0009) refuse a step that is not in
    `domain.TRANSITIONS`, and at the commit a total that is not the sum of the lines."""

    __tablename__ = "purchase_order"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("total_minor >= 0", name="total_not_negative"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_is_iso_4217"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed_has_a_time"),
        CheckConstraint("(state IN ('cancelling', 'cancelled')) = (reason IS NOT NULL)", name="cancelled_has_a_reason"),
        CheckConstraint("state <> 'confirmed' OR paid OR total_minor = 0", name="confirmed_is_paid_or_free"),
        CheckConstraint("NOT paid OR payment_id IS NOT NULL", name="paid_has_a_payment"),
        Index("ix_purchase_order_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        # The version before looks for all of a person's orders by this one; it goes with the release after.
        Index("ix_purchase_order_person_order", "person_id", "order_id"),
        Index(
            "ix_purchase_order_shown",
            "person_id",
            "order_id",
            postgresql_where=text("reason IS DISTINCT FROM 'refused'"),
        ),
        Index(
            "ix_purchase_order_person_event",
            "person_id",
            "event_id",
            "order_id",
            postgresql_where=text("reason IS NULL"),
        ),
        Index(
            "ix_purchase_order_request_cancelled",
            "person_id",
            "request_key",
            "order_id",
            postgresql_where=text("request_key IS NOT NULL AND reason IS NOT NULL"),
        ),
        Index(
            "ux_purchase_order_request",
            "person_id",
            "request_key",
            unique=True,
            postgresql_where=text("request_key IS NOT NULL AND reason IS NULL"),
        ),
    )

    order_id: UUID = Field(primary_key=True)
    number: str = Field(sa_column=Column(String(20), nullable=False, unique=True))
    person_id: UUID
    state: str = Field(sa_column=Column(String(12), nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(String(20)))
    event_id: UUID = Field(index=True)
    event_version: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    event_title: str
    event_starts_at: datetime = moment()
    event_time_zone: str
    venue_name: str
    venue_city: str
    venue_street: str | None = None
    venue_country: str | None = None
    event_doors_at: datetime | None = moment(nullable=True, default=None)
    currency: str = Field(sa_column=Column(String(3), nullable=False))
    total_minor: int = Field(sa_type=BigInteger)
    # The key of the request that placed it: pressed again, it finds this order. A cancelled one is no more in the way.
    request_key: str | None = Field(default=None, sa_column=Column(String(200)))
    wish: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hold_id: UUID = Field(unique=True)
    hold_expires_at: datetime | None = moment(nullable=True, default=None)
    payment_id: UUID | None = Field(default=None, unique=True)
    payment_attempt: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    redirect_url: str | None = None
    last_decline: str | None = None
    paid: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    traceparent: str | None = None
    trace_id: str | None = Field(default=None, index=True)
    created_at: datetime = moment(server_default=text("now()"))
    confirmed_at: datetime | None = moment(nullable=True, default=None)
    # The saga: when it is to be looked at, by whom it is being looked at until when, and how often that failed.
    due_at: datetime | None = moment(nullable=True, default=None)
    leased_until: datetime | None = moment(nullable=True, default=None)
    fence: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    tries: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    last_error: str | None = None


class OrderLine(Table, table=True):
    """What was bought, at the price of that moment. Triggers (migration 0009) refuse to change or delete it."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("unit_price_minor >= 0", name="price_not_negative"),
        CheckConstraint("seat_id IS NULL OR quantity = 1", name="a_seat_is_one_place"),
    )

    line_id: UUID = Field(primary_key=True)
    order_id: UUID = Field(sa_column=Column(ForeignKey("purchase_order.order_id"), nullable=False, index=True))
    class_id: UUID
    class_name: str
    seat_id: str | None = None
    seat_label: str | None = None
    quantity: int
    unit_price_minor: int = Field(sa_type=BigInteger)


class AwaitedTickets(Table, table=True):
    """An order that is confirmed and has no tickets yet, as far as orders has heard; gone once they are issued."""

    __tablename__ = "awaited_tickets"
    __table_args__ = (Index("ix_awaited_tickets_since", "since"), Index("ix_awaited_tickets_due_at", "due_at"))

    order_id: UUID = Field(sa_column=Column(ForeignKey("purchase_order.order_id"), primary_key=True))
    since: datetime = moment(server_default=text("now()"))
    # How often its confirmation was published by now.
    tellings: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    due_at: datetime = moment(server_default=text("now()"))
    leased_until: datetime | None = moment(nullable=True, default=None)
    fence: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    problem: str | None = None


class OrderChange(Table, table=True):
    """Each transition of each order: what happened, when, in which trace. Support reads it weeks later."""

    __tablename__ = "order_change"

    order_id: UUID = Field(sa_column=Column(ForeignKey("purchase_order.order_id"), primary_key=True))
    change_no: int = Field(primary_key=True)
    happening: str
    state: str
    trace_id: str | None = None
    span_id: str | None = None
    changed_at: datetime = moment(server_default=text("now()"))


class OrderWait(Table, table=True):
    """Tries as the version before writes and reads them: now they are in `work_attempt`. It goes with the release after."""

    __tablename__ = "order_wait"

    order_id: UUID = Field(sa_column=Column(ForeignKey("purchase_order.order_id"), primary_key=True))
    waited_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), primary_key=True, server_default=text("now()"))
    )
    state: str
    attempt: int
    problem: str
    again_at: datetime = moment()
    traceparent: str | None = None


add_chassis_tables(Table.metadata)
