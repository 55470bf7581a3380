"""The tables of this service. Triggers (migration 0005) refuse a session that comes back, and a rotated token that is new again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, func, text
from sqlmodel import Field, SQLModel

from chassis.languages import DEFAULT
from chassis.tables import add_chassis_tables, make_registry, moment


class Table(SQLModel, registry=make_registry()):
    """Base of this service's tables."""


class PersonRow(Table, table=True):
    """Somebody who buys. `email_key` is the address as it is compared."""

    __tablename__ = "person"
    __table_args__ = (
        # One account per address; guests may share one, and may use one that has an account.
        Index("uq_person_email_key_registered", "email_key", unique=True, postgresql_where=text("NOT guest")),
        CheckConstraint("guest = (password_hash IS NULL)", name="password_hash"),
        CheckConstraint("guest OR (name IS NOT NULL AND email IS NOT NULL)", name="contact"),
        CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="email_key"),
        CheckConstraint("password_hash LIKE '$argon2id$%'", name="password_is_hashed"),
    )

    person_id: UUID = Field(primary_key=True)
    guest: bool
    name: str | None = None
    email: str | None = None
    email_key: str | None = None
    password_hash: str | None = None
    # The language and country in whose way amounts are written in mails and on tickets (`de_CH`).
    language: str = Field(default=DEFAULT, sa_column_kwargs={"server_default": DEFAULT})
    created_at: datetime = moment(server_default=func.now())


class SessionRow(Table, table=True):
    """A sign-in, with the family of refresh tokens that descend from it."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
        CheckConstraint("ended_because IN ('signed_out', 'token_reused')", name="ended_because"),
        Index("ix_session_person_id", "person_id"),
    )

    session_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(foreign_key="person.person_id")
    created_at: datetime = moment(server_default=func.now())
    ended_at: datetime | None = moment(nullable=True, default=None)
    ended_because: str | None = None


class RefreshTokenRow(Table, table=True):
    """A refresh token, as its hash: who reads this table cannot sign in with it. `used_at`: when it was rotated."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_is_hashed"),
        Index("ix_refresh_token_session_id", "session_id"),
        Index("ix_refresh_token_expires_at", "expires_at"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    session_id: UUID = Field(foreign_key="session.session_id", ondelete="CASCADE")
    issued_at: datetime = moment(server_default=func.now())
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True, default=None)


class SignInAttemptsRow(Table, table=True):
    """How often a password was tried for an address (kept as its hash), within a window."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        CheckConstraint("attempts > 0", name="attempts"),
        CheckConstraint("octet_length(email_hash) = 32", name="email_is_hashed"),
        Index("ix_sign_in_attempts_window_ends_at", "window_ends_at"),
    )

    email_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    attempts: int
    window_ends_at: datetime = moment()


add_chassis_tables(Table.metadata)
