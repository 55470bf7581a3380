"""Inventory after years: 100,000 events, 200,000 holds, 50,000 of them of one event, and fifty houses with seats."""

from uuid import UUID

from chassis.db import Transaction
from services.inventory import buckets, choosing, queries
from services.inventory.app import create_app
from services.inventory.operations import OPERATIONS
from services.inventory.settings import InventorySettings
from tests.grown.filling import EVENTS, SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

ORDER, EVENT, HOLD, CLASS, PASS = 1, 3, 4, 7, 41
HOLDS, HOUSES, SEATS_OF_A_HOUSE, SOLD_OF_A_HOUSE = 200_000, 50, 2_000, 1_500
# Pages of a house with seats read each of its seats once, which is what they show: no more than a house has.
ROWS_OF_A_HOUSE = SEATS_OF_A_HOUSE + 100
THEN = f"now() - ({HOLDS} - n) * interval '5 minutes'"
SEATED = f"(n <= {HOUSES})"

HAPPENINGS = Filled("event", EVENTS, {"event_id": uid(EVENT, "n"), "title": "'A concert'", "starts_at": "now()"})
CLASSES = Filled(
    "ticket_class",
    EVENTS,
    {
        "class_id": uid(CLASS, "n"),
        "event_id": uid(EVENT, "n"),
        "name": "'Class'",
        "kind": f"CASE WHEN {SEATED} THEN 'seated' ELSE 'general' END",
        "capacity": "2000",
    },
)
GRANTED = Filled(
    "hold",
    HOLDS,
    {
        "hold_id": uid(HOLD, "n"),
        "event_id": uid(EVENT, f"CASE WHEN n % 4 = 0 THEN 1 ELSE 2 + n * 31 % {EVENTS - 1} END"),
        "order_id": uid(ORDER, "n"),
        # The first ones have the seats of houses below.
        "state": f"CASE WHEN n > {HOLDS} - 100 THEN 'held' WHEN n % 10 = 3 AND n > {HOUSES * SEATS_OF_A_HOUSE} THEN 'expired'"
        " ELSE 'committed' END",
        "expires_at": f"CASE WHEN n > {HOLDS} - 100 THEN now() + interval '1 day' ELSE {THEN} END",
        "lines": "'[]'",
        "created_at": THEN,
    },
)
WENT_ON = Filled(
    "hold_change",
    HOLDS - 100,
    {"hold_id": uid(HOLD, "n"), "state": "'committed'", "was": "'held'", "changed_at": THEN},
)
PASSES = Filled("used_pass", HOLDS, {"pass_id": uid(PASS, "n"), "hold_id": uid(HOLD, "n"), "used_at": THEN})
SEATS = Filled(
    "seat",
    HOUSES * SEATS_OF_A_HOUSE,
    {
        "event_id": uid(EVENT, f"1 + (n - 1) / {SEATS_OF_A_HOUSE}"),
        "seat_id": "'seat-' || n",
        "class_id": uid(CLASS, f"1 + (n - 1) / {SEATS_OF_A_HOUSE}"),
        "label": "'Seat ' || n",
        "state": f"CASE WHEN n % {SEATS_OF_A_HOUSE} < {SOLD_OF_A_HOUSE} THEN 'sold' ELSE 'free' END",
        "hold_id": f"CASE WHEN n % {SEATS_OF_A_HOUSE} < {SOLD_OF_A_HOUSE} THEN {uid(HOLD, 'n')} END",
    },
)
SEATED_EVENT, SEATED_CLASS = UUID(uid_of(EVENT, 1)), UUID(uid_of(CLASS, 1))
OF_A_HOLD = 1_001


async def reads(tx: Transaction) -> None:
    """What granting, facts and the sweeper read."""
    await queries.event_exists(tx, SEATED_EVENT)
    await queries.event_version(tx, SEATED_EVENT)
    await queries.holds_by_id(tx, [UUID(uid_of(HOLD, OF_A_HOLD))])
    await queries.lock_hold(tx, SEATED_EVENT, UUID(uid_of(HOLD, OF_A_HOLD)))
    await queries.lock_classes(tx, SEATED_EVENT, [SEATED_CLASS])
    await queries.lock_seats(tx, SEATED_EVENT, ["seat-1", "seat-2"])
    await choosing._free_seats_of(tx, [SEATED_CLASS])
    await choosing._held_seats_of(tx, SEATED_CLASS)
    await queries.any_overdue(tx, SEATED_EVENT)
    await queries.take_overdue_holds(tx, SEATED_EVENT)
    await buckets.state_of(tx, 7)
    await buckets.buckets_in(tx, "here")
    await queries.give_passes_back(tx, [UUID(uid_of(HOLD, OF_A_HOLD))])


_OTHER = f"/events/{uid_of(EVENT, 5_000)}"
_SEATED = f"/events/{SEATED_EVENT}"
_HOLD_OF = f"/events/{uid_of(EVENT, 2 + OF_A_HOLD * 31 % (EVENTS - 1))}/holds/{uid_of(HOLD, OF_A_HOLD)}"

GREW = Grew(
    create_app,
    InventorySettings,
    Grown(
        (HAPPENINGS, CLASSES, GRANTED, WENT_ON, PASSES, SEATS, *of_the_chassis(uid(ORDER, "n"))),
        {**SMALL_OF_THE_CHASSIS, "bucket": "There are 256."},
    ),
    OPERATIONS,
    {
        "GET /events/{event_id}/holds/{hold_id}": [Ask(_HOLD_OF)],
        "GET /events/{event_id}/availability": [
            Ask(f"{_OTHER}/availability"),
            Ask(f"{_SEATED}/availability", rows=ROWS_OF_A_HOUSE),
        ],
        "GET /events/{event_id}/crowd": [Ask(f"{_OTHER}/crowd"), Ask(f"{_SEATED}/crowd", rows=ROWS_OF_A_HOUSE)],
        "GET /events/{event_id}/seats": [Ask(f"{_OTHER}/seats"), Ask(f"{_SEATED}/seats", rows=ROWS_OF_A_HOUSE)],
        "GET /records/orders/{order_id}": [Ask(f"/records/orders/{uid_of(ORDER, OF_A_HOLD)}")],
    },
    reads,
    rows=ROWS_OF_A_HOUSE,
)
