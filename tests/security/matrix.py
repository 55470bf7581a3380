"""Who may do what, as people would say it: the table that every route of every service is held against.

A route that is not in the table is a mistake of its author, and a row without a route one of ours. The table is written by hand,
from what the shop promises; it never looks at what the code says of itself.
"""

from dataclasses import dataclass
from typing import Literal

# The outcome for a caller. "through": the caller is let in; a later refusal is about the request, not about who asks.
Outcome = Literal["through", "unknown caller", "forbidden", "not found", "key page", "wrong key"]

# On whose behalf a service is asked. `own`: the answer belongs to one person, and is not found for anybody else. `order`: the same,
# but the link of an order shows this order as well.
Behalf = Literal["nobody", "person", "own", "order"]

Page = Literal[
    "everybody", "own order", "own form", "form", "support form", "support action", "support page", "support program"
]


@dataclass(frozen=True)
class Row:
    """A route between services: who may call it, and on whose behalf."""

    callers: tuple[str, ...]
    behalf: Behalf = "nobody"


EVERYBODY: tuple[str, ...] = ()

WEB, ORDERS, NOTIFICATIONS = ("web",), ("orders",), ("notifications",)
RECORDS = Row(WEB)
KEYS = Row(EVERYBODY)

SERVICES: dict[str, Row] = {
    "accounts POST /people": Row(WEB),
    "accounts POST /guests": Row(WEB),
    "accounts POST /sessions": Row(WEB),
    "accounts POST /sessions/refresh": Row(WEB),
    "accounts POST /sessions/end": Row(WEB),
    "accounts GET /people/me": Row(WEB, "person"),
    "accounts PATCH /people/me": Row(WEB, "person"),
    "accounts GET /people/{person_id}/contact": Row(("notifications", "tickets")),
    "accounts GET /.well-known/jwks.json": KEYS,
    "catalog GET /events": Row(WEB),
    "catalog GET /events/{event_id}": Row(("web", "orders")),
    "catalog GET /seat-maps/{seat_map_id}": Row(WEB),
    "inventory PUT /events/{event_id}/holds/{hold_id}": Row(ORDERS),
    "inventory GET /events/{event_id}/holds/{hold_id}": Row(ORDERS),
    "inventory POST /events/{event_id}/holds/{hold_id}/commit": Row(ORDERS),
    "inventory POST /events/{event_id}/holds/{hold_id}/prolong": Row(ORDERS),
    "inventory POST /events/{event_id}/holds/{hold_id}/release": Row(ORDERS),
    "inventory GET /events/{event_id}/availability": Row(WEB),
    "inventory GET /events/{event_id}/crowd": Row(("waitingroom",)),
    "inventory GET /events/{event_id}/seats": Row(WEB),
    "inventory GET /records/orders/{order_id}": RECORDS,
    "orders POST /orders": Row(WEB, "person"),
    "orders GET /orders": Row(WEB, "person"),
    "orders GET /orders/{order_id}": Row(WEB, "order"),
    "orders POST /orders/{order_id}/checkout": Row(WEB, "own"),
    "orders POST /orders/{order_id}/refresh": Row(WEB, "own"),
    "orders POST /orders/{order_id}/cancel": Row(WEB, "own"),
    "orders POST /orders/{order_id}/prolong": Row(WEB, "own"),
    "orders POST /orders/take-along": Row(WEB, "person"),
    "orders GET /records/orders": RECORDS,
    "orders GET /records/orders/{order_id}": RECORDS,
    "payments PUT /payments/{payment_id}": Row(ORDERS),
    "payments GET /payments/{payment_id}": Row(ORDERS),
    "payments POST /payments/{payment_id}/capture": Row(ORDERS),
    "payments POST /payments/{payment_id}/void": Row(ORDERS),
    "payments GET /records/orders/{order_id}": RECORDS,
    "tickets GET /orders/{order_id}/tickets": Row(WEB, "order"),
    "tickets GET /orders/{order_id}/tickets.pdf": Row(WEB, "order"),
    "tickets POST /orders/{order_id}/tickets.pdf": Row(NOTIFICATIONS),
    "tickets GET /tickets": Row(WEB, "person"),
    "tickets POST /verify": Row(EVERYBODY),
    "tickets GET /.well-known/ticket-keys.json": KEYS,
    "tickets GET /records/orders/{order_id}": RECORDS,
    "notifications GET /records/orders/{order_id}": RECORDS,
    "waitingroom PUT /sales/{event_id}": Row(WEB),
    "waitingroom GET /sales/{event_id}": Row(WEB),
    "waitingroom PATCH /sales/{event_id}": Row(WEB),
    "waitingroom GET /sales/{event_id}/drawn": Row(WEB),
    "waitingroom POST /sales/{event_id}/challenge": Row(WEB),
    "waitingroom PUT /sales/{event_id}/entry": Row(WEB, "person"),
    "waitingroom GET /sales/{event_id}/entry": Row(WEB, "person"),
    "waitingroom POST /sales/{event_id}/entry/pass": Row(WEB, "person"),
}
# These are open to the world, and do nothing for a request that is not signed: they have tests of their own.
SIGNED = ("payments POST /webhooks/bank",)

