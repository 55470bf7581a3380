"""Orders with neighbours that do what a test wants."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from chassis.testing import Harness, RunningApp
from services.orders.app import create_app
from services.orders.settings import OrdersSettings
from services.orders.tests.integration.neighbours import Neighbours


@dataclass
class Desk:
    """The running service, with short ways to ask as one buyer."""

    app: RunningApp
    harness: Harness
    neighbours: Neighbours
    buyer: UUID = field(default_factory=uuid4)

    async def place(self, *, quantity: int = 2, key: str | None = None, **body: Any) -> httpx.Response:
        wanted = {
            "event_id": str(self.neighbours.event_id),
            "places": [{"class_id": str(self.neighbours.class_id), "quantity": quantity}],
        }
        headers = self.headers() | {"Idempotency-Key": key or str(uuid4())}
        return await self.app.http.post("/orders", json=wanted | body, headers=headers)

    async def act(self, order_id: str, what: str, **body: Any) -> httpx.Response:
        return await self.app.http.post(f"/orders/{order_id}/{what}", json=body or None, headers=self.headers())

    async def checkout(self, order_id: str) -> httpx.Response:
        return await self.act(order_id, "checkout", return_url="http://shop/orders/1/return")

    async def order(self, order_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.app.http.get(f"/orders/{order_id}", headers=self.headers())).json()
        return answer

    async def in_state(self, order_id: str, state: str) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            order = await self.order(order_id)
            return order if order["state"] == state else None

        found: dict[str, Any] = await self.harness.eventually(there)
        return found

    async def paying(self) -> dict[str, Any]:
        """An order whose buyer is at the bank."""
        order = (await self.place()).json()
        answer: dict[str, Any] = (await self.checkout(order["order_id"])).json()
        return answer

    def payment_of(self, order: dict[str, Any]) -> str:
        return str(order["redirect_url"].rsplit("/", 1)[1])

    def headers(self, person: UUID | None = None) -> dict[str, str]:
        return self.harness.headers("web", to="orders", person=person or self.buyer)

    async def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        database = self.app.app.state.service._databases[0]
        async with database.writer() as tx:
            result = await tx.execute(text(query), parameters, name="test")
            return [dict(row) for row in result.mappings()]


@pytest.fixture
def neighbours() -> Neighbours:
    return Neighbours()


@pytest.fixture
async def orders_settings(harness: Harness, neighbours: Neighbours) -> AsyncIterator[OrdersSettings]:
    async with harness.serving(neighbours.app()) as url:
        yield harness.settings(
            OrdersSettings, catalog_url=url, inventory_url=url, payments_url=url, saga_every_seconds=0.1
        )


@pytest.fixture
async def desk(harness: Harness, orders_settings: OrdersSettings, neighbours: Neighbours) -> AsyncIterator[Desk]:
    async with harness.running(create_app, orders_settings) as app:
        yield Desk(app, harness, neighbours)
