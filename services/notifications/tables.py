"""The tables of this service. No address is stored: it is asked for when a mail is sent, and forgotten."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment


class Table(SQLModel, registry=make_registry()):
    """Base of this service's tables."""


class DeliveryRow(Table, table=True):
    """One mail to one buyer: work while it waits, a log for support afterwards. Triggers (migration 0006) refuse that one which
    was sent waits again, and another Message-ID."""

    __tablename__ = "delivery"
    __table_args__ = (
        # One mail of a kind per order, however often and by whatever fact it is asked for.
        UniqueConstraint("order_id", "template"),
        UniqueConstraint("message_id"),
        # Workers look for what is due all the time: the index holds only what waits.
        Index("ix_delivery_due", "next_attempt_at", postgresql_where=text("state IN ('waiting', 'waiting_news')")),
        Index("ix_delivery_failed", "created_at", postgresql_where=text("state = 'failed'")),
        # With the version of the event behind it, for mails about that: an order gets one of each.
        CheckConstraint(
            "template ~ '^(tickets|money_returned|(new_date|new_place|event_changed|cancelled|postponed|moved_online)/[0-9]+)$'",
            name="template",
        ),
        CheckConstraint("state IN ('waiting', 'waiting_news', 'sent', 'failed')", name="state"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
        CheckConstraint("state <> 'failed' OR last_problem IS NOT NULL", name="failed_for_a_reason"),
    )

    delivery_id: UUID = Field(primary_key=True)
    order_id: UUID
    order_number: str
    person_id: UUID
    template: str
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    message_id: str
    state: str
    attempts: int
    next_attempt_at: datetime = moment(server_default=func.now())
    # The version before compares this instead of the fence; the release after this one drops it.
    lease_id: UUID | None = None
    fence: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    leased_until: datetime | None = moment(nullable=True)
    last_problem: str | None = None
    traceparent: str | None = None
    created_at: datetime = moment(server_default=func.now())
    sent_at: datetime | None = moment(nullable=True)


class DeliveryAttemptRow(Table, table=True):
    """Tries as the version before writes and reads them: now they are in `work_attempt`. It goes with the release after."""

    __tablename__ = "delivery_attempt"

    delivery_id: UUID = Field(primary_key=True, sa_column_args=(ForeignKey("delivery.delivery_id"),))
    attempt: int = Field(primary_key=True)
    state: str
    problem: str | None = None
    again_at: datetime | None = moment(default=None, nullable=True)
    traceparent: str | None = None
    ended_at: datetime = moment(server_default=func.now())


class AddressUseRow(Table, table=True):
    """That a mail went to an address, whose keyed digest alone is known; forgotten when the window of the bound has passed."""

    __tablename__ = "address_use"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", name="digest_only"),
        Index("ix_address_use_digest_used_at", "digest", "used_at"),
        Index("ix_address_use_used_at", "used_at"),
    )

    delivery_id: UUID = Field(primary_key=True)
    digest: bytes
    used_at: datetime = moment(server_default=func.now())


add_chassis_tables(Table.metadata)
