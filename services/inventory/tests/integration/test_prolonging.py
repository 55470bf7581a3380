"""Holds that are to last longer: from now, within a bound, and never shorter than before."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from services.inventory.tests.integration.conftest import Shop


async def prolong(shop: Shop, hold_id: str, ttl_seconds: int = 600) -> httpx.Response:
    url = f"/events/{shop.event_id}/holds/{hold_id}/prolong"
    headers = shop.harness.headers("orders", to="inventory")
    return await shop.app.http.post(url, json={"ttl_seconds": ttl_seconds}, headers=headers)


def until(hold: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(hold["expires_at"])


async def test_a_hold_lasts_so_long_from_now_and_keeps_its_places(shop: Shop) -> None:
    hold = (await shop.hold(standing=2, ttl_seconds=60)).json()
    longer = await prolong(shop, hold["hold_id"])
    assert (longer.status_code, longer.json()["state"]) == (200, "held")
    assert until(longer.json()) - until(hold) > timedelta(seconds=500)
    assert longer.json()["lines"] == hold["lines"]
    assert (await shop.left())["standing"] == 8


async def test_less_time_than_there_is_changes_nothing(shop: Shop) -> None:
    hold = (await shop.hold(standing=2, ttl_seconds=600)).json()
    assert until((await prolong(shop, hold["hold_id"], ttl_seconds=5)).json()) == until(hold)


async def test_no_hold_lasts_longer_than_the_longest_however_often_it_is_asked(shop: Shop) -> None:
    hold = (await shop.hold(standing=2, ttl_seconds=600)).json()
    await shop.write("UPDATE hold SET created_at = now() - interval '59 minutes'")
    first = until((await prolong(shop, hold["hold_id"], ttl_seconds=3600)).json())
    assert first == until((await prolong(shop, hold["hold_id"], ttl_seconds=3600)).json()) == until(hold)


async def test_what_is_no_hold_any_more_is_gone(shop: Shop) -> None:
    hold = (await shop.hold(standing=2)).json()
    await shop.end(hold["hold_id"], "release")
    refused = await prolong(shop, hold["hold_id"])
    assert (refused.status_code, refused.json()["code"]) == (410, "hold_gone")
    unknown = await prolong(shop, str(uuid4()))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "hold_unknown")
