"""The SQL of what the gateway is asked, and of what it hints at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from chassis.db import Reads, Transaction
from chassis.statements import Row, text
from chassis.work import Backoff, Queue, Work, claim, due, put_off, take
from services.payments.domain import Operation, OperationKind, OperationState, Payment, PaymentState
from services.payments.queries import HINTS, LONGEST_PAUSE_SECONDS, OPERATIONS, PAYMENT_COLUMNS, payment_of
from tracing.spans import current_traceparent


async def ask_again_later(tx: Transaction, queue: Queue, work: Work, problem: str, first_seconds: float) -> None:
    """Puts off work for which the gateway gave no answer: for `first_seconds`, then for longer and longer."""
    await put_off(tx, queue, work, problem, Backoff(first_seconds, LONGEST_PAUSE_SECONDS).after(work.attempt))


# -- operations --------------------------------------------------------------------------------------------------


async def operations_of(reads: Reads, payment_id: UUID) -> dict[OperationKind, Operation]:
    """What the gateway was asked about a payment."""
    query = text("SELECT * FROM gateway_operation WHERE payment_id = :payment_id")
    rows = (await reads.execute(query, {"payment_id": payment_id}, name="payments.operations_of")).mappings()
    return {operation.kind: operation for operation in (_operation(row, payment_id) for row in rows)}


async def insert_operation(
    tx: Transaction, payment: Payment, kind: OperationKind, *, workers_wait_seconds: float = 0
) -> Operation:
    """The operation of this kind, written as unknown if it was not there; its payment is locked, so nobody else writes it.

    `workers_wait_seconds` keeps it from the workers: whoever asks the gateway right after the commit would else be
    overtaken by one, and the same operation asked for twice.
    """
    query = text("""
        WITH written AS (
            INSERT INTO gateway_operation (key, payment_id, kind, state, attempts, ask_again_at)
            VALUES (:key, :payment_id, :kind, 'unknown', 0, now() + make_interval(secs => :seconds))
            ON CONFLICT DO NOTHING
            RETURNING *
        )
        SELECT * FROM written UNION ALL SELECT * FROM gateway_operation WHERE payment_id = :payment_id AND kind = :kind
    """)
    parameters = {
        "key": payment.key_of(kind),
        "payment_id": payment.payment_id,
        "kind": kind.value,
        "seconds": workers_wait_seconds,
    }
    row = (await tx.execute(query, parameters, name="payments.insert_operation")).one()
    return _operation(row, payment.payment_id)


async def decide_capture(
    tx: Transaction, payment_id: UUID, *, workers_wait_seconds: float
) -> tuple[Payment, dict[OperationKind, Operation]] | None:
    """Writes the capture of an authorised payment that nobody has called off. Returns the payment, and all that is asked about it.

    The payment is not locked: who takes the operation sees whether it was called off at the same moment. A capture that somebody else
    writes at the same moment is missing in the answer: it is there when one asks again.
    """
    parameters = {"payment_id": payment_id, "kind": OperationKind.CAPTURE.value, "seconds": workers_wait_seconds}
    row = (await tx.execute(_DECIDE_CAPTURE, parameters, name="payments.decide_capture")).one_or_none()
    if row is None:
        return None
    operations = [_operation(each, payment_id) for each in row["operations"] or ()]
    return payment_of(row), {operation.kind: operation for operation in operations}


# A row has two keys that say the same, and only without a target do both find one that is written at this moment, instead of one of
# them being violated. What was written at this moment is not seen yet: then there is no capture among the operations.
_DECIDE_CAPTURE = text("""
    WITH written AS (
        INSERT INTO gateway_operation (key, payment_id, kind, state, attempts, ask_again_at)
        SELECT order_id || ':' || CAST(:kind AS text) || ':' || attempt, payment_id, CAST(:kind AS text), 'unknown', 0,
            now() + make_interval(secs => :seconds)
        FROM payment
        WHERE payment_id = :payment_id AND state = 'authorised' AND NOT EXISTS (
            SELECT FROM gateway_operation WHERE payment_id = :payment_id AND kind = 'void'
        )
        ON CONFLICT DO NOTHING
        RETURNING *
    ), asked AS (
        SELECT * FROM written UNION ALL
        SELECT * FROM gateway_operation WHERE payment_id = :payment_id AND key NOT IN (SELECT key FROM written)
    )
    SELECT *, (SELECT jsonb_agg(to_jsonb(asked)) FROM asked) AS operations FROM payment WHERE payment_id = :payment_id
