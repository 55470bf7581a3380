"""Catalog's facts are what their consumers need: those that a real import leaves in the outbox."""

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import told_by, verify_facts
from services.catalog.events import EventChanged, EventPublished, SeatsPublished
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import as_file, plan, seated_event


async def test_catalog_tells_what_its_consumers_need(harness: Harness) -> None:
    database = Database(harness.settings(CatalogSettings))
    importer = Importer(database)
    moved = seated_event(startDate="2031-06-21T20:00:00+02:00", doorTime="19:00")
    for content in (read_file(as_file(each)) for each in (plan(), seated_event(), moved)):
        if isinstance(content, list):
            await importer.import_events(content)
        else:
            await importer.import_seating_plan(content)
    told = await told_by(database)
    await verify_facts(
        "catalog",
        hearers=["inventory", "web"],
        facts={
            subject: told[subject] for subject in (EventPublished.subject, EventChanged.subject, SeatsPublished.subject)
        },
    )
    await database.close()
