"""Catalog's facts are what their consumers need: those that a real import leaves in the outbox."""

from typing import Any

from chassis.db import Database
from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import Published, published_by, verify_facts
from local.topology import hearers_of
from services.catalog.domain import stable_id
from services.catalog.events import EventChanged, EventPublished, SeatsPublished
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import as_file, plan, seated_event, whole_event

PLAY, OPERA = stable_id("event", "play"), stable_id("event", "opera")
STALLS, CIRCLE = (str(stable_id("class", "play", name)) for name in ("Stalls", "Circle"))
WHERE = {
    "time_zone": "Europe/Berlin",
    "venue_name": "Kleiner Saal",
    "venue_street": "Gasse 1",
    "venue_city": "Köln",
    "venue_country": "DE",
}
# Values that the facts must have, since the files say them.
THE_PLAY = {
    "event_id": PLAY,
    "title": "A Play",
    "starts_at": "2031-06-20T18:00:00Z",
    "classes": [
        {
            "class_id": class_id,
            "name": name,
            "kind": "seated",
            "capacity": 2,
            "obstacle": None,
            "sale_begins_at": None,
            "sale_ends_at": "2031-06-20T18:00:00Z",
        }
        for class_id, name in ((STALLS, "Stalls"), (CIRCLE, "Circle"))
    ],
}
ITS_SEATS = {
    "event_id": PLAY,
    "seats": [
        {
            "seat_id": f"{row}{number}",
            "label": f"Main, Row {row}, Seat {number}",
            "class_id": class_id,
            "row_id": f"0-{row_index}",
            "place_in_row": number,
        }
        for row_index, (row, class_id) in enumerate((("A", STALLS), ("B", CIRCLE)))
        for number in (1, 2)
    ],
}
THE_MOVED_PLAY = WHERE | {
    "event_id": PLAY,
    "version": 2,
    "state": "rescheduled",
    "changes": ["state", "starts_at", "doors_at", "codes"],
    "title": "A Play",
    "starts_at": "2031-06-21T18:00:00Z",
    "doors_at": "2031-06-21T17:00:00Z",
    "previous_starts_at": "2031-06-20T18:00:00Z",
    "code_edition": 3,
}
THE_OPERA = {
    "event_id": OPERA,
    "title": "An Opera",
    "starts_at": "2031-06-21T18:00:00Z",
    "classes": [
        {
            "class_id": str(stable_id("class", "opera", "Stalls")),
            "name": "Stalls",
            "kind": "general",
            "capacity": 40,
            "obstacle": "cancelled",
            "sale_begins_at": "2031-02-11T11:30:00Z",
            "sale_ends_at": "2031-06-19T16:00:00Z",
        },
        {
            "class_id": str(stable_id("class", "opera", "Standing")),
            "name": "Standing",
            "kind": "general",
            "capacity": 25,
            "obstacle": "cancelled",
            "sale_begins_at": "2031-01-10T09:00:00Z",
            "sale_ends_at": "2031-06-20T19:00:00Z",
        },
    ],
}
THE_CANCELLED_OPERA = {
    "event_id": OPERA,
    "version": 1,
    "state": "cancelled",
    "changes": ["state", "codes"],
    "title": "An Opera",
    "starts_at": "2031-06-21T18:00:00Z",
    "doors_at": None,
    "time_zone": "Europe/Berlin",
    "venue_name": "Saal",
    "venue_street": None,
    "venue_city": "Potsdam",
    "venue_country": None,
    "previous_starts_at": None,
    "code_edition": 3,
}


async def test_catalog_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    database = Database(harness.settings(CatalogSettings))
    importer = Importer(database)
    begun = [await published_after(importer, database, each) for each in (plan(), seated_event())][1]
    moved = {"startDate": "2031-06-21T20:00:00+02:00", "doorTime": "19:00", "onsale:codeEdition": 3}
    changed = await published_after(importer, database, seated_event(**moved))
    # Some files say less of their event.
    somewhere = {"@type": "Place", "name": "Saal", "address": {"addressLocality": "Potsdam"}}
    less = {"location": somewhere, "doorTime": None, "previousStartDate": None}
    state = {"eventStatus": "https://schema.org/EventCancelled"}
    cancelled = await published_after(
        importer, database, whole_event(identifier="opera", name="An Opera", **less, **state)
    )
    published, change, seats = EventPublished.subject, EventChanged.subject, SeatsPublished.subject
    await verify_facts(
        "catalog",
        hearers=hearers_of("catalog"),
        facts={
            published: Published(begun[published], THE_PLAY),
            f"{published} of a cancelled event": Published(cancelled[published], THE_OPERA),
            change: Published(changed[change], THE_MOVED_PLAY),
            f"{change} of an event that has moved": Published(changed[change], THE_MOVED_PLAY),
            f"{change} of an event that is cancelled": Published(cancelled[change], THE_CANCELLED_OPERA),
            seats: Published(begun[seats], ITS_SEATS),
        },
    )
    await database.close()


async def published_after(importer: Importer, database: Database, document: dict[str, Any]) -> dict[str, bytes]:
    """What is in the outbox after a file was loaded: of each subject the last."""
    content = read_file(as_file(document))
    if isinstance(content, list):
        await importer.import_events(content)
    else:
        await importer.import_seating_plan(content)
    return await published_by(database)
