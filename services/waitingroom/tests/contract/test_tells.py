"""Waitingroom's facts and bus messages are what their consumers need: those that a real sale leaves."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from chassis.clock import utc_now
from chassis.db import Database
from chassis.statements import text
from chassis.testing import Harness, Overheard
from contracts.consumer import with_tracing
from contracts.provider import Published, provided, published_by, verify_facts, verify_messages
from local.topology import hearers_of, watchers_of
from services.waitingroom.app import create_app
from services.waitingroom.service.sales import Announced, Sales
from services.waitingroom.settings import WaitingroomSettings

MOVED = "bus.waitingroom.queue_moved"
NOWHERE = "http://127.0.0.1:9"
_JOINED = text(
    "INSERT INTO entry (entry_id, event_id, person_id, address) VALUES (:entry_id, :event_id, :person_id, '')"
)


async def test_waitingroom_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    settings = harness.settings(WaitingroomSettings, inventory_url=NOWHERE)
    database = Database(settings)
    event_id, now = uuid4(), utc_now()
    async with provided(create_app, settings, harness):
        await Sales(database).announce(event_id, Announced(now, now + timedelta(hours=1), 60, 100))
        known = {"event_id": str(event_id), "needs_pass": True}
        facts = {subject: Published(body, known) for subject, body in (await published_by(database)).items()}
        await verify_facts("waitingroom", hearers=hearers_of("waitingroom"), facts=facts)
    await database.close()


async def test_waitingroom_says_up_to_which_number_people_are_let_in(harness: Harness) -> None:
    settings = harness.settings(WaitingroomSettings, inventory_url=NOWHERE, step_seconds=0.05)
    database, event_id, now = Database(settings), uuid4(), utc_now()
    with_tracing()
    async with provided(create_app, settings, harness):
        said = await harness.overhear(f"{MOVED}.*")
        await Sales(database).announce(event_id, Announced(now - timedelta(1), now + timedelta(seconds=1), 60_000, 10))
        async with database.writer() as tx:
            joined = {"entry_id": uuid4(), "event_id": event_id, "person_id": uuid4()}
            await tx.execute(_JOINED, joined, name="tests.join")
        message: Overheard = await asyncio.wait_for(said.get(), 20)
        known = {"event_id": event_id, "serving": 1}
        messages = {MOVED: Published(message.body, known, message.headers)}
        await verify_messages("waitingroom", watchers=watchers_of("waitingroom"), messages=messages)
    await database.close()
