"""Inventory's facts and bus messages are what their consumers need."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from uuid import uuid4

from chassis.db import Database
from chassis.testing import Harness, Overheard
from contracts.provider import encoded, provided, verify_facts, verify_messages
from services.inventory.app import create_app
from services.inventory.events import HoldExpired
from services.inventory.settings import InventorySettings
from services.inventory.tests.contract.test_is_asked import States

CHANGED = "bus.inventory.places_changed"


def a_hold_expired() -> HoldExpired:
    return HoldExpired(
        hold_id=uuid4(), event_id=uuid4(), order_id=uuid4(), expired_at=datetime(2031, 6, 21, 18, tzinfo=UTC)
    )


async def test_inventory_tells_what_its_consumers_need() -> None:
    await verify_facts("inventory", hearers=["orders"], facts={HoldExpired.subject: encoded(a_hold_expired())})


async def test_inventory_says_on_the_bus_what_its_consumers_need(harness: Harness) -> None:
    settings = harness.settings(InventorySettings)
    database = Database(settings)
    async with provided(create_app, settings, harness) as inventory:
        said = await harness.overhear(f"{CHANGED}.*")
        states = States(inventory, database)
        event = {"event_id": uuid4(), "class_id": uuid4(), "hold_id": uuid4(), "order_id": uuid4()}
        given = {name: str(value) for name, value in event.items()}

        async def next_after(happens: Awaitable[None]) -> Overheard:
            await happens
            return await asyncio.wait_for(said.get(), 10)

        messages = {f"{CHANGED} of places": await next_after(states.a_hold_of_two_places(given))}
        seated = given | {"event_id": str(uuid4()), "class_id": str(uuid4()), "seats": ["A1"], "hold_id": str(uuid4())}
        await states.an_event_with_free_seats(seated)
        messages |= {
            f"{CHANGED} of seats that are held": await next_after(states.hold(seated, seats=["A1"])),
            f"{CHANGED} of seats that are sold": await next_after(states.end(seated, "commit")),
            f"{CHANGED} of seats that are free": await next_after(states.end(seated, "release")),
        }
        await verify_messages("inventory", watchers=["web"], messages=messages)
    await database.close()
