"""All SQL of this service. Only the database's clock decides what is due and whose lease has ended."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, RowMapping, String, Table, case, cast, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Transaction
from services.notifications.domain import Delivery, DeliveryState, read_name, waiting_state
from services.notifications.tables import DeliveryRow
from tracing.spans import current_traceparent

_DELIVERY: Table = DeliveryRow.metadata.tables["delivery"]
_ATTEMPT: Table = DeliveryRow.metadata.tables["delivery_attempt"]
_WAITING_STATES = (DeliveryState.WAITING.value, DeliveryState.WAITING_NEWS.value)
_WAITING = _DELIVERY.c.state.in_(_WAITING_STATES)


async def insert_delivery(tx: Transaction, row: dict[str, Any]) -> bool:
    """Writes a delivery that is due now; False if the order has one of this template already."""
    statement = insert(_DELIVERY).on_conflict_do_nothing(index_elements=["order_id", "template"])
    _, edition = read_name(row["template"])
    due = {"state": waiting_state(edition).value, "attempts": 0}
    return (await tx.execute(statement.values(**row, **due), name="deliveries.insert")).rowcount == 1


async def lease_due(tx: Transaction, *, lease_id: UUID, limit: int, lease_seconds: float) -> list[Delivery]:
    """Takes due deliveries for this process alone; those that another one is taking right now are passed over."""
    now = func.now()
    free = or_(_DELIVERY.c.leased_until.is_(None), _DELIVERY.c.leased_until < now)
    due = (
        select(_DELIVERY.c.delivery_id)
        .where(_WAITING, _DELIVERY.c.next_attempt_at <= now, free)
        .order_by(_DELIVERY.c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(_DELIVERY)
        .where(_DELIVERY.c.delivery_id.in_(due.scalar_subquery()))
        .values(
            attempts=_DELIVERY.c.attempts + 1,
            lease_id=lease_id,
            leased_until=now + timedelta(seconds=lease_seconds),
        )
        .returning(*_DELIVERY.c)
    )
    return [_delivery(row) for row in (await tx.execute(statement, name="deliveries.lease_due")).mappings()]


async def mark_sent(tx: Transaction, delivery: Delivery) -> bool:
    """The server took the mail. False if the lease has been lost to another process in the meantime."""
    return await _finish(tx, delivery, None, state=DeliveryState.SENT.value, sent_at=func.now())


async def mark_failed(tx: Transaction, delivery: Delivery, problem: str) -> bool:
    """It is given up."""
    return await _finish(tx, delivery, problem, state=DeliveryState.FAILED.value, last_problem=problem)


async def try_later(tx: Transaction, delivery: Delivery, problem: str, delay_seconds: float) -> bool:
    """It is due again after the delay."""
    due = func.now() + timedelta(seconds=delay_seconds)
    return await _finish(tx, delivery, problem, next_attempt_at=due, last_problem=problem)


async def is_of_paid_order(tx: Transaction, delivery: Delivery) -> bool:
    """Whether money was paid for the order of this mail, as far as facts have told: of its tickets how much, or that it was returned."""
    found = await tx.execute(_IS_PAID, {"order_id": delivery.order_id}, name="deliveries.is_of_paid_order")
    return bool(found.scalar_one())


async def use_address(
    tx: Transaction, delivery: Delivery, digest: bytes, *, most: int, window_seconds: float
) -> datetime | None:
    """Takes one of the `most` places that an address has in each window for this mail: None. If none is free, when one is.

    A mail that is tried again has its place already.
    """
    about = {"delivery_id": delivery.delivery_id, "digest": digest, "window": window_seconds}
    # Two mails to one address at the same moment: one after the other.
    await tx.execute(_ONE_AFTER_THE_OTHER, {"key": int.from_bytes(digest[:8], signed=True)}, name="addresses.lock")
    full: datetime | None = (
        await tx.execute(_FREE_AT, {**about, "behind": most - 1}, name="addresses.free_at")
    ).scalar_one_or_none()
    if full is not None:
        return full
    await tx.execute(_USE, about, name="addresses.use")
    return None


async def wait_for_address(tx: Transaction, delivery: Delivery, until: datetime) -> bool:
    """It is due again then. This was no try: nobody was asked to take the mail."""
    statement = (
        update(_DELIVERY)
        .where(_DELIVERY.c.delivery_id == delivery.delivery_id, _DELIVERY.c.lease_id == delivery.lease_id, _WAITING)
        .values(
            lease_id=None,
            leased_until=None,
            next_attempt_at=until,
            attempts=_DELIVERY.c.attempts - 1,
            last_problem="many mails went to this address lately; it waits",
        )
    )
    return (await tx.execute(statement, name="deliveries.wait_for_address")).rowcount == 1


async def forget_addresses(tx: Transaction, *, window_seconds: float, limit: int) -> int:
    """Forgets uses that no window reaches any more. How many."""
    return (await tx.execute(_FORGET, {"window": window_seconds, "most": limit}, name="addresses.forget")).rowcount


_IS_PAID = text("""
    SELECT EXISTS (
        SELECT FROM delivery WHERE order_id = :order_id
            AND (template = 'money_returned' OR template = 'tickets' AND CAST(content ->> 'paid_minor' AS bigint) > 0)
    )
