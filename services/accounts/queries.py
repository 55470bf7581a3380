"""All SQL of this service. Times are the database's: only its clock decides what has expired."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table, and_, case, delete, exists, func, insert, literal, not_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from chassis.db import Reads, Transaction
from services.accounts.domain import EmailTaken
from services.accounts.tables import PersonRow, RefreshTokenRow, SessionRow, SignInAttemptsRow

_PERSON: Table = PersonRow.metadata.tables["person"]
_SESSION: Table = SessionRow.metadata.tables["session"]
_TOKEN: Table = RefreshTokenRow.metadata.tables["refresh_token"]
_ATTEMPTS: Table = SignInAttemptsRow.metadata.tables["sign_in_attempts"]

# What a person is to the domain.
_KNOWN = (_PERSON.c.person_id, _PERSON.c.guest, _PERSON.c.name, _PERSON.c.email, _PERSON.c.language)
_ADDRESS_UNIQUE = "uq_person_email_key_registered"


def _seconds(count: float) -> Any:
    return func.make_interval(0, 0, 0, 0, 0, 0, literal(float(count)))


async def insert_person(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Adds a registered person; EmailTaken if somebody has the address."""
    statement = (
        upsert(_PERSON)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["email_key"], index_where=not_(_PERSON.c.guest))
        .returning(_PERSON.c.person_id)
    )
    if (await tx.execute(statement, name="accounts.insert_person")).first() is None:
        raise EmailTaken


async def insert_guest(tx: Transaction, person_id: UUID) -> None:
    """Adds a guest, of whom nothing is known yet."""
    await tx.execute(insert(_PERSON).values(person_id=person_id, guest=True), name="accounts.insert_guest")


async def person(reads: Reads, person_id: UUID) -> RowMapping | None:
    """Who has this id."""
    statement = select(*_KNOWN).where(_PERSON.c.person_id == person_id)
    return (await reads.execute(statement, name="accounts.person")).mappings().one_or_none()


async def registered_with(reads: Reads, email_key: str) -> RowMapping | None:
    """Who signed up with this address, with their password's hash."""
    statement = select(_PERSON).where(_PERSON.c.email_key == email_key, not_(_PERSON.c.guest))
    return (await reads.execute(statement, name="accounts.registered_with")).mappings().one_or_none()


async def change_contact(tx: Transaction, person_id: UUID, values: Mapping[str, Any]) -> RowMapping | None:
    """Changes name and address; the person as they are then. EmailTaken if another registered person has the address."""
    statement = update(_PERSON).where(_PERSON.c.person_id == person_id).values(**values).returning(*_KNOWN)
    try:
        return (await tx.execute(statement, name="accounts.change_contact")).mappings().one_or_none()
    except IntegrityError as error:
        if _ADDRESS_UNIQUE in str(error.orig):
            raise EmailTaken from None  # the message of the database quotes the address
        raise


async def change_password_hash(tx: Transaction, person_id: UUID, password_hash: str) -> None:
    """Keeps a stronger hash of the same password."""
    statement = update(_PERSON).where(_PERSON.c.person_id == person_id).values(password_hash=password_hash)
    await tx.execute(statement, name="accounts.change_password_hash")


async def insert_session(
    tx: Transaction, session_id: UUID, person_id: UUID, token_hash: bytes, lives_seconds: int
) -> None:
    """Begins a session with its first refresh token."""
    await tx.execute(
        insert(_SESSION).values(session_id=session_id, person_id=person_id), name="accounts.insert_session"
    )
    await insert_token(tx, session_id, token_hash, lives_seconds)


async def insert_token(tx: Transaction, session_id: UUID, token_hash: bytes, lives_seconds: int) -> None:
    """Adds a refresh token to a session."""
    values = {"token_hash": token_hash, "session_id": session_id, "expires_at": func.now() + _seconds(lives_seconds)}
    await tx.execute(insert(_TOKEN).values(**values), name="accounts.insert_token")


