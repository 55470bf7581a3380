"""Breaks of what the chassis does around every request, fact and message, and of code that tells nobody: no field shows them."""

from contracts.mutation.breaks import Break, Edit
from contracts.mutation.planted.places import asks, is_asked, tells

CALLING = "chassis/calls.py"
ENVELOPE = "chassis/facts.py"
PLACES = "bus.inventory.places_changed"


def _asked(name: str, says: tuple[str, ...], change: Edit) -> Break:
    return Break(name, (change,), (asks("orders", "inventory"),), ("orders asks inventory", *says))


BREAKS = (
    _asked(
        "requests lose the trace",
        ("Expected a header 'traceparent'",),
        Edit(
            CALLING,
            "inject(dict(headers))",
            "dict(headers)",
        ),
    ),
    _asked(
        "requests lose the deadline",
        ("Expected a header", "Onsale-Deadline-Ms"),
        Edit(CALLING, "headers[DEADLINE_HEADER] =", 'headers["Deadline"] ='),
    ),
    _asked(
        "the deadline is given in seconds",
        ("Onsale-Deadline-Ms", "Expected"),
        Edit(CALLING, "str(int(left * 1000))", "str(int(left))"),
    ),
    _asked(
        "requests lose the caller's token",
        ("Expected a header", "Authorization"),
        Edit(CALLING, 'headers["Authorization"] =', 'headers["Token"] ='),
    ),
    Break(
        "refusals are plain JSON instead of problem documents",
        (Edit("chassis/problems.py", 'MEDIA_TYPE = "application/problem+json"', 'MEDIA_TYPE = "application/json"'),),
        (is_asked("inventory"),),
        ("inventory breaks what", "application/problem+json", "application/json"),
    ),
    Break(
        "a failure of ours is answered as one that is not to be tried again",
        (Edit("chassis/errors.py", '    "unavailable": 503,\n', '    "unavailable": 500,\n'),),
        (is_asked("inventory"),),
        ("inventory breaks what orders relies on", "very many wait", "expected 503 but was 500"),
    ),
    Break(
        "facts lose the trace",
        (Edit(ENVELOPE, 'event["traceparent"] = traceparent', 'event["trace"] = traceparent'),),
        (tells("orders"),),
        ("orders breaks what tickets relies on", "missing the following keys: traceparent"),
    ),
    Break(
        "facts write their time with +00:00 instead of Z",
        (Edit(ENVELOPE, "orjson.dumps(event, option=orjson.OPT_UTC_Z)", "orjson.dumps(event)"),),
        (tells("orders"),),
        ("orders breaks what", "$.time: Expected", "+00:00"),
    ),
    Break(
        "bus messages lose the trace",
        (Edit("chassis/bus.py", "headers=inject({}) or None", "headers=None"),),
        (tells("inventory"),),
        ("inventory breaks what web relies on", PLACES, "traceparent"),
    ),
    Break(
        "a hold expires, and nothing is published",
        (Edit("services/inventory/service.py", "                await tx.publish(fact)\n", "                pass\n"),),
        (tells("inventory"),),
        ('The fact "events.inventory.hold_expired.v1" has no handler at inventory',),
    ),
    Break(
        "a payment moves on, and nothing is published",
        (
            Edit(
                "services/payments/queries.py",
                'parameters | tx.facts_to_write(), name="payments.move"',
                'parameters | tx.facts_to_write() | {"facts": "[]"}, name="payments.move"',
            ),
        ),
        (tells("payments"),),
        ('The fact "events.payments.payment_authorised.v1" has no handler at payments',),
    ),
)
