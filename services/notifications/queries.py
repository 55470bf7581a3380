"""All SQL of this service. Only the database's clock decides what is due and whose lease has ended."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, RowMapping, String, Table, case, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Transaction
from services.notifications.domain import Delivery, DeliveryState, Template
from services.notifications.tables import DeliveryRow
from tracing.spans import current_traceparent

_DELIVERY: Table = DeliveryRow.metadata.tables["delivery"]
_ATTEMPT: Table = DeliveryRow.metadata.tables["delivery_attempt"]
_WAITING = _DELIVERY.c.state == DeliveryState.WAITING.value


async def insert_delivery(tx: Transaction, row: dict[str, Any]) -> bool:
    """Writes a delivery that is due now; False if the order has one of this template already."""
    statement = insert(_DELIVERY).on_conflict_do_nothing(index_elements=["order_id", "template"])
    due = {"state": DeliveryState.WAITING.value, "attempts": 0}
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
    again_at = case((finished.c.state == DeliveryState.WAITING.value, finished.c.next_attempt_at))
    attempt = select(
        finished.c.delivery_id,
        literal(delivery.attempt, Integer),
        finished.c.state,
        cast(literal(problem), String),
        again_at,
        cast(literal(current_traceparent()), String),
    )
    columns = ["delivery_id", "attempt", "state", "problem", "again_at", "traceparent"]
    statement = insert(_ATTEMPT).from_select(columns, attempt)
    return (await tx.execute(statement, name="deliveries.finish")).rowcount == 1


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"],
        lease_id=row["lease_id"],
        order_id=row["order_id"],
        order_number=row["order_number"],
        person_id=row["person_id"],
        template=Template(row["template"]),
        content=row["content"],
        message_id=row["message_id"],
        attempt=row["attempts"],
        traceparent=row["traceparent"],
    )
