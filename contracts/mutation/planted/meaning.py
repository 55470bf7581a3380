"""Breaks of meaning, as an engineer would err: types and shapes stay, and something else is meant. Each in the real code."""

from contracts.mutation.breaks import Break, Edit
from contracts.mutation.planted.places import is_asked, tells

IDEMPOTENCY = "chassis/idempotency.py"
TRANSITIONS = "services/orders/service/transitions.py"


def _answered(name: str, provider: str, says: tuple[str, ...], *changes: Edit) -> Break:
    return Break(name, changes, (is_asked(provider),), (f"{provider} breaks what", *says))


BREAKS = (
    _answered(
        "a price is in euros instead of cents",
        "catalog",
        ("relies on", "an event", "price_minor: Expected"),
        Edit(
            "services/catalog/api.py",
            "ClassOut.model_validate(dict(row) | _sale_out(sale, found.now))",
            'ClassOut.model_validate(dict(row) | _sale_out(sale, found.now) | {"price_minor": row["price_minor"] // 100})',
        ),
    ),
    _answered(
        "a moment is the clock on the wall, written as if it were UTC",
        "catalog",
        ("relies on", "an event", "starts_at: Expected"),
        Edit(
            "services/catalog/api.py",
            "        **{name: event[name] for name in EventOut.model_fields if name not in answered},\n",
            '        **{name: event[name] for name in EventOut.model_fields if name not in answered | {"starts_at"}},\n'
            '        starts_at=event["starts_at"].astimezone(ZoneInfo(event["time_zone"])).replace(tzinfo=UTC),\n',
        ),
        Edit(
            "services/catalog/api.py",
            "from datetime import datetime\n",
            "from datetime import UTC, datetime\nfrom zoneinfo import ZoneInfo\n",
        ),
    ),
    _answered(
        "a list is in another order",
        "catalog",
        ("web relies on", "classes[0]", "Expected"),
        Edit(
            "services/catalog/queries.py",
            'select(_CLASS).where(_CLASS.c.event_id == bindparam("event_id")).order_by(_CLASS.c.position)',
            'select(_CLASS).where(_CLASS.c.event_id == bindparam("event_id")).order_by(_CLASS.c.position.desc())',
        ),
    ),
    _answered(
        "a page begins with the row that ended the one before",
        "orders",
        ("web relies on", "orders", "items"),
        Edit("services/orders/queries.py", "order_id < COALESCE(", "order_id <= COALESCE("),
    ),
    _answered(
        "Retry-After is lost",
        "accounts",
        ("web relies on", "many wrong ones", "Retry-After"),
        Edit(
            "chassis/problems.py",
            'headers = {"Retry-After": str(problem.retry_after_seconds)} if problem.retry_after_seconds else None',
            "headers = None",
        ),
    ),
    _answered(
        "a replay is answered with another status",
        "orders",
        ("web relies on", "expected 201 but was 200"),
        Edit(
            IDEMPOTENCY,
            'return Response(orjson.dumps(stored["body"]), known["status"], media_type=stored["media_type"])',
            'return Response(orjson.dumps(stored["body"]), 200, media_type=stored["media_type"])',
        ),
    ),
    _answered(
        "a file is of another format than it says",
        "tickets",
        ("relies on", "as PDF", "application/pdf"),
        Edit(
            "services/tickets/api.py",
            "return _file_of(found, await tickets.pdf(found, page))",
            'return _file_of(found, b"\\x89PNG\\r\\n\\x1a\\n" + await tickets.pdf(found, page))',
        ),
    ),
    Break(
        "a fact is published about another order",
        (
            Edit(
                TRANSITIONS,
                "    return OrderConfirmed(\n        order_id=order.order_id,\n",
                "    return OrderConfirmed(\n        order_id=order.hold_id,\n",
            ),
        ),
        (tells("orders"),),
        ("orders breaks what tickets relies on", "order_confirmed", "order_id: Expected"),
    ),
    Break(
        "two ids are exchanged",
        (
            Edit(
                "services/inventory/service.py",
                'event_id=row["event_id"], order_id=row["order_id"], expired_at',
                'event_id=row["order_id"], order_id=row["event_id"], expired_at',
            ),
        ),
        (tells("inventory"),),
        ("inventory breaks what orders relies on", "hold_expired", "order_id: Expected"),
    ),
    Break(
        "a fact is published of what was rolled back",
        (
            Edit(
                TRANSITIONS,
                "            await tx.publish(fact)\n",
                "            async with self._database.writer() as own:\n                await own.publish(fact)\n",
            ),
        ),
        (tells("orders"),),
        ("orders publishes events.orders.order_confirmed.v1 of what was rolled back",),
    ),
)
