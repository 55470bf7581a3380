"""What waitingroom reads in the facts of orders: whose turn is over, since they have bought or given up."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.clock import utc_now
from chassis.db import Database
from chassis.ids import uuid7
from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.waitingroom import queries
from services.waitingroom.app import create_app
from services.waitingroom.settings import WaitingroomSettings

orders = hears("waitingroom", "orders")

BUYER = an_id("waitingroom hears orders: buyer")


@pytest.fixture
async def settings(harness: Harness) -> WaitingroomSettings:
    return harness.settings(WaitingroomSettings, inventory_url="http://inventory")


@pytest.fixture
async def database(settings: WaitingroomSettings) -> AsyncIterator[Database]:
    made = Database(settings)
    yield made
    await made.close()


async def somebody_inside(database: Database, event_id: UUID) -> None:
    """A sale in which the buyer has a pass."""
    now = utc_now()
    sale = {"doors_open_at": now - timedelta(hours=1), "starts_at": now, "rate": 60, "most_active": 10, "seed": "s"}
    entry_id = uuid7()
    async with database.writer() as tx:
        await queries.insert_sale(tx, {**sale, "event_id": event_id})
        await queries.join(tx, entry_id, event_id, BUYER, "a" * 64)
        await queries.draw_lots(tx, event_id, "s")
        await queries.give_turns(tx, event_id, 0, 1, turn_seconds=60)
        await queries.let_inside(tx, entry_id, pass_seconds=60)


async def active(database: Database, event_id: UUID) -> int:
    async with database.writer() as tx:
        return await queries.active(tx, event_id)


def data(event_id: UUID) -> dict[str, Any]:
    return {"event_id": matchers.identifier(event_id), "person_id": matchers.identifier(BUYER)}


async def test_who_has_bought_is_inside_no_more(
    orders: Hearing, settings: WaitingroomSettings, database: Database
) -> None:
    event_id = an_id("waitingroom hears orders: event, confirmed")
    inbox = create_app(settings).state.service.inboxes[0]
    await somebody_inside(database, event_id)
    assert await active(database, event_id) == 1
    with orders.published(
        "events.orders.order_confirmed.v1", data(event_id), about=event_id, flavour="of places"
    ) as fact:
        await deliver(inbox, database, fact)
        assert await active(database, event_id) == 0


async def test_who_has_given_up_is_inside_no_more(
    orders: Hearing, settings: WaitingroomSettings, database: Database
) -> None:
    event_id = an_id("waitingroom hears orders: event, cancelled")
    inbox = create_app(settings).state.service.inboxes[0]
    await somebody_inside(database, event_id)
    reason = matchers.one_of("buyer", "refused", "expired", "payment_failed", "places_gone", "event_cancelled")
    cancelled = {**data(event_id), "reason": reason}
    with orders.published(
        "events.orders.order_cancelled.v1", cancelled, about=event_id, flavour="without money"
    ) as fact:
        await deliver(inbox, database, fact)
        assert await active(database, event_id) == 0
