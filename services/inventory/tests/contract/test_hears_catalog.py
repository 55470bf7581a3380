"""What inventory reads in the facts of catalog."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from chassis.db import Database
from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.inventory import queries
from services.inventory.inbox import make_inbox
from services.inventory.settings import InventorySettings

catalog = hears("inventory", "catalog")

EVENT = an_id("inventory hears catalog: event")
CLASS = an_id("inventory hears catalog: class")


@pytest.fixture
async def database(harness: Harness) -> AsyncIterator[Database]:
    made = Database(harness.settings(InventorySettings))
    yield made
    await made.close()


async def test_a_published_event_becomes_places(catalog: Hearing, database: Database) -> None:
    published = {
        "class_id": matchers.identifier(CLASS),
        "name": matchers.text("Standing"),
        "kind": matchers.one_of("general", "seated"),
        "capacity": matchers.integer(10),
        "obstacle": matchers.nothing(),
        "sale_begins_at": matchers.nothing(),
        "sale_ends_at": matchers.timestamp("2031-06-21T18:00:00Z"),
    }
    data = {
        "event_id": matchers.identifier(EVENT),
        "title": matchers.text("Hamlet"),
        "starts_at": matchers.timestamp(),
        "classes": matchers.several(published),
    }
    with catalog.published("events.catalog.event_published.v1", data, about=EVENT) as event:
        await deliver(make_inbox(), database, event)
        async with database.reader() as reads:
            (row,) = await queries.availability(reads, EVENT)
        assert (row["class_id"], row["capacity"], row["available"]) == (CLASS, 10, 10)


async def test_places_are_not_on_sale_before_their_sale_begins_nor_when_there_is_an_obstacle(
    catalog: Hearing, database: Database
) -> None:
    published = {
        "class_id": matchers.identifier(CLASS),
        "name": matchers.text("Standing"),
        "kind": matchers.one_of("general", "seated"),
        "capacity": matchers.integer(10),
        "obstacle": matchers.one_of(
            "cancelled", "postponed", "moved_online", "not_on_sale", "sold_out", "not_yet", "box_office", "discontinued"
        ),
        "sale_begins_at": matchers.timestamp("2031-01-10T09:00:00Z"),
        "sale_ends_at": matchers.timestamp("2031-06-21T18:00:00Z"),
    }
    data = {
        "event_id": matchers.identifier(EVENT),
        "title": matchers.text("Hamlet"),
        "starts_at": matchers.timestamp(),
        "classes": matchers.several(published),
    }
    subject = "events.catalog.event_published.v1"
    with catalog.published(subject, data, about=EVENT, flavour="of a cancelled event") as event:
        await deliver(make_inbox(), database, event)
        async with database.writer() as tx:
            row = (await queries.lock_classes(tx, EVENT, [CLASS]))[CLASS]
        assert row.is_on_sale is False


async def test_published_seats_can_be_taken(catalog: Hearing, database: Database) -> None:
    known = {"event_id": EVENT, "title": "Hamlet", "starts_at": datetime(2031, 6, 21, 18, tzinfo=UTC), "version": 0}
    async with database.writer() as tx:
        classes = {"class_id": CLASS, "event_id": EVENT, "name": "Stalls", "kind": "seated", "capacity": 1}
        await queries.upsert_event(tx, known, [classes])
    seat = {
        "seat_id": matchers.text("A1"),
        "label": matchers.text("Row A"),
        "class_id": matchers.identifier(CLASS),
        "row_id": matchers.text("0-0"),
        "place_in_row": matchers.integer(1),
    }
    data = {"event_id": matchers.identifier(EVENT), "seats": matchers.several(seat)}
    with catalog.published("events.catalog.seats_published.v1", data, about=EVENT) as event:
        await deliver(make_inbox(), database, event)
        async with database.writer() as tx:
            seats = await queries.lock_seats(tx, EVENT, ["A1"])
        assert seats["A1"].label == "Row A"
