"""All SQL of this service."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.db import Reads, Transaction
from chassis.statements import text

_SWEEP_AT_ONCE = 1000


async def insert_session(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Writes a new session."""
    await tx.execute(_INSERT_SESSION, values, name="web.insert_session")


_INSERT_SESSION = text("""
    INSERT INTO session (id_hash, person_id, guest, name, sealed_tokens, token_expires_at, expires_at)
    VALUES (:id_hash, :person_id, :guest, :name, :sealed_tokens, :token_expires_at, :expires_at)
""")


async def session_by_hash(reads: Reads, id_hash: bytes) -> dict[str, Any] | None:
    """A session that is not over."""
    query = text("SELECT * FROM session WHERE id_hash = :id_hash AND expires_at > now()")
    row = (await reads.execute(query, {"id_hash": id_hash}, name="web.session")).mappings().one_or_none()
    return dict(row) if row else None


async def delete_session(tx: Transaction, id_hash: bytes) -> None:
    """Ends a session; no error if it has ended."""
    query = text("DELETE FROM session WHERE id_hash = :id_hash")
    await tx.execute(query, {"id_hash": id_hash}, name="web.delete_session")


async def claim_refresh(tx: Transaction, id_hash: bytes, seen: datetime, lease_seconds: float) -> bool:
    """Whether this caller may refresh the tokens that it has seen to expire at `seen`. Others wait meanwhile."""
    query = text("""
        UPDATE session SET refreshing_until = now() + make_interval(secs => :lease)
        WHERE id_hash = :id_hash AND token_expires_at = :seen AND (refreshing_until IS NULL OR refreshing_until < now())
    """)
    parameters = {"id_hash": id_hash, "seen": seen, "lease": lease_seconds}
    return (await tx.execute(query, parameters, name="web.claim_refresh")).rowcount == 1


async def update_session(tx: Transaction, id_hash: bytes, values: Mapping[str, Any]) -> None:
    """Changes a session (columns by name), and lets others refresh it again."""
    # The names come from this service's code, never from outside.
    assignments = "".join(f", {name} = :{name}" for name in values)
    query = text(f"UPDATE session SET refreshing_until = NULL{assignments} WHERE id_hash = :of")  # noqa: S608  # see above
    await tx.execute(query, {**values, "of": id_hash}, name="web.update_session")


async def insert_left_visit(tx: Transaction, visit_hash: bytes, expires_at: datetime) -> None:
    """Writes down that a visit of support was left; again is no error."""
    query = text("INSERT INTO left_visit (visit_hash, expires_at) VALUES (:hash, :expires_at) ON CONFLICT DO NOTHING")
    await tx.execute(query, {"hash": visit_hash, "expires_at": expires_at}, name="web.insert_left_visit")


async def was_left(reads: Reads, visit_hash: bytes) -> bool:
    """Whether a visit of support was left."""
    query = text("SELECT 1 FROM left_visit WHERE visit_hash = :hash")
    return (await reads.execute(query, {"hash": visit_hash}, name="web.left_visit")).first() is not None


async def delete_ended_visits(tx: Transaction) -> int:
    """Forgets visits whose cookie is over by itself; returns how many."""
    return (await tx.execute(_DELETE_VISITS, {"most": _SWEEP_AT_ONCE}, name="web.delete_ended_visits")).rowcount


async def delete_ended_sessions(tx: Transaction) -> int:
    """Removes some sessions that are over; returns how many."""
    return (await tx.execute(_DELETE_SESSIONS, {"most": _SWEEP_AT_ONCE}, name="web.delete_ended_sessions")).rowcount


_DELETE_VISITS = text("""
    DELETE FROM left_visit WHERE visit_hash IN (SELECT visit_hash FROM left_visit WHERE expires_at <= now() LIMIT :most)
""")
_DELETE_SESSIONS = text("""
    DELETE FROM session WHERE id_hash IN (SELECT id_hash FROM session WHERE expires_at <= now() LIMIT :most)
""")
