"""All SQL of this service but that of the ledger."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, String, Table, cast, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Reads, Transaction
from services.payments.domain import LIVE, Operation, OperationKind, OperationState, Payment, PaymentState, Terms
from services.payments.tables import PaymentRow
from tracing.spans import current_traceparent

_TABLES = PaymentRow.metadata.tables
_PAYMENT: Table = _TABLES["payment"]
_OPERATION: Table = _TABLES["gateway_operation"]
_CHANGE: Table = _TABLES["payment_change"]
_ATTEMPT: Table = _TABLES["gateway_attempt"]
_WEBHOOK: Table = _TABLES["webhook"]

# A row whose asker died is taken up again after a while; the pauses between tries grow to this at most.
LONGEST_PAUSE_SECONDS = 300


# Of one operation, so that what is asked for weeks stays small.
ATTEMPTS_KEPT = 50


def _text(value: str | None) -> Any:
    return cast(literal(value), String)


def _in_seconds(seconds: Any) -> Any:
    return func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


# -- payments ----------------------------------------------------------------------------------------------------


async def payment_by_id(reads: Reads, payment_id: UUID) -> Payment | None:
    """A payment, if there is one with this id."""
    statement = select(_PAYMENT).where(_PAYMENT.c.payment_id == payment_id)
    row = (await reads.execute(statement, name="payments.by_id")).mappings().one_or_none()
    return _payment(row) if row else None


async def payment_by_gateway_id(reads: Reads, gateway_payment_id: str) -> Payment | None:
    """The payment that a gateway knows under its own id."""
    statement = select(_PAYMENT).where(_PAYMENT.c.gateway_payment_id == gateway_payment_id)
    row = (await reads.execute(statement, name="payments.by_gateway_id")).mappings().one_or_none()
    return _payment(row) if row else None


async def locked_payment(tx: Transaction, payment_id: UUID) -> Payment | None:
    """A payment that nobody else changes until the end of the transaction."""
    statement = select(_PAYMENT).where(_PAYMENT.c.payment_id == payment_id).with_for_update()
    row = (await tx.execute(statement, name="payments.lock")).mappings().one_or_none()
    return _payment(row) if row else None


async def payments_of_order(tx: Transaction, order_id: UUID) -> list[Payment]:
    """All payments of an order by attempt; until the end of the transaction nobody else adds one."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(order_id), 0))), name="payments.lock")
    statement = select(_PAYMENT).where(_PAYMENT.c.order_id == order_id).order_by(_PAYMENT.c.attempt)
    return [_payment(row) for row in (await tx.execute(statement, name="payments.of_order")).mappings()]


async def insert_payment(tx: Transaction, terms: Terms, attempt: int, traceparent: str | None) -> bool:
    """Writes a new payment. False if the id is taken."""
    values = {
        "payment_id": terms.payment_id,
        "order_id": terms.order_id,
        "attempt": attempt,
        "amount_minor": terms.amount_minor,
        "currency": terms.currency,
        "description": terms.description,
        "return_url": terms.return_url,
        "pay_by": terms.pay_by,
        "state": PaymentState.CREATED,
        "traceparent": traceparent,
    }
    statement = insert(_PAYMENT).values(values).on_conflict_do_nothing(index_elements=["payment_id"])
    return (await tx.execute(statement, name="payments.insert")).rowcount == 1


async def insert_tombstone(tx: Transaction, payment_id: UUID, traceparent: str | None) -> bool:
    """Marks an id so that no payment can be made with it. False if it is taken."""
    values = {"payment_id": payment_id, "attempt": 0, "state": PaymentState.VOIDED, "traceparent": traceparent}
    statement = insert(_PAYMENT).values(values).on_conflict_do_nothing(index_elements=["payment_id"])
    return (await tx.execute(statement, name="payments.insert_tombstone")).rowcount == 1


async def store_session(
    tx: Transaction, payment_id: UUID, gateway_payment_id: str, redirect_url: str, ask_after_seconds: float
) -> None:
    """Notes under which id the gateway knows a payment, and where its payer goes."""
    values = {
        "gateway_payment_id": gateway_payment_id,
        "redirect_url": redirect_url,
        "ask_at": _in_seconds(ask_after_seconds),
    }
    statement = update(_PAYMENT).where(_PAYMENT.c.payment_id == payment_id).values(values)
    await tx.execute(statement, name="payments.store_session")


