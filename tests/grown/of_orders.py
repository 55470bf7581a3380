"""Orders after years: a million of them, 2,000 of one person, 50,000 of one event."""

from uuid import UUID

from chassis.db import Transaction
from services.orders import queries
from services.orders.app import create_app
from services.orders.operations import OPERATIONS
from services.orders.settings import OrdersSettings
from tests.grown.filling import EVENTS, ORDERS, SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

ORDER, PERSON, EVENT, HOLD, PAYMENT, LINE = 1, 2, 3, 4, 5, 6
CHANGED = 200_000

# One person has every 500th order, and most others have two; one event has every 20th.
PERSON_OF = "CASE WHEN n % 500 = 7 THEN 1 ELSE 2 + n * 7919 % 499979 END"
EVENT_OF = f"CASE WHEN n % 20 = 0 THEN 1 ELSE 2 + n * 31 % {EVENTS - 1} END"
# The person with many orders was refused again and again lately; a few of all orders are open.
REFUSED = f"(n % 500 = 7 AND n > {ORDERS // 2})"
EXPIRED = f"(n % 30 = 1 AND n % 500 <> 7 AND n < {ORDERS - 100})"
OPEN = f"(n >= {ORDERS - 100} AND n % 500 <> 7)"
CONFIRMED = f"NOT ({REFUSED} OR {EXPIRED} OR {OPEN})"
THEN = f"now() - ({ORDERS} - n) * interval '1 minute'"
_CLASS = '{"seats": [], "places": [["00000001-0000-7000-8000-000000000007", 2]]}'

PURCHASES = Filled(
    "purchase_order",
    ORDERS,
    {
        "order_id": uid(ORDER, "n"),
        "number": "'N' || n",
        "person_id": uid(PERSON, PERSON_OF),
        "state": f"CASE WHEN {CONFIRMED} THEN 'confirmed' WHEN {OPEN} THEN 'held' ELSE 'cancelled' END",
        "reason": f"CASE WHEN {REFUSED} THEN 'refused' WHEN {EXPIRED} THEN 'expired' END",
        "event_id": uid(EVENT, EVENT_OF),
        "event_version": "1",
        "event_title": "'A concert'",
        "event_starts_at": f"{THEN} + interval '90 days'",
        "event_time_zone": "'Europe/Zurich'",
        "venue_name": "'Volkshaus'",
        "venue_city": "'Zürich'",
        "currency": "'CHF'",
        "total_minor": "5000",
        "request_key": "'key-' || n",
        "wish": f"CAST('{_CLASS}' AS jsonb)",
        "hold_id": uid(HOLD, "n"),
        "payment_id": f"CASE WHEN {CONFIRMED} THEN {uid(PAYMENT, 'n')} END",
        "paid": CONFIRMED,
        "trace_id": "md5(CAST(n / 2 AS text))",
        "created_at": THEN,
        "confirmed_at": f"CASE WHEN {CONFIRMED} THEN {THEN} END",
        "due_at": f"CASE WHEN {OPEN} THEN now() + interval '1 day' END",
    },
)
LINES = Filled(
    "order_line",
    ORDERS,
    {
        "line_id": uid(LINE, "n"),
        "order_id": uid(ORDER, "n"),
        "class_id": uid(7, "1"),
        "class_name": "'Standing'",
        "quantity": "2",
        "unit_price_minor": "2500",
    },
)
CHANGES = Filled(
    "order_change",
    CHANGED,
    {
        "order_id": uid(ORDER, f"{ORDERS} - n / 4"),
        "change_no": "n % 4 + 1",
        "happening": "(ARRAY['hold_granted', 'payment_begun', 'payment_authorised', 'captured'])[n % 4 + 1]",
        "state": "'held'",
        "trace_id": "md5(CAST(n / 2 AS text))",
        "changed_at": THEN,
    },
)
CHANGED_EVENTS = Filled(
    "event",
    EVENTS,
    {
        "event_id": uid(EVENT, "n"),
        "version": "2",
        "state": "'rescheduled'",
        "title": "'A concert'",
        "starts_at": "now() + interval '30 days'",
        "time_zone": "'Europe/Zurich'",
        "venue_name": "'Volkshaus'",
        "venue_city": "'Zürich'",
    },
)
MANY, ONE_OF_MANY = UUID(uid_of(PERSON, 1)), UUID(uid_of(EVENT, 1))
# Who signs in takes along what they did as a guest, with this browser.
A_GUEST = UUID(uid_of(PERSON, 5))
LAST = ORDERS // 2 - ORDERS // 2 % 500 + 7 - 500


async def reads(tx: Transaction) -> None:
    """What a new order, a sign-in and facts read."""
    some_event = UUID(uid_of(EVENT, 2 + LAST * 31 % (EVENTS - 1)))
    await queries.lock_open_orders(tx, MANY, some_event, "key-0")
    await queries.places_of_buyer(tx, MANY, some_event, "key-0")
    await queries.order_of_request(tx, MANY, f"key-{LAST}")
    await queries.cancelling_of_request(tx, MANY, f"key-{LAST}")
    await queries.change_person(tx, A_GUEST, MANY)
    await queries.lock_order(tx, UUID(uid_of(ORDER, LAST)))
    await queries.make_due_for_event(tx, ONE_OF_MANY)


GREW = Grew(
    create_app,
    OrdersSettings,
    Grown(
        (CHANGED_EVENTS, PURCHASES, LINES, CHANGES, *of_the_chassis(uid(ORDER, f"{ORDERS} - n"))),
        SMALL_OF_THE_CHASSIS
        | {
            "awaited_tickets": "An order leaves it when it has its tickets.",
            "order_wait": "Nobody writes it any more.",
        },
    ),
    OPERATIONS,
    {
        "GET /orders": [
            Ask("/orders", MANY),
            Ask(f"/orders?limit=100&after={uid_of(ORDER, LAST)}", MANY),
            Ask(f"/orders?limit=100&after={uid_of(ORDER, 1000)}", MANY),
            Ask(f"/orders?open_for={ONE_OF_MANY}", MANY),
            Ask(f"/orders?open_for={uid_of(EVENT, 2 + LAST * 31 % (EVENTS - 1))}", MANY),
        ],
        "GET /orders/{order_id}": [Ask(f"/orders/{uid_of(ORDER, LAST)}", MANY)],
        "GET /records/orders": [
            Ask(f"/records/orders?number=N{LAST}"),
            Ask(f"/records/orders?order_id={uid_of(ORDER, LAST)}"),
            Ask("/records/orders?trace_id=c4ca4238a0b923820dcc509a6f75849b"),
            Ask("/records/orders"),
        ],
        "GET /records/orders/{order_id}": [Ask(f"/records/orders/{uid_of(ORDER, ORDERS - 50)}")],
    },
    reads,
    dict.fromkeys(("catalog_url", "inventory_url", "payments_url"), "http://127.0.0.1:9"),
)
