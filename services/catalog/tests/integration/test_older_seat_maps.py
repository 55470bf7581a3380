"""Seat maps that were imported before rows said how they are described."""

import json
from importlib import import_module
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from chassis.db import Database
from chassis.migrations import engine_for
from chassis.testing import Harness
from services.catalog.domain import SeatingPlan
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import as_file, plan

migration = import_module("services.catalog.migrations.versions.0006_seat_maps_say_more")


def as_before(document: dict[str, Any]) -> dict[str, Any]:
    for zone in document["zones"]:
        for row in zone["rows"]:
            del row["name"], row["label_at"]
        for area in zone["areas"]:
            del area["lettering"]
    return document


def migrate(connection: Connection) -> dict[str, Any]:
    stored = json.loads(connection.execute(text("SELECT document FROM seat_map")).scalar_one())
    change = text("UPDATE seat_map SET document = :document")
    connection.execute(change, {"document": json.dumps(as_before(stored))})
    with Operations.context(MigrationContext.configure(connection)):
        migration.upgrade()
    found: dict[str, Any] = json.loads(connection.execute(text("SELECT document FROM seat_map")).scalar_one())
    return found


async def test_a_seat_map_of_before_says_what_pages_have_shown_of_it(harness: Harness) -> None:
    house = plan()
    house["zones"][0]["areas"] = [{"width": 9, "height": 9, "text": "STAGE"}]
    house["zones"][0]["rows"][1]["row_number"] = ""
    read = read_file(as_file(house))
    assert isinstance(read, SeatingPlan)
    settings = harness.settings(CatalogSettings)
    database = Database(settings)
    await Importer(database).import_seating_plan(read)
    await database.close()
    engine = engine_for(settings.database_url.get_secret_value())
    try:
        async with engine.begin() as connection:
            after = await connection.run_sync(migrate)
    finally:
        await engine.dispose()

    (zone,) = after["zones"]
    assert [(row["name"], row["label_at"]) for row in zone["rows"]] == [("Row A", "both"), ("", "both")]
    assert zone["areas"][0]["lettering"] is None
