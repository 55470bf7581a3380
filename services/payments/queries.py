"""The SQL of payments, and what is remembered work here. `gateway_queries` has that of what the gateway is asked and says."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from chassis.db import Reads, Transaction
from chassis.statements import Row
from chassis.work import Columns, Queue, Work, claim, finish, wait
from services.payments.domain import (
    ACHIEVED_BY,
    Payment,
    PaymentState,
    Terms,
)
from tracing.spans import current_traceparent

# The pauses between tries grow to this at most.
LONGEST_PAUSE_SECONDS = 300
_GO_ON = "Look whether the bank answers payments (its log, the trace): it is asked again by itself, with the same key."

# Operations of which the gateway has not said the outcome. They are safe to ask twice: the key is the same.
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
# Open payments of which the gateway's webhooks have said nothing for a while.
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


async def payment_by_id(reads: Reads, payment_id: UUID) -> Payment | None:
    """A payment, if there is one with this id."""
    query = text("SELECT * FROM payment WHERE payment_id = :payment_id")
    row = (await reads.execute(query, {"payment_id": payment_id}, name="payments.by_id")).mappings().one_or_none()
    return payment_of(row) if row else None


async def payment_by_gateway_id(reads: Reads, gateway_payment_id: str) -> Payment | None:
    """The payment that a gateway knows under its own id."""
    query = text("SELECT * FROM payment WHERE gateway_payment_id = :id")
    found = await reads.execute(query, {"id": gateway_payment_id}, name="payments.by_gateway_id")
    row = found.mappings().one_or_none()
    return payment_of(row) if row else None


async def locked_payment(tx: Transaction, payment_id: UUID) -> Payment | None:
    """A payment that nobody else changes until the end of the transaction."""
    query = text("SELECT * FROM payment WHERE payment_id = :payment_id FOR UPDATE")
    row = (await tx.execute(query, {"payment_id": payment_id}, name="payments.lock")).mappings().one_or_none()
    return payment_of(row) if row else None


async def payments_of_order(tx: Transaction, order_id: UUID) -> list[Payment]:
    """All payments of an order by attempt; until the end of the transaction nobody else adds one."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:order_id, 0))")
    await tx.execute(lock, {"order_id": str(order_id)}, name="payments.lock_order")
    query = text("SELECT * FROM payment WHERE order_id = :order_id ORDER BY attempt")
    return [
        payment_of(row)
        for row in (await tx.execute(query, {"order_id": order_id}, name="payments.of_order")).mappings()
    ]


async def insert_payment(tx: Transaction, terms: Terms, attempt: int, traceparent: str | None) -> bool:
    """Writes a new payment. False if the id is taken."""
    query = text("""
        INSERT INTO payment (payment_id, order_id, attempt, amount_minor, currency, description, return_url, pay_by, state,
            traceparent)
        VALUES (:payment_id, :order_id, :attempt, :amount_minor, :currency, :description, :return_url, :pay_by, 'created',
            :traceparent)
        ON CONFLICT (payment_id) DO NOTHING
    """)
    values = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    parameters = values | {"attempt": attempt, "traceparent": traceparent}
    return (await tx.execute(query, parameters, name="payments.insert")).rowcount == 1


async def insert_tombstone(tx: Transaction, payment_id: UUID, traceparent: str | None) -> bool:
    """Marks an id so that no payment can be made with it. False if it is taken."""
    query = text("""
        INSERT INTO payment (payment_id, attempt, state, traceparent) VALUES (:payment_id, 0, 'voided', :traceparent)
        ON CONFLICT (payment_id) DO NOTHING
    """)
    parameters = {"payment_id": payment_id, "traceparent": traceparent}
    return (await tx.execute(query, parameters, name="payments.insert_tombstone")).rowcount == 1


