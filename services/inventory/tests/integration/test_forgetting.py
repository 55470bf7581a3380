"""Holds that came to nothing long ago are forgotten; what was sold, and what somebody may still ask about, stays."""

from uuid import uuid4

import pytest

from services.inventory.forgetting import ForgetHolds
from services.inventory.shards import Shards
from services.inventory.tests.integration.conftest import Shop

KEPT_DAYS = 120


def forget(shop: Shop) -> ForgetHolds:
    return ForgetHolds(Shards(shop.app.app.state.service._databases), KEPT_DAYS)


async def ended(shop: Shop, state: str, days: int) -> str:
    """A hold that ended so many days ago, as its row stands then."""
    hold_id = (await shop.hold(standing=1)).json()["hold_id"]
    if state != "held":
        await shop.end(hold_id, "commit" if state == "committed" else "release")
    if state == "expired":
        await shop.write(f"DELETE FROM hold_change WHERE hold_id = '{hold_id}'")  # noqa: S608
        await shop.write(f"DELETE FROM hold WHERE hold_id = '{hold_id}'")  # noqa: S608
        values = f"('{hold_id}', '{shop.event_id}', '{uuid4()}', 'expired', now(), '[]')"
        await shop.write(f"INSERT INTO hold (hold_id, event_id, order_id, state, expires_at, lines) VALUES {values}")  # noqa: S608
    await shop.write(f"UPDATE hold SET expires_at = now() - interval '{days} days' WHERE hold_id = '{hold_id}'")  # noqa: S608
    await shop.write(f"INSERT INTO used_pass (pass_id, hold_id) VALUES ('{uuid4()}', '{hold_id}')")  # noqa: S608
    return str(hold_id)


@pytest.mark.parametrize("state", ["released", "expired"])
async def test_what_came_to_nothing_long_ago_is_forgotten_with_all_that_was_noted_of_it(shop: Shop, state: str) -> None:
    await ended(shop, state, KEPT_DAYS + 1)
    young = await ended(shop, state, KEPT_DAYS - 1)
    sold = await ended(shop, "committed", KEPT_DAYS + 1)
    assert await forget(shop)() == 1
    for table in ("hold", "used_pass"):
        kept = await shop.rows(f"SELECT hold_id FROM {table}")  # noqa: S608
        assert {str(row["hold_id"]) for row in kept} == {young, sold}
    noted = {str(row["hold_id"]) for row in await shop.rows("SELECT hold_id FROM hold_change")}
    assert noted == ({young, sold} if state == "released" else {sold})
    assert await forget(shop)() == 0
    assert (await shop.left())["standing"] == 9


async def test_a_batch_at_a_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.inventory.forgetting.BATCH", 2)
    for _ in range(3):
        await ended(shop, "released", KEPT_DAYS + 1)
    assert [await forget(shop)() for _ in range(3)] == [2, 1, 0]
