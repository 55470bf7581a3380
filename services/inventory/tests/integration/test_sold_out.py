"""Sold out is said at once, without a lock, and is taken back when places come back."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.ids import uuid7
from chassis.testing import Harness
from services.inventory import sold_out
from services.inventory.app import create_app
from services.inventory.settings import InventorySettings
from services.inventory.tests.integration.conftest import Shop
from tracing.testing import Kept


async def test_none_left_is_another_refusal_than_too_few_left(shop: Shop) -> None:
    await shop.hold(standing=9)
    too_few = await shop.hold(standing=2)
    assert (too_few.status_code, too_few.json()["available"]) == (409, 1)
    await shop.hold(standing=1)
    none = await shop.hold(standing=1)
    assert (none.status_code, none.json()["code"], none.json()["available"]) == (410, "sold_out", 0)
    assert none.json()["held"] == 10
    assert "in carts" in none.json()["detail"]


async def test_all_sold_is_not_said_to_be_in_carts(shop: Shop) -> None:
    hold_id = uuid7()
    await shop.hold(standing=10, hold_id=hold_id)
    await shop.end(hold_id, "commit")
    assert (await shop.hold(standing=1)).json()["detail"] == "All of these places are sold. Choose others."


async def test_who_comes_too_late_waits_for_no_lock(shop: Shop) -> None:
    mine, order = uuid7(), uuid4()
    await shop.hold(standing=10, hold_id=mine, order_id=order)
    assert (await shop.hold(standing=1)).status_code == 410
    database = shop.app.app.state.service._databases[0]
    async with database.writer() as tx:
        await tx.execute(text("SELECT 1 FROM ticket_class FOR UPDATE"), name="test")
        refused = await asyncio.wait_for(asyncio.gather(*(shop.hold(standing=1) for _ in range(5))), 20)
    assert {answer.status_code for answer in refused} == {410}
    again = await shop.hold(standing=10, hold_id=mine, order_id=order)
    assert (again.status_code, again.json()["hold_id"]) == (200, str(mine)), (
        "A repetition gets its hold, sold out or not."
    )


async def test_those_who_come_too_late_together_are_looked_up_together(
    shop: Shop, kept_spans: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sold_out, "MEMORY_SECONDS", 60.0)
    mine, order = uuid7(), uuid4()
    await shop.hold(standing=10, hold_id=mine, order_id=order)
    await shop.hold(standing=1)
    before = len(kept_spans.named("inventory.holds_by_id"))
    wishes = [shop.hold(standing=1) for _ in range(39)]
    again, *refused = await asyncio.gather(shop.hold(standing=10, hold_id=mine, order_id=order), *wishes)
    assert again.status_code == 200
    assert {answer.status_code for answer in refused} == {410}
    assert len(kept_spans.named("inventory.holds_by_id")) - before <= 20


async def test_a_place_that_comes_back_is_sold_at_once(shop: Shop) -> None:
    hold_id = uuid7()
    await shop.hold(standing=10, hold_id=hold_id)
    for _ in range(20):
        assert (await shop.hold(standing=1)).status_code == 410
    await shop.end(hold_id, "release")
    assert (await shop.hold(standing=10)).status_code == 201


@pytest.fixture
async def beside(shop: Shop, harness: Harness, inventory_settings: InventorySettings) -> AsyncIterator[Shop]:
    """A second process of inventory on the same database."""
    async with harness.running(create_app, inventory_settings) as app:
        yield Shop(app, harness, shop.event_id, shop.standing, shop.stalls)


async def test_processes_side_by_side_sell_exactly_what_there_is(shop: Shop, beside: Shop) -> None:
    wishes = [each.hold(standing=1) for _ in range(20) for each in (shop, beside)]
    answers = await asyncio.gather(*wishes)
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [410] * 30
    freed = next(answer for answer in answers if answer.status_code == 201).json()["hold_id"]
    await beside.end(freed, "release")

    async def is_sold_by_the_other() -> bool:
        return (await shop.hold(standing=1)).status_code == 201

    await shop.harness.eventually(is_sold_by_the_other)
    assert await shop.rows("SELECT held, sold FROM ticket_class WHERE kind = 'general'") == [{"held": 10, "sold": 0}]