async def store_session(
    tx: Transaction, payment_id: UUID, gateway_payment_id: str, redirect_url: str, ask_after_seconds: float
) -> Payment:
    """Notes under which id the gateway knows a payment, and where its payer goes. Returns it as it is then."""
    query = text("""
        UPDATE payment SET gateway_payment_id = :gateway_payment_id, redirect_url = :redirect_url,
            ask_at = now() + make_interval(secs => :seconds)
        WHERE payment_id = :payment_id
        RETURNING *
    """)
    parameters = {
        "payment_id": payment_id,
        "gateway_payment_id": gateway_payment_id,
        "redirect_url": redirect_url,
        "seconds": ask_after_seconds,
    }
    return payment_of((await tx.execute(query, parameters, name="payments.store_session")).one())


async def move_payment(
    tx: Transaction,
    payment: Payment,
    state: PaymentState,
    *,
    decline_reason: str | None,
    captured_at: datetime | None,
    was_authorised: bool,
) -> Payment | None:
    """Writes a step of a payment, and that the operation which was to lead there has succeeded.

    Returns it as it is then; None if it is no longer in the state from which the step was to be taken.
    """
    achieved = ACHIEVED_BY.get(state)
    parameters = {
        "payment_id": payment.payment_id,
        "was": payment.state.value,
        "state": state.value,
        "decline_reason": decline_reason,
        "captured_at": captured_at,
        "was_authorised": was_authorised,
        "achieved": achieved.value if achieved else None,
        "traceparent": current_traceparent(),
    }
    row = (await tx.execute(_MOVE, parameters, name="payments.move")).one_or_none()
    return payment_of(row) if row else None


# Noted in the same statement. A step that an older version took beside this one may be there: it stays as it is.
_MOVE = text("""
    WITH moved AS (
        UPDATE payment SET state = :state, ask_at = NULL, leased_until = NULL,
            decline_reason = COALESCE(CAST(:decline_reason AS text), decline_reason),
            captured_at = COALESCE(CAST(:captured_at AS timestamptz), captured_at),
            was_authorised = was_authorised OR CAST(:was_authorised AS boolean)
        WHERE payment_id = :payment_id AND state = :was
        RETURNING *
    ), noted AS (
        INSERT INTO payment_change (payment_id, state, reason, traceparent)
        SELECT payment_id, state, CAST(:decline_reason AS text), CAST(:traceparent AS text) FROM moved
        ON CONFLICT DO NOTHING
    ), settled AS (
        UPDATE gateway_operation operation SET state = 'succeeded', settled_at = now(),
            settled_in = CAST(:traceparent AS text), leased_until = NULL, problem = NULL
        FROM moved
        WHERE operation.payment_id = moved.payment_id AND kind = CAST(:achieved AS text) AND operation.state = 'unknown'
    )
    SELECT * FROM moved
""")


async def note_authorised(tx: Transaction, payment_id: UUID) -> Payment:
    """Writes that the payer of a payment has authorised it. Returns it as it is then."""
    query = text("UPDATE payment SET was_authorised = true WHERE payment_id = :payment_id RETURNING *")
    return payment_of((await tx.execute(query, {"payment_id": payment_id}, name="payments.note_authorised")).one())


async def claim_quiet_payments(tx: Transaction) -> list[tuple[Work, Payment]]:
    """Payments of which nothing was heard for long, to ask about."""
    return [(work, payment_of(work.row)) for work in await claim(tx, QUIET) if work.row is not None]


async def ask_later(tx: Transaction, work: Work) -> None:
    """Puts off the next question about a payer who is still at the bank, for longer and longer, until the time to pay is over."""
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


_FIELDS = [field for field in Payment.__dataclass_fields__ if field != "terms"]
_TERMS = list(Terms.__dataclass_fields__)
# All that a payment is made of, for a statement that reads it with something else.
PAYMENT_COLUMNS = "".join(f", payment.{field} AS payment_{field}" for field in dict.fromkeys(_FIELDS + _TERMS))


def payment_of(row: Row, prefix: str = "") -> Payment:
    """A payment from a row's columns, whose names begin with `prefix`."""
    terms = None
    if row[f"{prefix}order_id"] is not None:
        terms = Terms(**{field: row[f"{prefix}{field}"] for field in _TERMS})
    others = {field: row[f"{prefix}{field}"] for field in _FIELDS}
    return Payment(**others | {"terms": terms, "state": PaymentState(others["state"])})
