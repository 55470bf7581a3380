"""The tables of this service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment


class Table(SQLModel, registry=make_registry()):
    """Base of this service's tables."""


class SaleRow(Table, table=True):
    """A sale with a waiting room (`domain.Sale`). What was let in stays so: `serving` never falls, the database refuses it."""

    __tablename__ = "sale"
    __table_args__ = (
        CheckConstraint("doors_open_at < starts_at", name="doors_before_start"),
        CheckConstraint("rate > 0 AND rate_now >= 0 AND rate_now <= rate", name="rate"),
        CheckConstraint("most_active > 0", name="most_active"),
        CheckConstraint("0 <= serving AND serving <= last_number", name="serving_those_who_came"),
        Index("ix_sale_under_way", "starts_at", postgresql_where=text("NOT ended")),
    )

    event_id: UUID = Field(primary_key=True)
    doors_open_at: datetime = moment()
    starts_at: datetime = moment()
    rate: int
    rate_now: float
    most_active: int
    # Secret until lots are drawn; its hash is public from the beginning.
    seed: str = Field(sa_column=Column(String(64), nullable=False))
    drawn_at: datetime | None = moment(nullable=True, default=None)
    paused: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    ended: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    serving: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    credit: float = Field(default=0.0, sa_column_kwargs={"server_default": text("0")})
    last_number: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    # How many numbers were drawn by lot; those behind them came later.
    drawn: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    advanced_at: datetime | None = moment(nullable=True, default=None)
    places_left: int | None = None
    places_in_carts: int | None = None
    challenge: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class EntryRow(Table, table=True):
    """Somebody in a queue: one entry for each account, until its turn is missed."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("event_id", "number", name="one_number_each"),
        Index("ux_entry_person", "event_id", "person_id", unique=True, postgresql_where=text("NOT is_over")),
        Index("ix_entry_unnumbered", "event_id", "seq", postgresql_where=text("number IS NULL")),
        Index("ix_entry_active", "event_id", "until", postgresql_where=text("until IS NOT NULL AND NOT done")),
        Index("ix_entry_address", "event_id", "address"),
        Index("ix_entry_event_entry", "event_id", "entry_id"),
    )

    entry_id: UUID = Field(primary_key=True)
    event_id: UUID = Field(sa_column=Column(ForeignKey("sale.event_id"), nullable=False))
    person_id: UUID
    address: str = Field(sa_column=Column(String(64), nullable=False))
    # The order in which people came: numbers after the draw follow it.
    seq: int = Field(sa_column_kwargs={"server_default": text("nextval('entry_seq')")})
    number: int | None = None
    joined_at: datetime = moment(server_default=text("now()"))
    until: datetime | None = moment(nullable=True, default=None)
    passed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    done: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    # It missed its turn, and its person came back: a new entry is at the end of the queue.
    is_over: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class UsedSolutionRow(Table, table=True):
    """A proof of work with which somebody has joined. It is kept until its challenge has expired: the key refuses a second use."""

    __tablename__ = "used_solution"
    __table_args__ = (Index("ix_used_solution_expires_at", "expires_at"),)

    solution_id: UUID = Field(primary_key=True)
    event_id: UUID
    expires_at: datetime = moment()


add_chassis_tables(Table.metadata)
