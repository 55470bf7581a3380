"""All SQL of this service. Times are the database's: only its clock decides what has expired."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from chassis.db import Reads, Transaction
from chassis.statements import Row, text
from services.accounts.domain import EmailTaken

# What a person is to the domain.
_KNOWN = "person_id, guest, name, email, language"
_ADDRESS_UNIQUE = "uq_person_email_key_registered"


async def insert_person(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Adds a registered person (columns by name); EmailTaken if somebody has the address."""
    # The names come from this service's code, never from outside.
    query = text(f"""
        INSERT INTO person ({", ".join(values)}) VALUES ({", ".join(f":{name}" for name in values)})
        ON CONFLICT (email_key) WHERE NOT guest DO NOTHING
    """)  # noqa: S608  # see above
    if (await tx.execute(query, values, name="accounts.insert_person")).rowcount == 0:
        raise EmailTaken


async def insert_guest(
    tx: Transaction, person_id: UUID, session_id: UUID, token_hash: bytes, lives_seconds: int
) -> None:
    """Adds a guest, of whom nothing is known yet, and begins their session with its first refresh token."""
    query = text("""
        WITH somebody AS (INSERT INTO person (person_id, guest) VALUES (:person_id, true)),
        begun AS (INSERT INTO session (session_id, person_id) VALUES (:session_id, :person_id))
        INSERT INTO refresh_token (token_hash, session_id, expires_at)
        VALUES (:token_hash, :session_id, now() + make_interval(secs => :lives))
    """)
    parameters = {
        "person_id": person_id,
        "session_id": session_id,
        "token_hash": token_hash,
        "lives": float(lives_seconds),
    }
    await tx.execute(query, parameters, name="accounts.insert_guest")


async def person(reads: Reads, person_id: UUID) -> Row | None:
    """The person with this id."""
    query = text(f"SELECT {_KNOWN} FROM person WHERE person_id = :person_id")  # noqa: S608  # a constant of this module
    return (await reads.execute(query, {"person_id": person_id}, name="accounts.person")).mappings().one_or_none()


async def registered_with(reads: Reads, email_key: str) -> Row | None:
    """The person who signed up with this address, and their password's hash."""
    query = text("SELECT * FROM person WHERE email_key = :email_key AND NOT guest")
    found = await reads.execute(query, {"email_key": email_key}, name="accounts.registered_with")
    return found.mappings().one_or_none()


