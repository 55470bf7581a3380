"""Promises about ends: nothing outlives its time, or the order that it was for (invariant 12)."""

from rehearsal.audit.model import Invariant

# What is due is done by workers that look every second or so, and may be busy.
GRACE = "interval '30 seconds'"
_ENDED = "('confirmed', 'cancelled')"

HOLDS_END = Invariant(
    12,
    "no hold outlives its time",
    "A hold that nobody paid in time has ended.",
    f"""SELECT order_id AS about, hold_id AS hold, expires_at FROM inventory_hold
        WHERE state = 'held' AND expires_at < read_at - {GRACE}""",
)
HOLDS_END_WITH_ORDERS = Invariant(
    12,
    "no hold outlives its order",
    "Places of an order that has ended, or never was, are held for nobody.",
    f"""SELECT COALESCE(number, hold.order_id::text) AS about, hold_id AS hold, orders.state AS order_is, expires_at
        FROM inventory_hold AS hold LEFT JOIN orders_order AS orders USING (order_id, hold_id)
        WHERE hold.state = 'held' AND (orders.state IS NULL OR orders.state IN {_ENDED})""",
)
AUTHORISATIONS_END = Invariant(
    12,
    "no authorisation outlives its order",
    "Money that is reserved, or can still be, belongs to an order that is open: here, and at the bank.",
    f"""SELECT COALESCE(number, order_id::text) AS about, orders.state AS order_is, payment.state AS payment_is,
               bank.status AS at_the_bank
        FROM payments_payment AS payment JOIN orders_order AS orders USING (order_id)
        LEFT JOIN bank_payment AS bank ON bank.id = payment.gateway_payment_id
        WHERE orders.state IN {_ENDED} AND (payment.state IN ('created', 'authorised') OR bank.status = 'authorised')""",
)
SAGAS_END = Invariant(
    12,
    "no saga is open after its time",
    "An order that nobody waits for has ended: confirmed or cancelled.",
    f"""SELECT number AS about, state, hold_expires_at, due_at, tries FROM orders_order
        WHERE state NOT IN {_ENDED} AND (hold_expires_at < read_at - {GRACE} OR
              state IN ('placing', 'authorised', 'committed', 'cancelling') AND due_at < read_at - {GRACE})""",
)
OUTCOMES_KNOWN = Invariant(
    12,
    "no outcome is unknown",
    "What the bank was asked for has an answer, and its hints have been followed.",
    f"""SELECT payment.order_id AS about, key AS what, operation.state, ask_again_at AS due
        FROM payments_operation AS operation LEFT JOIN payments_payment AS payment USING (payment_id)
        WHERE operation.state = 'unknown'
        UNION ALL
        SELECT NULL, webhook_id, 'not followed', ask_at FROM payments_webhook WHERE ask_at < read_at - {GRACE}""",
)
MAILS_END = Invariant(
    12,
    "no mail waits after its time",
    "A mail that is due was sent, or given up for a reason.",
    f"""SELECT order_number AS about, template, state, next_attempt_at AS due FROM notifications_delivery
        WHERE state LIKE 'waiting%' AND next_attempt_at < read_at - {GRACE}""",
)
TICKETS_HEARD = Invariant(
    12,
    "nobody waits for tickets that are there",
    "Orders has heard of the tickets of every confirmed order.",
    """SELECT number AS about, since AS waiting_since FROM orders_awaited JOIN orders_order USING (order_id)""",
)
ENDS = (
    HOLDS_END,
    HOLDS_END_WITH_ORDERS,
    AUTHORISATIONS_END,
    SAGAS_END,
    OUTCOMES_KNOWN,
    MAILS_END,
    TICKETS_HEARD,
)