async def token_for_rotation(tx: Transaction, token_hash: bytes, grace_seconds: float) -> RowMapping | None:
    """A refresh token with its session and person. Locks the session: of two rotations the second sees the first.

    `is_live`: the session goes on and the token has not expired. `is_reused`: it was rotated longer ago than the grace."""
    spent = func.coalesce(_TOKEN.c.used_at + _seconds(grace_seconds) <= func.clock_timestamp(), False)
    statement = (
        select(
            _TOKEN.c.session_id,
            and_(_SESSION.c.ended_at.is_(None), _TOKEN.c.expires_at > func.now()).label("is_live"),
            spent.label("is_reused"),
            _PERSON.c.person_id,
            _PERSON.c.guest,
            _PERSON.c.name,
        )
        .join(_SESSION, _SESSION.c.session_id == _TOKEN.c.session_id)
        .join(_PERSON, _PERSON.c.person_id == _SESSION.c.person_id)
        .where(_TOKEN.c.token_hash == token_hash)
        .with_for_update(of=[_SESSION, _TOKEN])
    )
    return (await tx.execute(statement, name="accounts.token_for_rotation")).mappings().one_or_none()


async def mark_rotated(tx: Transaction, token_hash: bytes) -> None:
    """Notes when a refresh token was first rotated."""
    statement = (
        update(_TOKEN)
        .where(_TOKEN.c.token_hash == token_hash, _TOKEN.c.used_at.is_(None))
        .values(used_at=func.clock_timestamp())
    )
    await tx.execute(statement, name="accounts.mark_rotated")


async def end_session(tx: Transaction, session_id: UUID, because: str) -> None:
    """Ends a session: none of its refresh tokens is taken any more."""
    statement = (
        update(_SESSION)
        .where(_SESSION.c.session_id == session_id, _SESSION.c.ended_at.is_(None))
        .values(ended_at=func.now(), ended_because=because)
    )
    await tx.execute(statement, name="accounts.end_session")


async def session_of_token(reads: Reads, token_hash: bytes) -> UUID | None:
    """The session to which a refresh token belongs."""
    statement = select(_TOKEN.c.session_id).where(_TOKEN.c.token_hash == token_hash)
    session_id: UUID | None = (await reads.execute(statement, name="accounts.session_of_token")).scalar_one_or_none()
    return session_id


async def count_attempt(tx: Transaction, email_hash: bytes, window_seconds: int) -> RowMapping:
    """Counts a sign-in for an address, in a new window if the last one is over: `attempts`, `seconds_left` of the window."""
    over = _ATTEMPTS.c.window_ends_at <= func.now()
    window_ends_at = func.now() + _seconds(window_seconds)
    statement = (
        upsert(_ATTEMPTS)
        .values(email_hash=email_hash, attempts=1, window_ends_at=window_ends_at)
        .on_conflict_do_update(
            index_elements=["email_hash"],
            set_={
                "attempts": case((over, 1), else_=_ATTEMPTS.c.attempts + 1),
                "window_ends_at": case((over, window_ends_at), else_=_ATTEMPTS.c.window_ends_at),
            },
        )
        .returning(
            _ATTEMPTS.c.attempts,
            func.ceil(func.extract("epoch", _ATTEMPTS.c.window_ends_at - func.now())).label("seconds_left"),
        )
    )
    return (await tx.execute(statement, name="accounts.count_attempt")).mappings().one()


async def forget_attempts(tx: Transaction, email_hash: bytes) -> None:
    """Who has signed in starts from zero."""
    statement = delete(_ATTEMPTS).where(_ATTEMPTS.c.email_hash == email_hash)
    await tx.execute(statement, name="accounts.forget_attempts")


async def forget_what_is_over(tx: Transaction, batch: int) -> int:
    """Deletes up to `batch` each of expired refresh tokens, sessions without any, and past windows; how many."""
    expired = select(_TOKEN.c.token_hash).where(_TOKEN.c.expires_at < func.now()).limit(batch)
    tokens = await tx.execute(delete(_TOKEN).where(_TOKEN.c.token_hash.in_(expired)), name="accounts.forget_tokens")
    empty = (
        select(_SESSION.c.session_id)
        .where(
            _SESSION.c.created_at < func.now() - _seconds(3600),
            not_(exists().where(_TOKEN.c.session_id == _SESSION.c.session_id)),
        )
        .limit(batch)
    )
    sessions = await tx.execute(
        delete(_SESSION).where(_SESSION.c.session_id.in_(empty)), name="accounts.forget_sessions"
    )
    past = select(_ATTEMPTS.c.email_hash).where(_ATTEMPTS.c.window_ends_at < func.now()).limit(batch)
    attempts = await tx.execute(
        delete(_ATTEMPTS).where(_ATTEMPTS.c.email_hash.in_(past)), name="accounts.forget_past_attempts"
    )
    return int(tokens.rowcount + sessions.rowcount + attempts.rowcount)
