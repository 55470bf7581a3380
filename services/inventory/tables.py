"""Inventory's tables. The constraints hold the promises; the code above them only makes better sentences."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment


def _version() -> Any:
    """A field for the version of a fact (`Received.version`)."""
    return Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


class Table(SQLModel, registry=make_registry()):
    """Base of inventory's tables, on metadata of their own."""


class Event(Table, table=True):
    """An event whose places are known here."""

    __tablename__ = "event"

    event_id: UUID = Field(primary_key=True)
    title: str
    starts_at: datetime = moment()
    # The version of the fact that was applied last.
    version: int = _version()
    # Whether its places are held with a pass of its waiting room only, and the version of the fact that said so last.
    needs_pass: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    sale_version: int = _version()


class TicketClass(Table, table=True):
    """A class of places. For general admission the counters are the stock; for seated classes the seats are.

    They may be held while the class is `for_sale`, from `sale_begins_at` (null: at once) until `sale_ends_at` (null: always)."""

    __tablename__ = "ticket_class"
    __table_args__ = (
        CheckConstraint("kind IN ('general', 'seated')", name="kind"),
        CheckConstraint("capacity >= 0 AND held >= 0 AND sold >= 0", name="not_negative"),
        CheckConstraint("held + sold <= capacity", name="never_more_than_capacity"),
        CheckConstraint("kind = 'general' OR (held = 0 AND sold = 0)", name="seated_has_rows"),
    )

    class_id: UUID = Field(primary_key=True)
    event_id: UUID = Field(sa_column=Column(ForeignKey("event.event_id"), nullable=False, index=True))
    name: str
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    capacity: int
    held: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    sold: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    for_sale: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    sale_begins_at: datetime | None = moment(nullable=True, default=None)
    sale_ends_at: datetime | None = moment(nullable=True, default=None)


class Hold(Table, table=True):
    """Places that are promised to one order until a moment. A released row may be a tombstone: it can never be granted.

    Triggers (migration 0006) refuse a hold that comes back after its end, and at the commit one that does not have its seats:
    a committed one all of its lines, sold; one that has ended none."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("state IN ('held', 'committed', 'released', 'expired')", name="state"),
        CheckConstraint("order_id IS NOT NULL OR state = 'released'", name="of_an_order_or_released"),
        Index("ix_hold_due", "expires_at", postgresql_where=text("state = 'held'")),
        Index("ix_hold_ended", "expires_at", postgresql_where=text("state IN ('released', 'expired')")),
        Index("ix_hold_event_due", "event_id", "expires_at", postgresql_where=text("state = 'held'")),
    )

    hold_id: UUID = Field(primary_key=True)
    event_id: UUID
    order_id: UUID | None = Field(default=None, index=True)
    state: str = Field(sa_column=Column(String(10), nullable=False))
    expires_at: datetime = moment()
    lines: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    traceparent: str | None = None
    created_at: datetime = moment(server_default=text("now()"))


class Bucket(Table, table=True):
    """Whether a bucket of events is this shard's (buckets.py). Without a row it is; a trigger on holds (migration 0009) sees to it."""

    __tablename__ = "bucket"
    __table_args__ = (
        CheckConstraint("bucket BETWEEN 0 AND 255", name="bucket"),
        CheckConstraint("state IN ('here', 'frozen', 'elsewhere')", name="state"),
    )

    bucket: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    state: str = Field(sa_column=Column(String(10), nullable=False))
    since: datetime = moment(server_default=text("now()"))


class UsedPass(Table, table=True):
    """A pass of the waiting room, and the hold that it was used for: by its key for one alone."""

    __tablename__ = "used_pass"

    pass_id: UUID = Field(primary_key=True)
    hold_id: UUID = Field(index=True)
    used_at: datetime = moment(server_default=text("now()"))


class HoldChange(Table, table=True):
    """How a hold went on after it was granted, and in which span: it comes to each state at most once. Support reads it."""

    __tablename__ = "hold_change"

    hold_id: UUID = Field(sa_column=Column(ForeignKey("hold.hold_id"), primary_key=True))
    state: str = Field(sa_column=Column(String(10), primary_key=True))
    # The state before: an expired hold that is committed was taken again.
    was: str = Field(sa_column=Column(String(10), nullable=False))
    traceparent: str | None = Field(default=None, sa_column=Column(String(55)))
    changed_at: datetime = moment(server_default=text("now()"))


class Seat(Table, table=True):
    """A seat of an event, with at most one owner, by its key. Triggers (migration 0006) refuse another one before it is free
    again, and a sold seat whose hold is not committed."""

    __tablename__ = "seat"
    __table_args__ = (
        CheckConstraint("state IN ('free', 'held', 'sold')", name="state"),
        CheckConstraint("(state = 'free') = (hold_id IS NULL)", name="owner_unless_free"),
        Index("ix_seat_hold", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
        Index("ix_seat_taken", "event_id", postgresql_where=text("state <> 'free'")),
    )

    event_id: UUID = Field(primary_key=True)
    seat_id: str = Field(sa_column=Column(String(100), primary_key=True))
    class_id: UUID = Field(sa_column=Column(ForeignKey("ticket_class.class_id"), nullable=False, index=True))
    label: str
    state: str = Field(default="free", sa_column=Column(String(10), nullable=False, server_default=text("'free'")))
    hold_id: UUID | None = Field(default=None, sa_column=Column(ForeignKey("hold.hold_id"), nullable=True))
    # Seats of one row whose places follow each other are neighbours; null if catalog does not know.
    row_id: str | None = None
    place_in_row: int | None = None
    # The version of the fact that described the seat last; its owner is inventory's own knowledge.
    version: int = _version()


add_chassis_tables(Table.metadata)
