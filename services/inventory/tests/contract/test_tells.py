"""Inventory's facts and bus messages are what their consumers need: those that real holds leave in the outbox and on the bus."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from chassis.db import Database
from chassis.testing import Harness, Overheard
from contracts.consumer import with_tracing
from contracts.provider import Published, provided, published_by, verify_facts, verify_messages
from local.topology import hearers_of, watchers_of
from services.inventory.app import create_app
from services.inventory.settings import InventorySettings
from services.inventory.tests.contract.test_is_asked import States

CHANGED = "bus.inventory.places_changed"


async def expire(database: Database, hold_id: str) -> None:
    """Lets the time of a hold pass."""
    query = text("UPDATE hold SET expires_at = now() - interval '1 second' WHERE hold_id = :hold_id")
    async with database.writer() as tx:
        await tx.execute(query, {"hold_id": hold_id}, name="contracts.expire")


async def test_inventory_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    settings = harness.settings(InventorySettings)
    database = Database(settings)
    async with provided(create_app, settings, harness) as inventory:
        states = States(inventory, database)
        given = {name: str(uuid4()) for name in ("event_id", "class_id", "hold_id", "order_id")}
        await states.an_event_with_free_places(given, capacity=2)
        await states.hold(given)
        await expire(database, given["hold_id"])
        # Who wants the same places now gets them, whether or not the sweeper was here first.
        await states.hold(given | {"hold_id": str(uuid4()), "order_id": str(uuid4())})
        known = {name: given[name] for name in ("event_id", "hold_id", "order_id")}
        facts = {subject: Published(body, known) for subject, body in (await published_by(database)).items()}
        await verify_facts("inventory", hearers=hearers_of("inventory"), facts=facts)
    await database.close()


async def test_inventory_says_on_the_bus_what_its_consumers_need(harness: Harness) -> None:
    settings = harness.settings(InventorySettings)
    database = Database(settings)
    async with provided(create_app, settings, harness) as inventory:
        said = await harness.overhear(f"{CHANGED}.*")
        states = States(inventory, database)
        event = {"event_id": uuid4(), "class_id": uuid4(), "hold_id": uuid4(), "order_id": uuid4()}
        given = {name: str(value) for name, value in event.items()}

        async def next_after(happens: Awaitable[None], about: dict[str, Any], *seats: dict[str, str]) -> Published:
            await happens
            message: Overheard = await asyncio.wait_for(said.get(), 10)
            known = {"event_id": about["event_id"], "classes": [about["class_id"]], "seats": list(seats)}
            return Published(message.body, known, message.headers)

        messages = {f"{CHANGED} of places": await next_after(states.a_hold_of_two_places(given), given)}
        seated = given | {"event_id": str(uuid4()), "class_id": str(uuid4()), "seats": ["A1"], "hold_id": str(uuid4())}
        await states.an_event_with_free_seats(seated)
        happens = {
            "held": states.hold(seated, seats=["A1"]),
            "sold": states.end(seated, "commit"),
            "free": states.end(seated, "release"),
        }
        for state, happening in happens.items():
            seat = {"seat_id": "A1", "state": state}
            messages[f"{CHANGED} of seats that are {state}"] = await next_after(happening, seated, seat)
        await verify_messages("inventory", watchers=watchers_of("inventory"), messages=messages)
    await database.close()
