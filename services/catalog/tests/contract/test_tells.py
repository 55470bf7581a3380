"""Catalog's facts are what their consumers need: those that a real import leaves in the outbox."""

from typing import Any

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import told_by, verify_facts
from services.catalog.events import EventChanged, EventPublished, SeatsPublished
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import as_file, event, plan, seated_event


async def test_catalog_tells_what_its_consumers_need(harness: Harness) -> None:
    database = Database(harness.settings(CatalogSettings))
    importer = Importer(database)
    told = [await told_after(importer, database, each) for each in (plan(), seated_event())][1]
    moved = {"startDate": "2031-06-21T20:00:00+02:00", "doorTime": "19:00"}
    changed = await told_after(importer, database, seated_event(**moved))
    offers = [offer | {"validFrom": "2031-01-10T10:00:00+01:00"} for offer in event()["offers"]]
    state = {"eventStatus": "https://schema.org/EventCancelled"}
    # Of some events less is known than of others.
    somewhere = {"@type": "Place", "name": "Saal", "address": {"addressLocality": "Köln"}}
    other = event(identifier="other", offers=offers, location=somewhere, **state)
    cancelled = await told_after(importer, database, other)
    published, change, seats = EventPublished.subject, EventChanged.subject, SeatsPublished.subject
    await verify_facts(
        "catalog",
        hearers=["inventory", "orders", "tickets", "web"],
        facts={
            published: told[published],
            f"{published} of a cancelled event": cancelled[published],
            change: changed[change],
            f"{change} of an event that has moved": changed[change],
            f"{change} of an event that is cancelled": cancelled[change],
            seats: told[seats],
        },
    )
    await database.close()


async def told_after(importer: Importer, database: Database, document: dict[str, Any]) -> dict[str, bytes]:
    """What is in the outbox after a file was loaded: of each subject the last."""
    content = read_file(as_file(document))
    if isinstance(content, list):
        await importer.import_events(content)
    else:
        await importer.import_seating_plan(content)
    return await told_by(database)