async def move_payment(
    tx: Transaction, payment_id: UUID, state: PaymentState, *, decline_reason: str | None, captured_at: datetime | None
) -> None:
    """Writes a step of a locked payment."""
    values: dict[str, Any] = {"state": state, "ask_at": None}
    if decline_reason is not None:
        values["decline_reason"] = decline_reason
    if captured_at is not None:
        values["captured_at"] = captured_at
    moved = (
        update(_PAYMENT)
        .where(_PAYMENT.c.payment_id == payment_id)
        .values(values)
        .returning(_PAYMENT.c.payment_id, _PAYMENT.c.state)
        .cte("moved")
    )
    # Noted in the same statement. A step that an older version took beside this one may be there: it stays as it is.
    noted = select(moved.c.payment_id, moved.c.state, _text(decline_reason), _text(current_traceparent()))
    columns = ["payment_id", "state", "reason", "traceparent"]
    await tx.execute(insert(_CHANGE).from_select(columns, noted).on_conflict_do_nothing(), name="payments.move")


async def note_authorised(tx: Transaction, payment_id: UUID) -> None:
    """Writes that the payer of a locked payment has authorised it."""
    statement = update(_PAYMENT).where(_PAYMENT.c.payment_id == payment_id).values(was_authorised=True)
    await tx.execute(statement, name="payments.note_authorised")


async def claim_quiet_payments(tx: Transaction, limit: int) -> list[Payment]:
    """Payments of which nothing was heard for long, to ask about. Each comes up again later and later, until it has expired."""
    parameters = {"limit": limit, "longest": LONGEST_PAUSE_SECONDS}
    found = await tx.execute(_CLAIM_QUIET, parameters, name="payments.claim_quiet")
    return [_payment(row) for row in found.mappings()]


_CLAIM_QUIET = text("""
    UPDATE payment SET ask_at = CASE
        WHEN now() > pay_by + interval '1 minute' THEN NULL
        ELSE now() + least(now() - created_at, make_interval(secs => :longest)) END
    WHERE payment_id IN (
        SELECT payment_id FROM payment WHERE ask_at <= now() ORDER BY ask_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING *
""")


# -- operations --------------------------------------------------------------------------------------------------


async def operations_of(reads: Reads, payment_id: UUID) -> dict[OperationKind, Operation]:
    """What the gateway was asked about a payment."""
    statement = select(_OPERATION).where(_OPERATION.c.payment_id == payment_id)
    rows = (await reads.execute(statement, name="payments.operations_of")).mappings()
    return {operation.kind: operation for operation in map(_operation, rows)}


async def insert_operation(
    tx: Transaction, payment: Payment, kind: OperationKind, *, workers_wait_seconds: float = 0
) -> Operation:
    """The operation of this kind, written as unknown if it was not there.

    `workers_wait_seconds` keeps it from the workers: whoever asks the gateway right after the commit would else be
    overtaken by one, and the same operation asked for twice.
    """
    values = {
        "key": payment.key_of(kind),
        "payment_id": payment.payment_id,
        "kind": kind,
        "state": OperationState.UNKNOWN,
        "attempts": 0,
        "ask_again_at": _in_seconds(workers_wait_seconds),
    }
    statement = insert(_OPERATION).values(values).on_conflict_do_nothing(index_elements=["payment_id", "kind"])
    await tx.execute(statement, name="payments.insert_operation")
    return (await operations_of(tx, payment.payment_id))[kind]


async def claim_operation(tx: Transaction, key: str, pause_seconds: float) -> Operation | None:
    """Counts one more try of an unknown operation, and keeps the workers away from it meanwhile. None if it is settled."""
    pause = func.least(literal(pause_seconds) * func.power(2, _OPERATION.c.attempts), LONGEST_PAUSE_SECONDS)
    claimed = (
        update(_OPERATION)
        .where(_OPERATION.c.key == key, _OPERATION.c.state == OperationState.UNKNOWN)
        .values(attempts=_OPERATION.c.attempts + 1, ask_again_at=_in_seconds(pause))
        .returning(_OPERATION)
        .cte("claimed")
    )
    asked = select(claimed.c.key, claimed.c.attempts, _text(current_traceparent()))
    asked = asked.where(claimed.c.attempts <= ATTEMPTS_KEPT)
    noted = insert(_ATTEMPT).from_select(["key", "attempt", "traceparent"], asked).on_conflict_do_nothing().cte("noted")
    row = (await tx.execute(select(claimed).add_cte(noted), name="payments.claim_operation")).mappings().one_or_none()
    return _operation(row) if row else None


