"""Catalog after years: 100,000 events, nine of ten of them over."""

from datetime import UTC, datetime, timedelta
from hashlib import md5
from uuid import UUID

from chassis.db import Transaction
from services.catalog import queries
from services.catalog.app import create_app
from services.catalog.operations import OPERATIONS
from services.catalog.service import _cursor_of
from services.catalog.settings import CatalogSettings
from tests.grown.filling import EVENTS, SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

EVENT, VENUE, SEAT_MAP, CLASS = 3, 21, 22, 7
PLANS, SEATS_OF_A_PLAN = 100, 300
OVER = EVENTS * 9 // 10
# A search looks through the next thousand events, and then through those that have its letters: of a word that fills no page
# of them these are one in twenty, and most are over.
ROWS_OF_A_SEARCH = 6_200
STARTS = f"date_trunc('day', now()) + (n - {OVER}) * interval '30 minutes'"
_WORDS = (
    "' concert ' || (ARRAY['jazz', 'rock', 'choir', 'opera'])[n % 4 + 1] || CASE WHEN n % 25 = 0 THEN ' organ ' ELSE ' ' END"
    " || md5(CAST(n / 7 AS text)) || ' volkshaus zurich'"
)

VENUES = Filled(
    "venue",
    1_000,
    {
        "venue_id": uid(VENUE, "n"),
        "name": "'House ' || n",
        "street": "'Street ' || n",
        "city": "'Zürich'",
        "country": "'CH'",
    },
)
PLANS_OF_HOUSES = Filled(
    "seat_map",
    PLANS,
    {
        "seat_map_id": uid(SEAT_MAP, "n"),
        "name": "'House ' || n",
        "version": "1",
        "width": "100",
        "height": "100",
        "digest": "CAST(CAST(n AS text) AS bytea)",
        "document": """'{"name": "House", "version": 1}'""",
    },
)
SEATS = Filled(
    "seat",
    PLANS * SEATS_OF_A_PLAN,
    {
        "seat_map_id": uid(SEAT_MAP, f"1 + (n - 1) / {SEATS_OF_A_PLAN}"),
        "seat_id": "'seat-' || n",
        "ordinal": f"n % {SEATS_OF_A_PLAN}",
        "label": "'Seat ' || n",
        "category": "'A'",
    },
)
HAPPENINGS = Filled(
    "event",
    EVENTS,
    {
        "event_id": uid(EVENT, "n"),
        "identifier": "'https://example.org/events/' || n",
        "title": "'Concert ' || n",
        "description": "'An evening of music.'",
        "starts_at": STARTS,
        # One in two says when it ends; some last for months.
        "ends_at": f"CASE WHEN n % 1000 = 3 THEN {STARTS} + interval '90 days' WHEN n % 2 = 0 THEN {STARTS} + interval '3 hours' END",
        "time_zone": "'Europe/Zurich'",
        "organiser_name": "'Konzerte AG'",
        "image": "'/images/1.webp'",
        "venue_id": uid(VENUE, "1 + n % 1000"),
        "seat_map_id": f"CASE WHEN n % 3 = 0 THEN {uid(SEAT_MAP, f'1 + n % {PLANS}')} END",
        "currency": "'CHF'",
        "on_sale": "true",
        "max_per_order": "8",
        "search_text": _WORDS,
        "digest": "'\\x00'",
    },
)
CLASSES = Filled(
    "ticket_class",
    2 * EVENTS,
    {
        "class_id": uid(CLASS, "n"),
        "event_id": uid(EVENT, "(n + 1) / 2"),
        "position": "n % 2",
        "name": "'Class ' || n % 2",
        "kind": "'general'",
        "price_minor": "2500",
        "capacity": "1000",
    },
)


# The word of seven events that lie ahead.
RARE = md5(str((OVER + 700) // 7).encode(), usedforsecurity=False).hexdigest()


def _cursor(days: int) -> str:
    at = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
    return _cursor_of({"starts_at": at, "event_id": UUID(int=0)})  # type: ignore[arg-type]  # it reads these two alone


async def reads(tx: Transaction) -> None:
    """What an import reads."""
    await queries.newest_seat_map(tx, "House 7")
    await queries.seat_map_version(tx, UUID(uid_of(SEAT_MAP, 7)))
    await queries.seats_of(tx, UUID(uid_of(SEAT_MAP, 7)))
    await queries.event_state(tx, UUID(uid_of(EVENT, 7)))
    await queries.events_of_address(tx, "https://example.org/events/777")
    await queries.any_upcoming(tx)


GREW = Grew(
    create_app,
    CatalogSettings,
    Grown(
        (VENUES, PLANS_OF_HOUSES, SEATS, HAPPENINGS, CLASSES, *of_the_chassis(uid(EVENT, "n"))),
        SMALL_OF_THE_CHASSIS
        | {
            "venue": "There are only so many houses.",
            "seat_map": "A few versions of the plan of each house with seats.",
        },
    ),
    OPERATIONS,
    {
        "GET /events": [
            Ask("/events?limit=50"),
            Ask(f"/events?limit=50&after={_cursor(30)}"),
            Ask(f"/events?limit=50&after={_cursor(150)}"),
            Ask("/events?query=concert&limit=50", rows=ROWS_OF_A_SEARCH),
            Ask("/events?query=organ&limit=50", rows=ROWS_OF_A_SEARCH, blocks=ROWS_OF_A_SEARCH),
            Ask("/events?query=jazz+volkshaus&limit=50", rows=ROWS_OF_A_SEARCH),
            Ask(f"/events?query={RARE}", rows=ROWS_OF_A_SEARCH),
            Ask("/events?query=nobody+plays+this", rows=ROWS_OF_A_SEARCH),
        ],
        "GET /events/{event_id}": [Ask(f"/events/{uid_of(EVENT, OVER + 3)}")],
        "GET /seat-maps/{seat_map_id}": [Ask(f"/seat-maps/{uid_of(SEAT_MAP, 7)}")],
    },
    reads,
)