async def change_contact(tx: Transaction, person_id: UUID, values: Mapping[str, Any]) -> Row | None:
    """Changes name, address, language (columns by name); the person as they are then. EmailTaken if another registered
    person has the address."""
    # The names come from this service's code, never from outside.
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    query = text(f"UPDATE person SET {assignments} WHERE person_id = :of RETURNING {_KNOWN}")  # noqa: S608  # see above
    try:
        return (
            (await tx.execute(query, {**values, "of": person_id}, name="accounts.change_contact"))
            .mappings()
            .one_or_none()
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == _ADDRESS_UNIQUE:
            raise EmailTaken from None  # the message of the database quotes the address
        raise


async def change_password_hash(tx: Transaction, person_id: UUID, password_hash: str) -> None:
    """Keeps a stronger hash of the same password."""
    query = text("UPDATE person SET password_hash = :hash WHERE person_id = :person_id")
    await tx.execute(query, {"person_id": person_id, "hash": password_hash}, name="accounts.change_password_hash")


async def insert_session(
    tx: Transaction, session_id: UUID, person_id: UUID, token_hash: bytes, lives_seconds: int
) -> None:
    """Begins a session with its first refresh token."""
    query = text("INSERT INTO session (session_id, person_id) VALUES (:session_id, :person_id)")
    await tx.execute(query, {"session_id": session_id, "person_id": person_id}, name="accounts.insert_session")
    await insert_token(tx, session_id, token_hash, lives_seconds)


async def insert_token(tx: Transaction, session_id: UUID, token_hash: bytes, lives_seconds: int) -> None:
    """Adds a refresh token to a session."""
    query = text("""
        INSERT INTO refresh_token (token_hash, session_id, expires_at)
        VALUES (:token_hash, :session_id, now() + make_interval(secs => :lives))
    """)
    parameters = {"token_hash": token_hash, "session_id": session_id, "lives": float(lives_seconds)}
    await tx.execute(query, parameters, name="accounts.insert_token")


async def token_for_rotation(tx: Transaction, token_hash: bytes, grace_seconds: float) -> Row | None:
    """A refresh token with its session and person. Locks the session: of two rotations the second sees the first.

    `is_live`: the session goes on and the token has not expired. `is_reused`: it was rotated longer ago than the grace."""
    query = text("""
        SELECT token.session_id, session.ended_at IS NULL AND token.expires_at > now() AS is_live,
            COALESCE(token.used_at + make_interval(secs => :grace) <= clock_timestamp(), false) AS is_reused,
            person.person_id, person.guest, person.name
        FROM refresh_token AS token JOIN session USING (session_id) JOIN person USING (person_id)
        WHERE token.token_hash = :token_hash
        FOR UPDATE OF session, token
    """)
    parameters = {"token_hash": token_hash, "grace": float(grace_seconds)}
    return (await tx.execute(query, parameters, name="accounts.token_for_rotation")).mappings().one_or_none()


async def mark_rotated(tx: Transaction, token_hash: bytes) -> None:
    """Notes when a refresh token was first rotated."""
    query = text("UPDATE refresh_token SET used_at = clock_timestamp() WHERE token_hash = :hash AND used_at IS NULL")
    await tx.execute(query, {"hash": token_hash}, name="accounts.mark_rotated")


async def end_session(tx: Transaction, session_id: UUID, because: str) -> None:
    """Ends a session: none of its refresh tokens is taken any more."""
    query = text("""
        UPDATE session SET ended_at = now(), ended_because = :because WHERE session_id = :session_id AND ended_at IS NULL
    """)
    await tx.execute(query, {"session_id": session_id, "because": because}, name="accounts.end_session")


async def session_of_token(reads: Reads, token_hash: bytes) -> UUID | None:
    """The session to which a refresh token belongs."""
    query = text("SELECT session_id FROM refresh_token WHERE token_hash = :hash")
    found = await reads.execute(query, {"hash": token_hash}, name="accounts.session_of_token")
    session_id: UUID | None = found.scalar_one_or_none()
    return session_id


async def count_attempt(tx: Transaction, email_hash: bytes, window_seconds: int) -> Row:
    """Counts a sign-in for an address, in a new window if the last one is over: `attempts`, `seconds_left` of the window."""
    parameters = {"email_hash": email_hash, "window": float(window_seconds)}
    return (await tx.execute(_COUNT_ATTEMPT, parameters, name="accounts.count_attempt")).mappings().one()


_COUNT_ATTEMPT = text("""
    INSERT INTO sign_in_attempts AS known (email_hash, attempts, window_ends_at)
    VALUES (:email_hash, 1, now() + make_interval(secs => :window))
    ON CONFLICT (email_hash) DO UPDATE SET
        attempts = CASE WHEN known.window_ends_at <= now() THEN 1 ELSE known.attempts + 1 END,
        window_ends_at = CASE WHEN known.window_ends_at <= now() THEN excluded.window_ends_at ELSE known.window_ends_at END
    RETURNING attempts, ceil(EXTRACT(EPOCH FROM window_ends_at - now())) AS seconds_left
""")


async def forget_attempts(tx: Transaction, email_hash: bytes) -> None:
    """Forgets the failed attempts of somebody who has signed in."""
    query = text("DELETE FROM sign_in_attempts WHERE email_hash = :hash")
    await tx.execute(query, {"hash": email_hash}, name="accounts.forget_attempts")


async def forget_what_is_over(tx: Transaction, batch: int) -> int:
    """Deletes up to `batch` each of expired refresh tokens and past windows, and sessions with their last token; how many."""
    tokens = await tx.execute(_FORGET_TOKENS, {"batch": batch}, name="accounts.forget_tokens")
    session_ids = list({row.session_id for row in tokens})
    sessions = await tx.execute(_FORGET_SESSIONS, {"session_ids": session_ids}, name="accounts.forget_sessions")
    attempts = await tx.execute(_FORGET_ATTEMPTS, {"batch": batch}, name="accounts.forget_past_attempts")
    return tokens.rowcount + sessions.rowcount + attempts.rowcount


_FORGET_TOKENS = text("""
    DELETE FROM refresh_token
    WHERE token_hash IN (SELECT token_hash FROM refresh_token WHERE expires_at < now() LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING session_id
""")
# A session begins with a token, and whoever rotates one has it locked: without any it will never have one again.
_FORGET_SESSIONS = text("""
    DELETE FROM session WHERE session_id = ANY(:session_ids)
        AND NOT EXISTS (SELECT FROM refresh_token WHERE refresh_token.session_id = session.session_id)
""")
_FORGET_ATTEMPTS = text("""
    DELETE FROM sign_in_attempts WHERE email_hash IN (
        SELECT email_hash FROM sign_in_attempts WHERE window_ends_at < now() LIMIT :batch FOR UPDATE SKIP LOCKED
    )
""")
