"""What inventory reads in the facts of waitingroom: whose places need a pass."""

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

waitingroom = hears("inventory", "waitingroom")

EVENT = an_id("inventory hears waitingroom: event")
CLASS = an_id("inventory hears waitingroom: class")


@pytest.fixture
async def database(harness: Harness) -> AsyncIterator[Database]:
    made = Database(harness.settings(InventorySettings))
    yield made
    await made.close()


async def test_places_of_a_scheduled_sale_need_a_pass(waitingroom: Hearing, database: Database) -> None:
    event = {"event_id": EVENT, "title": "Hamlet", "starts_at": datetime(2031, 6, 21, 18, tzinfo=UTC), "version": 1}
    standing = {"class_id": CLASS, "event_id": EVENT, "name": "Standing", "kind": "general", "capacity": 10}
    async with database.writer() as tx:
        await queries.upsert_event(tx, event, [standing])
    data = {"event_id": matchers.identifier(EVENT), "needs_pass": matchers.boolean(True)}
    with waitingroom.published("events.waitingroom.sale_scheduled.v1", data, about=EVENT) as fact:
        await deliver(make_inbox(), database, fact)
        async with database.writer() as tx:
            (row,) = (await queries.lock_classes(tx, EVENT, [CLASS])).values()
        assert row.needs_pass
