"""What the auditor reads, service by service: the columns that promises are about, and nothing about people.

A hold's lines are spread out here, so that promises join rows with rows.
"""

from rehearsal.audit.model import Copy

_PLACES = """
    SELECT hold_id, hold.event_id, hold.order_id, hold.state, (line->>'class_id')::uuid AS class_id,
           line->>'seat_id' AS seat_id, (line->>'quantity')::int AS quantity
    FROM hold, jsonb_array_elements(lines) AS line WHERE state IN ('held', 'committed')"""
_BOOKED = """
    SELECT transfer_id, payment_id, kind, account, currency, amount_minor
    FROM ledger_transfer LEFT JOIN ledger_entry USING (transfer_id)"""
_KEYS = """
    SELECT principal, route, key, status, leased_until, now() AS read_at, response->'body'->>'order_id' AS order_id,
           response->'body'->>'number' AS number
    FROM idempotency_key"""
# Each shard knows all events, and has some of them.
_HERE = "NOT EXISTS (SELECT FROM bucket WHERE bucket.bucket = bucket_of(event_id) AND bucket.state <> 'here')"
_OWN = (
    Copy(
        "orders",
        "order",
        """SELECT order_id, number, person_id, state, reason, event_id, currency, total_minor, hold_id, payment_id, paid,
                  request_key, hold_expires_at, due_at, leased_until, tries, now() AS read_at FROM purchase_order""",
    ),
    Copy(
        "orders",
        "line",
        "SELECT order_id, line_id, class_id, seat_id, quantity, unit_price_minor FROM order_line",
    ),
    Copy("orders", "change", "SELECT order_id, change_no, happening, state FROM order_change"),
    Copy("orders", "awaited", "SELECT order_id, since, now() AS read_at FROM awaited_tickets"),
    Copy("inventory", "event", f"SELECT event_id, version FROM event WHERE {_HERE}"),
    Copy(
        "inventory",
        "class",
        f"SELECT class_id, event_id, name, kind, capacity, held, sold FROM ticket_class WHERE {_HERE}",
    ),
    Copy("inventory", "misplaced", f"SELECT hold_id, order_id, event_id FROM hold WHERE NOT ({_HERE})"),
    Copy("inventory", "hold", "SELECT hold_id, order_id, event_id, state, expires_at, now() AS read_at FROM hold"),
    Copy("inventory", "place", _PLACES),
    Copy("inventory", "hold_change", "SELECT hold_id, state, was FROM hold_change"),
    Copy("inventory", "seat", f"SELECT event_id, seat_id, class_id, state, hold_id FROM seat WHERE {_HERE}"),
    Copy("inventory", "used_pass", "SELECT pass_id, hold_id FROM used_pass", needs="used_pass"),
    Copy(
        "payments",
        "payment",
        """SELECT payment_id, order_id, attempt, amount_minor, currency, state, gateway_payment_id, ask_at, pay_by,
                  now() AS read_at FROM payment""",
    ),
    Copy(
        "payments",
        "operation",
        "SELECT key, payment_id, kind, state, ask_again_at, now() AS read_at FROM gateway_operation",
    ),
    Copy("payments", "change", "SELECT payment_id, state FROM payment_change"),
    Copy("payments", "booked", _BOOKED),
    Copy("payments", "webhook", "SELECT webhook_id, ask_at, now() AS read_at FROM webhook WHERE handled_at IS NULL"),
    Copy(
        "tickets",
        "ticket",
        """SELECT ticket_id, order_id, order_number, event_id, line_id, ordinal, class_id, seat_id, currency,
                  unit_price_minor, state FROM ticket""",
    ),
    Copy(
        "notifications",
        "delivery",
        """SELECT delivery_id, order_id, order_number, template, message_id, state, next_attempt_at,
                  now() AS read_at FROM delivery""",
    ),
    Copy("catalog", "class", "SELECT class_id, event_id, name, kind, capacity FROM ticket_class"),
)


def copies_of(services: tuple[str, ...]) -> tuple[Copy, ...]:
    """All copies of a system with these services: those of each, and the tables that the chassis keeps in all."""
    everywhere = [copy for service in services for copy in _of_the_chassis(service)]
    return (*(each for each in _OWN if each.service in services), *everywhere)


def _of_the_chassis(service: str) -> tuple[Copy, ...]:
    return (
        Copy(
            service,
            "outbox",
            """SELECT event_id, subject, aggregate_id, data->>'order_id' AS order_id, seq, published_at IS NOT NULL AS sent
               FROM outbox""",
        ),
        Copy(service, "inbox", "SELECT consumer, event_id, subject, aggregate_id FROM inbox"),
        Copy(service, "dead", "SELECT consumer, message_id, subject, aggregate_id, reason FROM dead_letter"),
        Copy(service, "key", _KEYS),
    )
