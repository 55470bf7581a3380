"""Inventory with a small event: ten places of general admission, and two rows of three seats."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from chassis.ids import uuid7
from chassis.testing import Harness, RunningApp
from services.inventory.app import create_app
from services.inventory.settings import InventorySettings

SEATS = ["A1", "A2", "A3", "B1", "B2", "B3"]


@dataclass
class Shop:
    """The running service and the event in it, with short ways to ask."""

    app: RunningApp
    harness: Harness
    event_id: UUID
    standing: UUID
    stalls: UUID

    async def hold(
        self,
        *,
        standing: int = 0,
        seats: list[str] | None = None,
        hold_id: UUID | None = None,
        ttl_seconds: int = 600,
        **more: Any,
    ) -> httpx.Response:
        places = [{"class_id": str(self.standing), "quantity": standing}] if standing else []
        order_id = more.pop("order_id", None) or uuid4()
        body = {"order_id": str(order_id), "places": places, "seats": seats or [], "ttl_seconds": ttl_seconds, **more}
        url = f"/events/{self.event_id}/holds/{hold_id or uuid7()}"
        return await self.app.http.put(url, json=body, headers=self.harness.headers("orders", to="inventory"))

    async def end(self, hold_id: str | UUID, how: str) -> httpx.Response:
        url = f"/events/{self.event_id}/holds/{hold_id}/{how}"
        return await self.app.http.post(url, headers=self.harness.headers("orders", to="inventory"))

    async def get(self, path: str, caller: str = "web") -> Any:
        url = f"/events/{self.event_id}/{path}"
        return (await self.app.http.get(url, headers=self.harness.headers(caller, to="inventory"))).json()

    async def left(self) -> dict[str, int]:
        names = {str(self.standing): "standing", str(self.stalls): "stalls"}
        found = await self.get("availability")
        return {names[each["class_id"]]: each["available"] for each in found["classes"]}

    async def rows(self, query: str) -> list[dict[str, Any]]:
        database = self.app.app.state.service._databases[0]
        async with database.reader() as reads:
            return [dict(row) for row in (await reads.execute(text(query), name="test")).mappings()]

    async def write(self, statement: str) -> None:
        async with self.app.app.state.service._databases[0].writer() as tx:
            await tx.execute(text(statement), name="test")


@pytest.fixture
def inventory_settings(harness: Harness) -> InventorySettings:
    return harness.settings(InventorySettings, sweep_every_seconds=0.1)


@pytest.fixture
async def shop(harness: Harness, inventory_settings: InventorySettings) -> AsyncIterator[Shop]:
    async with harness.running(create_app, inventory_settings) as app:
        made = Shop(app, harness, uuid4(), uuid4(), uuid4())
        await publish(made)
        yield made


async def publish(shop: Shop, capacity: int = 10, *, known: bool = True) -> None:
    """Tells of the event; with `known` waits until the first shard has heard of it."""
    classes = [
        {"class_id": str(shop.standing), "name": "Standing", "kind": "general", "capacity": capacity},
        {"class_id": str(shop.stalls), "name": "Stalls", "kind": "seated", "capacity": len(SEATS)},
    ]
    event = {"event_id": str(shop.event_id), "title": "Hamlet", "starts_at": "2027-01-01T19:00:00Z", "classes": classes}
    about = str(shop.event_id)
    await shop.harness.tell("events.catalog.event_published.v1", event, aggregate_id=about)
    seats = [{"seat_id": seat, "label": f"Seat {seat}", "class_id": str(shop.stalls)} for seat in SEATS]
    part = {"event_id": str(shop.event_id), "part": 1, "parts": 1, "seats": seats}
    await shop.harness.tell("events.catalog.seats_published.v1", part, aggregate_id=about)
    if known:
        await shop.harness.eventually(lambda: is_known(shop))


async def is_known(shop: Shop) -> bool:
    rows = await shop.rows("SELECT count(*) AS seats FROM seat")
    return bool(rows[0]["seats"] == len(SEATS))
