"""Whoever changes several orders locks them in one order, so that two who do it at once wait for each other and not both for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from chassis.db import Transaction
from chassis.testing import Harness
from chassis.testing_databases import is_waited_for, somebody_else
from services.orders import queries
from services.orders.settings import OrdersSettings
from services.orders.tests.desk import NOWHERE, open_desk

EVENT, BUYER = uuid4(), uuid4()


async def look_at_orders_of_the_event(tx: Transaction) -> None:
    await queries.make_due_for_event(tx, EVENT)


async def hand_over_orders_of_the_buyer(tx: Transaction) -> None:
    await queries.change_person(tx, BUYER, uuid4())


@pytest.mark.parametrize("change", [look_at_orders_of_the_event, hand_over_orders_of_the_buyer])
async def test_orders_are_changed_in_the_order_of_their_ids(
    harness: Harness, change: Callable[[Transaction], Awaitable[None]]
) -> None:
    settings = harness.settings(OrdersSettings, catalog_url=NOWHERE, inventory_url=NOWHERE, payments_url=NOWHERE)
    first, second = sorted([uuid4(), uuid4()])
    lock = "SELECT FROM purchase_order WHERE order_id = $1 FOR UPDATE"
    async with open_desk(harness, settings) as desk:

        async def changed() -> None:
            async with desk.database.writer() as tx:
                await change(tx)

        # The second one lies before the first one: whoever goes through them as they lie begins with the wrong one.
        for order_id in (second, first):
            await desk.order(order_id=order_id, hold_id=uuid4(), person_id=BUYER, event_id=EVENT)
        async with somebody_else(settings.database_url.get_secret_value()) as other:
            await other.execute(lock, first)
            changing = asyncio.create_task(changed())
            await harness.eventually(lambda: is_waited_for(other))
            await other.execute(lock, second)
        await changing
