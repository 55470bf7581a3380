"""All SQL of this service but that of the ledger."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, String, Table, cast, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Reads, Transaction
from chassis.work import Columns, Queue, Work, claim, due, finish, take, wait
from services.payments.domain import Operation, OperationKind, OperationState, Payment, PaymentState, Terms
from services.payments.tables import PaymentRow
from tracing.spans import current_traceparent

_TABLES = PaymentRow.metadata.tables
_PAYMENT: Table = _TABLES["payment"]
_OPERATION: Table = _TABLES["gateway_operation"]
_CHANGE: Table = _TABLES["payment_change"]
_WEBHOOK: Table = _TABLES["webhook"]

# The pauses between tries grow to this at most.
LONGEST_PAUSE_SECONDS = 300
_GO_ON = "Look whether the bank answers payments (its log, the trace): it is asked again by itself, with the same key."

# What the gateway was asked to do and has not said. Safe to ask twice: the key is the same.
OPERATIONS = Queue(
    name="payments.ask_about_operation",
    table="gateway_operation",
    key="key",
    waits="state = 'unknown'",
    columns=Columns(due="ask_again_at", tries="attempts"),
    lease_seconds=5,
    batch=10,
    about="(SELECT order_id FROM payment WHERE payment.payment_id = gateway_operation.payment_id)",
    traceparent="(SELECT traceparent FROM payment WHERE payment.payment_id = gateway_operation.payment_id)",
    go_on=_GO_ON,
)
# Payments of which nothing is heard.
QUIET = Queue(
    name="payments.ask_about_payment",
    table="payment",
    key="payment_id",
    waits="ask_at IS NOT NULL",
    columns=Columns(due="ask_at"),
    lease_seconds=30,
    batch=10,
    go_on=_GO_ON,
)
HINTS = Queue(
    name="payments.follow_webhook",
    table="webhook",
    key="webhook_id",
    waits="handled_at IS NULL",
    columns=Columns(due="ask_at", tries="attempts"),
    lease_seconds=30,
    since="received_at",
    about="(SELECT order_id FROM payment WHERE payment.gateway_payment_id = webhook.gateway_payment_id)",
    go_on=_GO_ON,
)


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


async def claim_quiet_payments(tx: Transaction) -> list[tuple[Work, Payment]]:
    """Payments of which nothing was heard for long, to ask about."""
    return [(work, _payment(work.row)) for work in await claim(tx, QUIET) if work.row is not None]


async def ask_later(tx: Transaction, work: Work) -> None:
    """Whoever is still at the bank is asked about again, later and later, until the time to pay is over."""
    row = await tx.execute(_NEXT_LOOK, {"key": work.key, "longest": LONGEST_PAUSE_SECONDS}, name="payments.next_look")
    seconds: float | None = row.scalar_one()
    if seconds is None:
        await finish(tx, QUIET, work, "expired", "ask_at = NULL")
    else:
        await wait(tx, QUIET, work, float(seconds))


_NEXT_LOOK = text("""
    SELECT CASE WHEN now() <= pay_by + interval '1 minute'
        THEN least(EXTRACT(EPOCH FROM now() - created_at), :longest) END
    FROM payment WHERE payment_id = :key
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


async def take_operation(
    tx: Transaction, key: str, lease_seconds: float, *, from_others: bool
) -> tuple[Work, Operation] | None:
    """Begins one more try of an unknown operation, and keeps the workers away from it meanwhile. None if it is settled.

    `from_others`: for a request, which does not wait until a process that died with it is known to be dead.
    """
    taken = await take(tx, replace(OPERATIONS, lease_seconds=lease_seconds), key, from_others=from_others)
    return (taken, _operation(taken.row)) if taken is not None and taken.row is not None else None


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


async def due_operations(tx: Transaction) -> list[Operation]:
    """Unknown operations whose time has come, to ask about: whoever asks takes each (`take_operation`)."""
    return [_operation(row) for row in await due(tx, OPERATIONS)]


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
