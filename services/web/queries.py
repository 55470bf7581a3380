"""All SQL of this service."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from chassis.db import Reads, Transaction
from services.web.tables import LeftVisitRow, SessionRow

_SESSION: Table = SessionRow.metadata.tables["session"]
_LEFT: Table = LeftVisitRow.metadata.tables["left_visit"]
_SWEEP_AT_ONCE = 1000


async def insert_session(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Writes a new session."""
    await tx.execute(insert(_SESSION).values(**values), name="web.insert_session")


async def session_by_hash(reads: Reads, id_hash: bytes) -> dict[str, Any] | None:
    """A session that is not over."""
    statement = select(_SESSION).where(_SESSION.c.id_hash == id_hash, _SESSION.c.expires_at > func.now())
    row = (await reads.execute(statement, name="web.session")).mappings().one_or_none()
    return dict(row) if row else None


async def delete_session(tx: Transaction, id_hash: bytes) -> None:
    """Ends a session; no error if it has ended."""
    await tx.execute(delete(_SESSION).where(_SESSION.c.id_hash == id_hash), name="web.delete_session")


async def claim_refresh(tx: Transaction, id_hash: bytes, seen: datetime, lease_seconds: float) -> bool:
    """Whether this caller may refresh the tokens that it has seen to expire at `seen`. Others wait meanwhile."""
    lease = func.now() + literal(lease_seconds) * text("interval '1 second'")
    statement = (
        update(_SESSION)
        .where(
            _SESSION.c.id_hash == id_hash,
            _SESSION.c.token_expires_at == seen,
            or_(_SESSION.c.refreshing_until.is_(None), _SESSION.c.refreshing_until < func.now()),
        )
        .values(refreshing_until=lease)
        .returning(_SESSION.c.id_hash)
    )
    return (await tx.execute(statement, name="web.claim_refresh")).first() is not None


async def update_session(tx: Transaction, id_hash: bytes, values: Mapping[str, Any]) -> None:
    """Changes a session, and lets others refresh it again."""
    statement = update(_SESSION).where(_SESSION.c.id_hash == id_hash).values(refreshing_until=None, **values)
    await tx.execute(statement, name="web.update_session")


async def insert_left_visit(tx: Transaction, visit_hash: bytes, expires_at: datetime) -> None:
    """Writes down that a visit of support was left; again is no error."""
    statement = insert_or_skip(_LEFT).values(visit_hash=visit_hash, expires_at=expires_at).on_conflict_do_nothing()
    await tx.execute(statement, name="web.insert_left_visit")


async def was_left(reads: Reads, visit_hash: bytes) -> bool:
    """Whether a visit of support was left."""
    statement = select(_LEFT.c.visit_hash).where(_LEFT.c.visit_hash == visit_hash)
    return (await reads.execute(statement, name="web.left_visit")).first() is not None


async def delete_ended_visits(tx: Transaction) -> int:
    """Forgets visits whose cookie is over by itself; returns how many."""
    ended = select(_LEFT.c.visit_hash).where(_LEFT.c.expires_at <= func.now()).limit(_SWEEP_AT_ONCE)
    statement = delete(_LEFT).where(_LEFT.c.visit_hash.in_(ended)).returning(_LEFT.c.visit_hash)
    return len((await tx.execute(statement, name="web.delete_ended_visits")).all())


async def delete_ended_sessions(tx: Transaction) -> int:
    """Removes some sessions that are over; returns how many."""
    ended = select(_SESSION.c.id_hash).where(_SESSION.c.expires_at <= func.now()).limit(_SWEEP_AT_ONCE)
    statement = delete(_SESSION).where(_SESSION.c.id_hash.in_(ended)).returning(_SESSION.c.id_hash)
    return len((await tx.execute(statement, name="web.delete_ended_sessions")).all())
