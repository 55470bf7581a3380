"""The tables of this service: sessions of browsers, and visits of support that were left."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment


class Table(SQLModel, registry=make_registry()):
    """Base of this service's tables."""


class SessionRow(Table, table=True):
    """One browser of one person. Neither the cookie nor the tokens can be read from it (see sealing in signing.py)."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("octet_length(id_hash) = 32", name="id_hash"),
        # The sweeper looks for what is over.
        Index("ix_session_expires_at", "expires_at"),
    )

    id_hash: bytes = Field(primary_key=True)
    person_id: UUID
    guest: bool
    name: str | None = None
    # Both tokens, encrypted with a key that only the cookie holds.
    sealed_tokens: bytes
    token_expires_at: datetime = moment()
    # A process that refreshes the tokens says so: the old refresh token is good once.
    refreshing_until: datetime | None = moment(nullable=True, default=None)
    created_at: datetime = moment(server_default=func.now())
    expires_at: datetime = moment()


class LeftVisitRow(Table, table=True):
    """A visit of support that was left. Its cookie is signed and would be good until its time is over: until then a trigger
    (migration 0005) refuses to forget it."""

    __tablename__ = "left_visit"
    __table_args__ = (
        CheckConstraint("octet_length(visit_hash) = 32", name="visit_hash"),
        Index("ix_left_visit_expires_at", "expires_at"),
    )

    visit_hash: bytes = Field(primary_key=True)
    expires_at: datetime = moment()


add_chassis_tables(Table.metadata)
