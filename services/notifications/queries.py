"""All SQL of this service. Only the database's clock decides what is due and whose lease has ended."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from chassis.db import Transaction
from chassis.inbox import HEARD, Received
from chassis.statements import text
from chassis.work import Columns, Queue, Work, claim, finish, give_up, put_off, wait
from services.notifications.domain import Delivery, read_name, waiting_state

SENDING = Queue(
    name="notifications.send_email",
    table="delivery",
    key="delivery_id",
    waits="state IN ('waiting', 'waiting_news')",
    columns=Columns(due="next_attempt_at", tries="attempts", problem="last_problem"),
    lease_seconds=60,
    dead="state = 'failed'",
    go_on="Mend what failed; services/notifications/README.md has the statement that lets a mail be sent again.",
)


async def insert_delivery(tx: Transaction, row: dict[str, Any], received: Received) -> tuple[bool, bool]:
    """Writes a delivery that is due now, once of each template. Whether its fact is heard for the first time, and whether it is new."""
    _, edition = read_name(row["template"])
    parameters = received.row() | row
    parameters |= {"state": waiting_state(edition).value, "content": orjson.dumps(row["content"], default=str).decode()}
    written = (await tx.execute(_INSERT, parameters, name="deliveries.insert")).one_or_none()
    return (True, bool(written["deliveries"])) if written is not None else (False, False)


_INSERT = text(f"""
    WITH heard AS ({HEARD}), written AS (
        INSERT INTO delivery (delivery_id, order_id, order_number, person_id, template, content, message_id, state, attempts,
            traceparent)
        SELECT CAST(:delivery_id AS uuid), CAST(:order_id AS uuid), CAST(:order_number AS text), CAST(:person_id AS uuid),
            CAST(:template AS text), CAST(:content AS jsonb), CAST(:message_id AS text), CAST(:state AS text), 0,
            CAST(:traceparent AS text)
        FROM heard
        ON CONFLICT (order_id, template) DO NOTHING
        RETURNING delivery_id
    )
    SELECT (SELECT count(*) FROM written) AS deliveries FROM heard
""")  # noqa: S608  # a constant of the chassis


async def claim_due(tx: Transaction, *, limit: int, lease_seconds: float) -> list[Delivery]:
    """Takes due deliveries for this process alone."""
    return [_delivery(work) for work in await claim(tx, replace(SENDING, lease_seconds=lease_seconds), limit)]


async def mark_sent(tx: Transaction, delivery: Delivery) -> bool:
    """The server took the mail. False if the lease has been lost to another process in the meantime."""
    return await finish(tx, SENDING, _work_of(delivery), "sent", "state = 'sent', sent_at = now()")


async def mark_failed(tx: Transaction, delivery: Delivery, problem: str) -> bool:
    """Gives the mail up."""
    return await give_up(tx, SENDING, _work_of(delivery), problem, "state = 'failed'")


async def try_later(tx: Transaction, delivery: Delivery, problem: str, delay_seconds: float) -> bool:
    """Puts the mail off: it is due again after the delay."""
    return await put_off(tx, SENDING, _work_of(delivery), problem, delay_seconds)


async def is_of_paid_order(tx: Transaction, delivery: Delivery) -> bool:
    """Whether money was paid for the order of this mail, as far as facts say: of its tickets how much, or that it was returned."""
    found = await tx.execute(_IS_PAID, {"order_id": delivery.order_id}, name="deliveries.is_of_paid_order")
    return bool(found.scalar_one())


async def use_address(
    tx: Transaction, delivery: Delivery, digest: bytes, *, most: int, window_seconds: float
) -> datetime | None:
    """Takes one of the `most` places that an address has in each window for this mail: None. If none is free, when one is.

    A mail that is tried again has its place already.
    """
    about = {"delivery_id": delivery.delivery_id, "digest": digest, "window": window_seconds}
    # Mails to one address are counted one after the other.
    await tx.execute(_ONE_AFTER_THE_OTHER, {"key": int.from_bytes(digest[:8], signed=True)}, name="addresses.lock")
    full: datetime | None = (
        await tx.execute(_FREE_AT, {**about, "behind": most - 1}, name="addresses.free_at")
    ).scalar_one_or_none()
    if full is not None:
        return full
    await tx.execute(_USE, about, name="addresses.use")
    return None


async def wait_for_address(tx: Transaction, delivery: Delivery, until: datetime) -> bool:
    """Lets the mail wait until a moment. This was no attempt, since no server was asked to take the mail."""
    return await wait(tx, SENDING, _work_of(delivery), until, "many mails went to this address lately; it waits")


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


def _work_of(delivery: Delivery) -> Work:
    return Work(delivery.delivery_id, delivery.fence, delivery.attempt)


def _delivery(work: Work) -> Delivery:
    assert work.row is not None, "It was claimed."  # noqa: S101
    row = work.row
    template, edition = read_name(row["template"])
    return Delivery(
        delivery_id=row["delivery_id"],
        fence=work.fence,
        order_id=row["order_id"],
        order_number=row["order_number"],
        person_id=row["person_id"],
        template=template,
        edition=edition,
        content=row["content"],
        message_id=row["message_id"],
        attempt=work.attempt,
        traceparent=row["traceparent"],
    )