PAGES: dict[str, Page] = {
    "GET /": "everybody",
    "GET /events/{event_id}": "everybody",
    "GET /events/{event_id}/plan/{name}.svg": "everybody",
    "GET /live/events/{event_id}": "everybody",
    "GET /live/events/{event_id}/queue": "everybody",
    "GET /api/events/{event_id}/places": "everybody",
    # Who has joined sees their own place there, and nobody else's.
    "GET /events/{event_id}/queue": "everybody",
    "GET /events/{event_id}/queue/serving": "everybody",
    "GET /events/{event_id}/queue/proof": "everybody",
    "GET /events/{event_id}/queue/proof.json": "everybody",
    "POST /events/{event_id}/queue": "form",
    "POST /events/{event_id}/queue/challenge": "form",
    "POST /events/{event_id}/queue/pass": "form",
    "GET /static/{path}": "everybody",
    "GET /favicon.ico": "everybody",
    "GET /robots.txt": "everybody",
    "GET /sign-in": "everybody",
    "GET /sign-up": "everybody",
    # Somebody's own are shown there, so that nobody else's can be.
    "GET /my/tickets": "everybody",
    "GET /my/orders": "everybody",
    # The link of a mail leads on to the order's page, which decides.
    "GET /orders/{order_id}/open": "everybody",
    "GET /orders/{order_id}": "own order",
    "GET /orders/{order_id}/return": "own order",
    "GET /orders/{order_id}/tickets.pdf": "own order",
    "GET /live/orders/{order_id}": "own order",
    "GET /api/orders/{order_id}": "own order",
    "POST /orders/{order_id}/pay": "own form",
    "POST /orders/{order_id}/more-time": "own form",
    "POST /orders/{order_id}/cancel": "own form",
    "POST /events/{event_id}/orders": "form",
    "POST /sign-in": "form",
    "POST /sign-up": "form",
    "POST /sign-out": "form",
    "POST /support/enter": "form",
    "POST /support/leave": "support form",
    "GET /support": "support page",
    "GET /support/orders/{number}": "support page",
    "GET /support/sales/{event_id}": "support page",
    "POST /support/sales/{event_id}": "support action",
    "POST /support/sales/{event_id}/steer": "support action",
    "GET /api/support/orders/{number}": "support program",
}


def of_service(row: Row, caller: str, token: str) -> Outcome:
    """What a service gets that calls with a token of its own: `good`, `for another`, `expired`, or `none` at all."""
    if row.callers == EVERYBODY:
        return "through"
    if token != "good":
        return "unknown caller"
    return "through" if caller in row.callers else "forbidden"


def of_person(row: Row, person: str, token: str) -> Outcome:
    """What a person gets on whose behalf the right service calls."""
    if token in ("expired", "a service's"):
        return "unknown caller"
    if person == "nobody":
        return "unknown caller"
    if person == "who has the order's link":
        return "through" if row.behalf == "order" else "unknown caller"
    if person == "buyer" or row.behalf == "person":
        return "through"
    return "not found"


def of_visitor(page: Page, visitor: str) -> Outcome:
    """What a browser gets. Forms are sent without the token of a page of ours: to nobody's good."""
    is_buyer, is_support = visitor == "buyer", visitor == "support"
    if page == "everybody":
        return "through"
    if page == "form":
        return "forbidden"
    if page == "support form":
        return "forbidden" if is_support else "through"
    if page == "support action":
        return "forbidden" if is_support else "key page"
    if page == "own order":
        return "through" if is_buyer else "not found"
    if page == "own form":
        return "forbidden" if is_buyer else "not found"
    if is_support:
        return "through"
    return "key page" if page == "support page" else "wrong key"