async def note_silence(tx: Transaction, operation: Operation, problem: str) -> None:
    """Writes down why nothing is known of the last try of an operation, for support."""
    statement = (
        update(_ATTEMPT)
        .where(_ATTEMPT.c.key == operation.key, _ATTEMPT.c.attempt == operation.attempts)
        .values(problem=problem, silent_at=func.now())
    )
    await tx.execute(statement, name="payments.note_silence")


async def settle_operation(tx: Transaction, payment_id: UUID, kind: OperationKind, refusal: str | None) -> None:
    """Writes down what became of an operation, if it was unknown until now."""
    state = OperationState.SUCCEEDED if refusal is None else OperationState.REFUSED
    statement = (
        update(_OPERATION)
        .where(
            _OPERATION.c.payment_id == payment_id,
            _OPERATION.c.kind == kind,
            _OPERATION.c.state == OperationState.UNKNOWN,
        )
        .values(state=state, refusal=refusal, settled_at=func.now(), settled_in=current_traceparent())
    )
    await tx.execute(statement, name="payments.settle_operation")


async def claim_unknown_operations(tx: Transaction, limit: int, pause_seconds: float) -> list[Operation]:
    """Unknown operations whose time has come, to ask about."""
    found = await tx.execute(_CLAIM_UNKNOWN, {"limit": limit, "pause": pause_seconds}, name="payments.claim_unknown")
    return [_operation(row) for row in found.mappings()]


_CLAIM_UNKNOWN = text("""
    UPDATE gateway_operation SET ask_again_at = now() + make_interval(secs => :pause)
    WHERE key IN (
        SELECT key FROM gateway_operation WHERE state = 'unknown' AND ask_again_at <= now()
        ORDER BY ask_again_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING *
""")


# -- webhooks ----------------------------------------------------------------------------------------------------


async def insert_webhook(
    tx: Transaction, *, webhook_id: str, kind: str, gateway_payment_id: str, traceparent: str | None
) -> bool:
    """Takes a hint once. False if it was there."""
    values = {
        "webhook_id": webhook_id,
        "type": kind,
        "gateway_payment_id": gateway_payment_id,
        "attempts": 0,
        "ask_at": func.now(),
        "traceparent": traceparent,
    }
    statement = insert(_WEBHOOK).values(values).on_conflict_do_nothing(index_elements=["webhook_id"])
    return (await tx.execute(statement, name="payments.insert_webhook")).rowcount == 1


async def claim_webhooks(tx: Transaction, limit: int, pause_seconds: float) -> list[RowMapping]:
    """Hints to follow now: `webhook_id`, `gateway_payment_id`, `attempts`, `traceparent`."""
    parameters = {"limit": limit, "pause": pause_seconds, "longest": LONGEST_PAUSE_SECONDS}
    return list((await tx.execute(_CLAIM_WEBHOOKS, parameters, name="payments.claim_webhooks")).mappings())


async def webhook_handled(tx: Transaction, webhook_id: str) -> None:
    """A hint that needs nothing more."""
    statement = update(_WEBHOOK).where(_WEBHOOK.c.webhook_id == webhook_id).values(handled_at=func.now())
    await tx.execute(statement, name="payments.webhook_handled")


_CLAIM_WEBHOOKS = text("""
    UPDATE webhook SET attempts = attempts + 1,
        ask_at = now() + make_interval(secs => least(:pause * power(2, attempts), :longest))
    WHERE webhook_id IN (
        SELECT webhook_id FROM webhook WHERE handled_at IS NULL AND ask_at <= now()
        ORDER BY ask_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING webhook_id, gateway_payment_id, attempts, traceparent
""")


def live_one(payments: list[Payment]) -> Payment | None:
    """The payment among an order's that may still bring money."""
    return next((payment for payment in payments if payment.state in LIVE), None)


def _payment(row: RowMapping) -> Payment:
    terms = None
    if row["order_id"] is not None:
        terms = Terms(**{field: row[field] for field in Terms.__dataclass_fields__})
    others = {field: row[field] for field in Payment.__dataclass_fields__ if field not in {"terms", "state"}}
    return Payment(terms=terms, state=PaymentState(row["state"]), **others)


def _operation(row: RowMapping) -> Operation:
    return Operation(
        key=row["key"],
        payment_id=row["payment_id"],
        kind=OperationKind(row["kind"]),
        state=OperationState(row["state"]),
        attempts=row["attempts"],
        refusal=row["refusal"],
    )
