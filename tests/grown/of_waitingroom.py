"""The waiting room after years: 100,000 sales, and 50,000 people who waited for one of them."""

from uuid import UUID

from chassis.db import Transaction
from services.waitingroom import queries
from services.waitingroom.app import create_app
from services.waitingroom.operations import OPERATIONS
from services.waitingroom.settings import WaitingroomSettings
from tests.grown.filling import EVENTS, SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

PERSON, EVENT, ENTRY = 2, 3, 71
ENTRIES = 200_000
# A page of a draw is as long as a verifier wants to ask for at once.
ROWS_OF_A_DRAW = 2_100

SALES = Filled(
    "sale",
    EVENTS,
    {
        "event_id": uid(EVENT, "n"),
        # One of ten lies ahead; the others were ended.
        "doors_open_at": f"now() + (n - {EVENTS * 9 // 10}) * interval '1 hour'",
        "starts_at": f"now() + (n - {EVENTS * 9 // 10}) * interval '1 hour' + interval '30 minutes'",
        "rate": "60",
        "rate_now": "60",
        "most_active": "100",
        "seed": "repeat('0', 64)",
        "ended": f"n <= {EVENTS * 9 // 10}",
        "drawn": "1000000",
        "last_number": "1000000",
        "drawn_at": "now()",
    },
)
CAME = Filled(
    "entry",
    ENTRIES,
    {
        "entry_id": uid(ENTRY, "n"),
        "event_id": uid(EVENT, f"CASE WHEN n % 4 = 0 THEN 1 ELSE 2 + n * 31 % {EVENTS - 1} END"),
        "person_id": uid(PERSON, "n"),
        "address": "'192.0.2.' || n % 250",
        "number": "n",
        "until": "now() - interval '1 day'",
        "passed": "true",
        "done": "n % 3 = 0",
    },
)
SOLUTIONS = Filled(
    "used_solution",
    20_000,
    {"solution_id": uid(72, "n"), "event_id": uid(EVENT, "n"), "expires_at": "now() + interval '1 hour'"},
)
CROWDED = UUID(uid_of(EVENT, 1))


async def reads(tx: Transaction) -> None:
    """What joining and the steps of a sale read."""
    await queries.from_address(tx, CROWDED, "192.0.2.7", 200)
    await queries.active(tx, CROWDED)
    await queries.number_late_comers(tx, CROWDED, 1_000_000)
    await queries.sales_under_way(tx, 5.0)
    await queries.lock_sale(tx, CROWDED)


_SALE = f"/sales/{CROWDED}"

GREW = Grew(
    create_app,
    WaitingroomSettings,
    Grown((SALES, CAME, SOLUTIONS, *of_the_chassis(uid(EVENT, "n"))), SMALL_OF_THE_CHASSIS),
    OPERATIONS,
    {
        "GET /sales/{event_id}": [Ask(_SALE)],
        "GET /sales/{event_id}/entry": [Ask(f"{_SALE}/entry", UUID(uid_of(PERSON, 1_000)))],
        "GET /sales/{event_id}/drawn": [
            Ask(f"{_SALE}/drawn", rows=ROWS_OF_A_DRAW),
            Ask(f"{_SALE}/drawn?after={uid_of(ENTRY, 150_000)}", rows=ROWS_OF_A_DRAW),
        ],
    },
    reads,
    {"inventory_url": "http://127.0.0.1:9"},
)