""")
_ONE_AFTER_THE_OTHER = text("SELECT pg_advisory_xact_lock(:key)")
# The use that must leave the window before another fits in; none if one does, or if this mail has its place.
_FREE_AT = text("""
    SELECT used_at + make_interval(secs => :window) FROM address_use
    WHERE digest = :digest AND used_at > now() - make_interval(secs => :window)
        AND NOT EXISTS (SELECT FROM address_use WHERE delivery_id = :delivery_id)
    ORDER BY used_at DESC OFFSET :behind LIMIT 1
""")
_USE = text("""
    INSERT INTO address_use (delivery_id, digest, used_at) VALUES (:delivery_id, :digest, clock_timestamp())
    ON CONFLICT (delivery_id) DO NOTHING
""")
_FORGET = text("""
    DELETE FROM address_use WHERE delivery_id IN (
        SELECT delivery_id FROM address_use WHERE used_at < now() - make_interval(secs => :window) LIMIT :most
    )
""")


async def _finish(tx: Transaction, delivery: Delivery, problem: str | None, **values: Any) -> bool:
    # In one statement with what support reads of this try.
    # A process that was asleep for longer than its lease must not overwrite what its successor wrote. One case is harmless
    # and common: the mail was sent by both, with one Message-ID.
    finished = (
        update(_DELIVERY)
        .where(_DELIVERY.c.delivery_id == delivery.delivery_id, _DELIVERY.c.lease_id == delivery.lease_id, _WAITING)
        .values(lease_id=None, leased_until=None, **values)
        .returning(_DELIVERY.c.delivery_id, _DELIVERY.c.state, _DELIVERY.c.next_attempt_at)
        .cte("finished")
    )
    waits = finished.c.state.in_(_WAITING_STATES)
    again_at = case((waits, finished.c.next_attempt_at))
    # Of tries there is one word for all that wait: the version before reads them as well.
    outcome = case((waits, DeliveryState.WAITING.value), else_=finished.c.state)
    attempt = select(
        finished.c.delivery_id,
        literal(delivery.attempt, Integer),
        outcome,
        cast(literal(problem), String),
        again_at,
        cast(literal(current_traceparent()), String),
    )
    columns = ["delivery_id", "attempt", "state", "problem", "again_at", "traceparent"]
    statement = insert(_ATTEMPT).from_select(columns, attempt)
    return (await tx.execute(statement, name="deliveries.finish")).rowcount == 1


def _delivery(row: RowMapping) -> Delivery:
    template, edition = read_name(row["template"])
    return Delivery(
        delivery_id=row["delivery_id"],
        lease_id=row["lease_id"],
        order_id=row["order_id"],
        order_number=row["order_number"],
        person_id=row["person_id"],
        template=template,
        edition=edition,
        content=row["content"],
        message_id=row["message_id"],
        attempt=row["attempts"],
        traceparent=row["traceparent"],
    )
