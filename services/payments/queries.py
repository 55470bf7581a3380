"""The SQL of payments, and what is remembered work here. `gateway_queries` has that of what the gateway is asked and says."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from chassis.db import Reads, Transaction
from chassis.outbox import insert_with
from chassis.statements import Row, text
from chassis.work import Columns, Queue, Work, claim, finish, noted, wait
from services.payments import ledger
from services.payments.domain import ACHIEVED_BY, Payment, PaymentState, Terms, entries_of
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


async def locked_payment(tx: Transaction, payment_id: UUID) -> Payment | None:
    """A payment that nobody else changes until the end of the transaction."""
    query = text("SELECT * FROM payment WHERE payment_id = :payment_id FOR UPDATE")
    row = (await tx.execute(query, {"payment_id": payment_id}, name="payments.lock")).mappings().one_or_none()
    return payment_of(row) if row else None


async def payments_of_order(tx: Transaction, terms: Terms) -> list[Payment]:
    """All payments of the order of these terms by attempt, and the one with their id, whatever it is of."""
    query = text("SELECT * FROM payment WHERE order_id = :order_id OR payment_id = :payment_id ORDER BY attempt")
    parameters = {"order_id": terms.order_id, "payment_id": terms.payment_id}
    return [payment_of(row) for row in await tx.execute(query, parameters, name="payments.of_order")]


async def insert_payment(tx: Transaction, terms: Terms, lease_seconds: float) -> tuple[Payment, Work] | None:
    """Writes a new payment with the operation that opens it, whose first try begins for the time of a lease.

    None if the database refuses it: the id is taken, or the order has a payment that can be paid, or one was written just now.
    """
    values = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    parameters = values | {"lease": lease_seconds, "traceparent": current_traceparent()}
    row = (await tx.execute(_INSERT, parameters, name="payments.insert")).one_or_none()
    return (payment_of(row), Work(row["asked_key"], fence=1, attempt=1)) if row else None


# Constraints hold what must hold, so nothing is locked, and nothing is asked before.
_INSERT = text(f"""
    WITH written AS (
        INSERT INTO payment (payment_id, order_id, attempt, amount_minor, currency, description, return_url, pay_by, state,
            traceparent)
        SELECT CAST(:payment_id AS uuid), CAST(:order_id AS uuid), COALESCE(max(attempt), 0) + 1,
            CAST(:amount_minor AS bigint), CAST(:currency AS text), CAST(:description AS text), CAST(:return_url AS text),
            CAST(:pay_by AS timestamptz), 'created', CAST(:traceparent AS text)
        FROM payment WHERE order_id = CAST(:order_id AS uuid)
        ON CONFLICT DO NOTHING
        RETURNING *
    ), asked AS (
        INSERT INTO gateway_operation (key, payment_id, kind, state, attempts, fence, ask_again_at, leased_until)
        SELECT order_id || ':authorise:' || attempt, payment_id, 'authorise', 'unknown', 1, 1, until, until
        FROM written, LATERAL (SELECT now() + make_interval(secs => :lease) AS until) AS leased
        RETURNING *
    ), noted AS ({noted(OPERATIONS, "asked")})
    SELECT written.*, asked.key AS asked_key FROM written CROSS JOIN asked
""")  # noqa: S608  # names from this project's code


async def insert_tombstone(tx: Transaction, payment_id: UUID, traceparent: str | None) -> bool:
    """Marks an id so that no payment can be made with it. False if it is taken."""
    query = text("""
        INSERT INTO payment (payment_id, attempt, state, traceparent) VALUES (:payment_id, 0, 'voided', :traceparent)
        ON CONFLICT (payment_id) DO NOTHING
    """)
    parameters = {"payment_id": payment_id, "traceparent": traceparent}
    return (await tx.execute(query, parameters, name="payments.insert_tombstone")).rowcount == 1


async def store_session(
    tx: Transaction,
    payment_id: UUID,
    gateway_payment_id: str,
    redirect_url: str,
    ask_after_seconds: float,
    *,
    states: Iterable[PaymentState] = PaymentState,
) -> Payment | None:
    """Notes under which id the gateway knows a payment, and where its payer goes: the operation that opens it has succeeded.

    Returns it as it is then; None, with nothing written, if it is in none of these states.
    """
    parameters = {
        "payment_id": payment_id,
        "states": [state.value for state in states],
        "gateway_payment_id": gateway_payment_id,
        "redirect_url": redirect_url,
        "seconds": ask_after_seconds,
        "traceparent": current_traceparent(),
    }
    row = (await tx.execute(_STORE_SESSION, parameters, name="payments.store_session")).one_or_none()
    return payment_of(row) if row else None


_STORE_SESSION = text("""
    WITH stored AS (
        UPDATE payment SET gateway_payment_id = :gateway_payment_id, redirect_url = :redirect_url,
            ask_at = now() + make_interval(secs => :seconds)
        WHERE payment_id = :payment_id AND state = ANY(CAST(:states AS text[]))
        RETURNING *
    ), settled AS (
        UPDATE gateway_operation operation SET state = 'succeeded', settled_at = now(),
            settled_in = CAST(:traceparent AS text), leased_until = NULL, problem = NULL
        FROM stored
        WHERE operation.payment_id = stored.payment_id AND kind = 'authorise' AND operation.state = 'unknown'
    )
    SELECT * FROM stored
""")


async def move_payment(
    tx: Transaction,
    payment: Payment,
    state: PaymentState,
    *,
    decline_reason: str | None,
    captured_at: datetime | None,
    was_authorised: bool,
) -> Payment | None:
    """Writes a step of a payment: with it that the operation which was to lead there has succeeded, what is booked, and the facts
    that were published.

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
    entries = entries_of(state, payment.the_terms.amount_minor)
    if entries:
        parameters |= ledger.parameters_of(entries)
    query = _MOVE_AND_BOOK if entries else _MOVE
    row = (await tx.execute(query, parameters | tx.facts_to_write(), name="payments.move")).one_or_none()
    return payment_of(row) if row else None


def _moving(*also: str) -> str:
    """A step in one statement. A step that an older version took beside this one may be noted: it stays as it is."""
    return f"""
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
        ), told AS ({insert_with("moved")}){"".join(f", {part}" for part in also)}
        SELECT * FROM moved
    """  # noqa: S608  # names from this project's code


_MOVE = text(_moving())
_MOVE_AND_BOOK = text(_moving(ledger.booked_with("moved")))


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
