"""Breaks of facts: what is told is not what is heard."""

from contracts.mutation.breaks import Break, Change, Edit
from contracts.mutation.planted.places import DOCUMENTS, NEEDED, hears, tells

EVENTS = "services/orders/events.py"
CHANGES = "services/orders/service/changes.py"
DOMAIN = "services/orders/domain.py"
ENVELOPE = "chassis/facts.py"
TICKETS_READ = "services/tickets/inbox.py"
CONFIRMED = "events.orders.order_confirmed.v1"
CANCELLED = "events.orders.order_cancelled.v1"


def _told(name: str, says: tuple[str, ...], *changes: Change) -> Break:
    return Break(name, changes, (tells("orders"),), says)


def _read(name: str, says: tuple[str, ...], *changes: Change) -> Break:
    return Break(name, changes, (hears("tickets", "orders"),), (CONFIRMED, *says))


BREAKS = (
    _told(
        "a field of a fact is renamed",
        ("orders breaks what tickets relies on", CONFIRMED, "$.data: ", "missing the following keys: venue_name"),
        Edit(EVENTS, "    venue_name: str\n", "    venue: str\n"),
        Edit(CHANGES, "venue_name=order.venue_name", "venue=order.venue_name"),
    ),
    _told(
        "money in a fact becomes a string",
        ("orders breaks what tickets relies on", "$.data.lines[0].unit_price_minor: Expected"),
        Edit(
            EVENTS,
            "from pydantic import BaseModel, ConfigDict\n",
            "from typing import Annotated\n\nfrom pydantic import BaseModel, ConfigDict, PlainSerializer\n",
        ),
        Edit(EVENTS, "    unit_price_minor: int\n", "    unit_price_minor: Annotated[int, PlainSerializer(str)]\n"),
    ),
    _told(
        "a field of a fact becomes null",
        ("orders breaks what tickets relies on", "$.data.time_zone: Expected null"),
        Edit(EVENTS, "    time_zone: str\n", "    time_zone: str | None\n"),
        Edit(CHANGES, "time_zone=order.event_time_zone", "time_zone=None"),
    ),
    _told(
        "a field of a fact is not told any more",
        ("orders breaks what tickets relies on", "missing the following keys: currency"),
        Edit(EVENTS, "    currency: str\n", ""),
        Edit(CHANGES, "        currency=order.currency,\n", ""),
    ),
    _told(
        "a list of a fact comes empty",
        ("orders breaks what tickets relies on", "$.data.lines: Expected"),
        Edit(CHANGES, "lines=[ConfirmedLine.model_validate(line) for line in lines]", "lines=[]"),
    ),
    _told(
        "an enumeration of a fact gets a value that nobody knows",
        ("orders breaks what notifications relies on", CANCELLED, "$.data.reason: Expected 'customer'"),
        Edit(DOMAIN, 'Happening.PLACES_GONE: "places_gone"', 'Happening.PLACES_GONE: "customer"'),
        Edit(
            DOMAIN,
            'Reason = Literal["refused", "expired", "buyer", "places_gone"',
            'Reason = Literal["refused", "expired", "buyer", "customer"',
        ),
    ),
    _told(
        "the type of a fact is another",
        (f'The fact "{CONFIRMED} of places" has no handler at orders',),
        Edit(EVENTS, f'"{CONFIRMED}"', f'"{CONFIRMED[:-1]}2"'),
    ),
    _told(
        "facts lose the trace",
        ("orders breaks what tickets relies on", "missing the following keys: traceparent"),
        Edit(ENVELOPE, 'event["traceparent"] = traceparent', 'event["trace"] = traceparent'),
    ),
    _told(
        "facts write their time with +00:00 instead of Z",
        ("orders breaks what", "$.time: Expected", "+00:00"),
        Edit(ENVELOPE, "orjson.dumps(event, option=orjson.OPT_UTC_Z)", "orjson.dumps(event)"),
    ),
    Break(
        "a hold expires, and nobody is told",
        (
            Edit(
                "services/inventory/service.py",
                "                await tx.publish(fact)\n",
                "                pass\n",
            ),
        ),
        (tells("inventory"),),
        ('The fact "events.inventory.hold_expired.v1" has no handler at inventory',),
    ),
    Break(
        "a payment moves on, and nobody is told",
        (
            Edit(
                "services/payments/service/settling.py",
                "        await tx.publish(fact_of(payment, step, reason=decline_reason, at=now))\n",
                "",
            ),
        ),
        (tells("payments"),),
        ('The fact "events.payments.payment_authorised.v1" has no handler at payments',),
    ),
    _read(
        "a listener reads a field that its contract does not ask for",
        ("OrderConfirmed does not understand", "confirmed_at (Field required)"),
        Edit(TICKETS_READ, "    currency: str\n", "    currency: str\n    confirmed_at: datetime\n"),
    ),
    Break(
        "a listener drops a field that its contract still asks for",
        (Edit("services/notifications/inbox.py", "    venue_name: str\n    starts_at", "    starts_at"),),
        (hears("notifications", "tickets"),),
        ("does not read $.venue_name",),
    ),
    Break(
        "a service hears a fact without a contract",
        (
            Edit(
                "services/orders/inbox.py",
                "    return inbox\n",
                '    @inbox.hears("events.payments.payment_captured.v1", PaymentAuthorised)\n'
                "    async def see_money(_tx: Transaction, _fact: PaymentAuthorised, _received: Received) -> None:\n"
                "        return\n\n    return inbox\n",
            ),
        ),
        (NEEDED,),
        ("orders hears events.payments.payment_captured.v1",),
    ),
    Break(
        "a service hears a fact no more, and its contract stays",
        (
            Edit(
                "services/web/app.py",
                '    service.listen("events.orders.order_cancelled.v1", site.watchers.on_fact)\n',
                "",
            ),
        ),
        (NEEDED,),
        ("web", CANCELLED),
    ),
    Break(
        "a fact gets a field, and its schema is not written anew",
        (Edit(EVENTS, "    cancelled_at: datetime\n", '    cancelled_at: datetime\n    channel: str = "web"\n'),),
        (DOCUMENTS,),
        (CANCELLED, "An interface has changed"),
    ),
)