""")


@dataclass(frozen=True)
class Taken:
    """An operation whose next try begins, and its payment. `is_called_off`: it was decided to void the payment."""

    work: Work
    operation: Operation
    payment: Payment
    is_called_off: bool


async def take_operation(tx: Transaction, key: str, lease_seconds: float, *, from_others: bool) -> Taken | None:
    """Begins one more try of an unknown operation, and keeps the workers away from it meanwhile. None if it is settled.

    `from_others`: for a request, which does not wait until a process that died with it is known to be dead.
    """
    leased = replace(OPERATIONS, lease_seconds=lease_seconds, read=_WITH_PAYMENT)
    work = await take(tx, leased, key, from_others=from_others)
    if work is None or work.row is None:
        return None
    payment = payment_of(work.row, "payment_")
    return Taken(work, _operation(work.row, payment.payment_id), payment, work.row["is_called_off"])


_WITH_PAYMENT = f"""
    SELECT leased.*{PAYMENT_COLUMNS}, EXISTS (
        SELECT FROM gateway_operation called WHERE called.payment_id = leased.payment_id AND called.kind = 'void'
    ) AS is_called_off
    FROM leased JOIN payment USING (payment_id)
"""  # noqa: S608  # names from this project's code


async def settle_operation(tx: Transaction, payment_id: UUID, kind: OperationKind, refusal: str | None) -> None:
    """Writes down what became of an operation, if it was unknown until now."""
    query = text("""
        UPDATE gateway_operation SET state = :state, refusal = :refusal, settled_at = now(), settled_in = :settled_in,
            leased_until = NULL, problem = NULL
        WHERE payment_id = :payment_id AND kind = :kind AND state = 'unknown'
    """)
    state = OperationState.SUCCEEDED if refusal is None else OperationState.REFUSED
    parameters = {
        "payment_id": payment_id,
        "kind": kind.value,
        "state": state.value,
        "refusal": refusal,
        "settled_in": current_traceparent(),
    }
    await tx.execute(query, parameters, name="payments.settle_operation")


async def due_operations(tx: Transaction) -> list[Operation]:
    """Unknown operations whose time has come, to ask about: whoever asks takes each (`take_operation`)."""
    return [_operation(row, row["payment_id"]) for row in await due(tx, OPERATIONS)]


# -- webhooks ----------------------------------------------------------------------------------------------------


async def insert_webhook(
    tx: Transaction, *, webhook_id: str, kind: str, gateway_payment_id: str, knowing: Iterable[PaymentState]
) -> tuple[Payment | None, bool] | None:
    """Takes a hint once, and as done if its payment is in a state in which there is nothing to learn from it.

    Returns its payment and whether it is done; None if it was there.
    """
    parameters = {
        "webhook_id": webhook_id,
        "type": kind,
        "gateway_payment_id": gateway_payment_id,
        "knowing": [state.value for state in knowing],
        "traceparent": current_traceparent(),
    }
    row = (await tx.execute(_INSERT_WEBHOOK, parameters, name="payments.insert_webhook")).one_or_none()
    return (_payment_beside(row), row["is_known"]) if row else None


_INSERT_WEBHOOK = text(f"""
    WITH taken AS (
        INSERT INTO webhook (webhook_id, type, gateway_payment_id, attempts, ask_at, traceparent, handled_at)
        SELECT CAST(:webhook_id AS text), CAST(:type AS text), CAST(:gateway_payment_id AS text), 0, now(),
            CAST(:traceparent AS text), CASE WHEN EXISTS (
                SELECT FROM payment WHERE payment.gateway_payment_id = :gateway_payment_id
                    AND state = ANY(CAST(:knowing AS text[]))
            ) THEN now() END
        ON CONFLICT (webhook_id) DO NOTHING
        RETURNING *
    )
    SELECT taken.handled_at IS NOT NULL AS is_known{PAYMENT_COLUMNS}
    FROM taken LEFT JOIN payment ON payment.gateway_payment_id = taken.gateway_payment_id
""")  # noqa: S608  # names from this project's code


async def claim_hints(tx: Transaction, lease_seconds: float) -> list[tuple[Work, Payment | None]]:
    """Hints to follow, each with its payment, if there is one."""
    claimed = await claim(tx, replace(HINTS, lease_seconds=lease_seconds, read=_WITH_PAYMENT_OF_HINT))
    return [(work, _payment_beside(work.row)) for work in claimed if work.row is not None]


_WITH_PAYMENT_OF_HINT = f"""
    SELECT leased.*{PAYMENT_COLUMNS}
    FROM leased LEFT JOIN payment ON payment.gateway_payment_id = leased.gateway_payment_id
"""  # noqa: S608  # names from this project's code


def _payment_beside(row: Row) -> Payment | None:
    return payment_of(row, "payment_") if row["payment_payment_id"] is not None else None


def _operation(row: Row | Mapping[str, Any], payment_id: UUID) -> Operation:
    return Operation(
        key=row["key"],
        payment_id=payment_id,
        kind=OperationKind(row["kind"]),
        state=OperationState(row["state"]),
        attempts=row["attempts"],
        refusal=row["refusal"],
    )
