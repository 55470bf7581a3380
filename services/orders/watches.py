"""What waits in orders, as metrics: the sagas that are not at their end."""

from chassis.statements import text
from chassis.watching import Watch
from tracing.instruments import Instrument

STATE = ("onsale.order_state",)
OPEN = Instrument("onsale.saga.open", "gauge", "{order}", "Orders that are neither confirmed nor cancelled.", STATE)
AGE = Instrument("onsale.saga.age", "gauge", "s", "How long ago the oldest open order was begun.", STATE)
OVERDUE = Instrument(
    "onsale.saga.overdue", "gauge", "s", "For how long the most overdue open order has waited for a worker.", STATE
)
TRIES = Instrument(
    "onsale.saga.tries", "gauge", "{try}", "How often the step of an open order was tried in vain at most.", STATE
)
WITHOUT_TICKETS = Instrument(
    "onsale.tickets.awaited.age", "gauge", "s", "How long ago the oldest order was confirmed that has no tickets yet."
)

SAGAS = Watch(
    "metrics.open_sagas",
    # The partial index on due_at holds the open ones, the most overdue first.
    text("""
        SELECT state, count(*) AS open, EXTRACT(EPOCH FROM now() - min(created_at)) AS age,
            greatest(0, EXTRACT(EPOCH FROM now() - min(due_at))) AS overdue, max(tries) AS tries
        FROM (
            SELECT state, created_at, due_at, tries FROM purchase_order
            WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 10000
        ) AS first
        GROUP BY state
    """),
    {"open": OPEN, "age": AGE, "overdue": OVERDUE, "tries": TRIES},
    {"state": "onsale.order_state"},
)

AWAITED = Watch(
    "metrics.awaited_tickets",
    # As short as the list of orders that were confirmed in the last second.
    text("SELECT COALESCE(EXTRACT(EPOCH FROM now() - min(since)), 0) AS age FROM awaited_tickets"),
    {"age": WITHOUT_TICKETS},
)
