"""Tables: each service has its own registry and metadata, so that several services can live in one process (in tests)."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def make_registry() -> registry:
    """A registry with metadata of its own, for one service's base class: `class Table(SQLModel, registry=make_registry())`."""
    return registry(metadata=MetaData(naming_convention=NAMING_CONVENTION))


def moment(**options: Any) -> Any:
    """A field for a point in time (`timestamptz`)."""
    nullable = options.pop("nullable", False)
    server_default = options.pop("server_default", None)
    return Field(
        sa_type=DateTime(timezone=True),
        nullable=nullable,
        sa_column_kwargs={"server_default": server_default} if server_default is not None else {},
        **options,
    )


def add_chassis_tables(metadata: MetaData) -> None:
    """Adds the tables that the chassis keeps in every service's database to the service's metadata."""
    outbox_table(metadata)
    outbox_stream_table(metadata)
    inbox_table(metadata)
    dead_letter_table(metadata)
    idempotency_key_table(metadata)
    work_attempt_table(metadata)


def outbox_table(metadata: MetaData) -> Table:
    """Facts that were committed and are on their way to the firehose; kept for a while to be able to replay the last 30 days."""
    return Table(
        "outbox",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False, unique=True),
        Column("subject", String(200), nullable=False),
        Column("aggregate_id", String(200), nullable=False, index=True),
        Column("data", JSONB, nullable=False),
        Column("traceparent", String(55)),
        Column("created_at", _instant(), nullable=False, server_default=func.now()),
        Column("claimed_until", _instant()),
        Column("published_at", _instant()),
        Column("publications", Integer, nullable=False, server_default=text("0")),
        Column("stream_seq", BigInteger),
        # The relay looks for unsent rows all the time: the index holds only those.
        Index("ix_outbox_unsent", "seq", postgresql_where=text("published_at IS NULL")),
        extend_existing=True,
    )


def outbox_stream_table(metadata: MetaData) -> Table:
    """What this service knows of the stream: if the stream is younger or shorter than that, it lost facts, and all are sent again."""
    return Table(
        "outbox_stream",
        metadata,
        Column("stream", String(100), primary_key=True),
        Column("created_at", _instant(), nullable=False),
        Column("last_seq", BigInteger, nullable=False),
        extend_existing=True,
    )


def inbox_table(metadata: MetaData) -> Table:
    """Facts that took effect here: the row and the effect are one transaction."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", String(100), primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("subject", String(200), nullable=False),
        Column("received_at", _instant(), nullable=False, server_default=func.now()),
        # Support reads these: what the fact was about, at which delivery it took effect, and in which span.
        Column("aggregate_id", String(200), index=True),
        Column("delivery", Integer),
        Column("traceparent", String(55)),
        extend_existing=True,
    )


def dead_letter_table(metadata: MetaData) -> Table:
    """Facts that could not take effect, with the reason; nothing is lost, somebody has to look."""
    return Table(
        "dead_letter",
        metadata,
        Column("consumer", String(100), primary_key=True),
        Column("message_id", String(200), primary_key=True),
        Column("subject", String(200), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("deliveries", Integer, nullable=False),
        Column("traceparent", String(55)),
        Column("died_at", _instant(), nullable=False, server_default=func.now()),
        Column("aggregate_id", String(200), index=True),
        extend_existing=True,
    )


def idempotency_key_table(metadata: MetaData) -> Table:
    """Answers that were given under an Idempotency-Key; `fence` grows with each taker, an older one may not store any more."""
    return Table(
        "idempotency_key",
        metadata,
        Column("principal", String(100), primary_key=True),
        Column("route", String(200), primary_key=True),
        Column("key", String(200), primary_key=True),
        Column("request_hash", LargeBinary, nullable=False),
        Column("status", Integer),
        Column("response", JSONB),
        Column("fence", Integer, nullable=False, server_default=text("1")),
        Column("leased_until", _instant(), nullable=False),
        Column("created_at", _instant(), nullable=False, server_default=func.now()),
        # The oldest are forgotten (chassis/forgetting.py).
        Index("ix_idempotency_key_created_at", "created_at"),
        extend_existing=True,
    )


def work_attempt_table(metadata: MetaData) -> Table:
    """What each try of remembered work (chassis/work.py) came to, and in which span; `ended_at` is null while it goes on."""
    return Table(
        "work_attempt",
        metadata,
        Column("queue", String(60), primary_key=True),
        Column("key", String(200), primary_key=True),
        Column("fence", Integer, primary_key=True),
        Column("attempt", Integer, nullable=False),
        Column("begun_at", _instant(), nullable=False, server_default=func.now()),
        Column("ended_at", _instant()),
        Column("outcome", String(60)),
        Column("problem", Text),
        Column("again_at", _instant()),
        Column("traceparent", String(55)),
        Index("ix_work_attempt_key", "key"),
        Index("ix_work_attempt_begun_at", "begun_at"),
        extend_existing=True,
    )


def _instant() -> DateTime:
    return DateTime(timezone=True)


__all__ = [
    "add_chassis_tables",
    "dead_letter_table",
    "idempotency_key_table",
    "inbox_table",
    "make_registry",
    "moment",
    "outbox_stream_table",
    "outbox_table",
    "work_attempt_table",
]
