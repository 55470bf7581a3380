"""A running `payments` with a real bank process, which sends its webhooks over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi import Response as HttpResponse

from chassis.ids import uuid7
from chassis.testing import Harness, RunningApp
from services.payments.app import create_app
from services.payments.settings import PaymentsSettings
from simulators.bank.testing import API_KEY, WEBHOOK_SECRET, RunningBank, running_bank

WORKERS_LOOK_EVERY_SECONDS = 0.1
BANK = {"BANK_SLOW_SECONDS": "1.2", "BANK_WEBHOOK_LATE_SECONDS": "1"}


@dataclass
class Forwarder:
    """The address that the bank knows: it hands webhooks on to the service, which is started after the bank."""

    url: str = ""
    target: httpx.AsyncClient | None = None
    received: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/webhooks/bank")
        async def forward(request: HttpRequest) -> HttpResponse:
            self.received += 1
            if self.target is None:
                return HttpResponse(status_code=503)
            headers = {"Bank-Signature": request.headers["bank-signature"]}
            answer = await self.target.post("/webhooks/bank", content=await request.body(), headers=headers)
            return HttpResponse(status_code=answer.status_code)

        return app


@dataclass
class Till:
    """`payments` as orders sees it, with the bank behind it and the payer in front of it."""

    harness: Harness
    app: RunningApp
    bank: RunningBank
    forwarder: Forwarder
    settings: PaymentsSettings

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self.harness.headers("orders", to="payments") | options.pop("headers", {})
        return await self.app.http.request(method, path, headers=headers, **options)

    def terms(self, **changes: Any) -> dict[str, Any]:
        return {
            "order_id": str(uuid7()),
            "amount_minor": 4200,
            "currency": "EUR",
            "description": "2 places, Midsummer Night",
            "return_url": "http://shop.test/orders/1",
            "pay_by": (datetime.now(UTC) + timedelta(minutes=10)).isoformat(),
        } | changes

    async def open(self, **changes: Any) -> dict[str, Any]:
        response = await self.call("PUT", f"/payments/{uuid7()}", json=self.terms(**changes))
        assert response.status_code == 201, response.text
        payment: dict[str, Any] = response.json()
        return payment

    async def authorised(self, card: str, **changes: Any) -> dict[str, Any]:
        """A payment that its payer authorised with a test card; known here after one refresh."""
        payment = await self.open(**changes)
        await self.bank.pay(payment["redirect_url"], card)
        refreshed = await self.call("GET", f"/payments/{payment['payment_id']}?refresh=true")
        assert refreshed.json()["state"] == "authorised", refreshed.text
        return payment

    async def capture(self, payment: dict[str, Any]) -> httpx.Response:
        return await self.call("POST", f"/payments/{payment['payment_id']}/capture")

    async def void(self, payment: dict[str, Any]) -> httpx.Response:
        return await self.call("POST", f"/payments/{payment['payment_id']}/void")

    async def state(self, payment: dict[str, Any]) -> str:
        response = await self.call("GET", f"/payments/{payment['payment_id']}")
        return str(response.json()["state"])

    async def becomes(self, payment: dict[str, Any], state: str) -> None:
        async def reached() -> bool:
            return await self.state(payment) == state

        await self.harness.eventually(reached)

    async def rows(self, statement: str, *parameters: Any) -> list[Any]:
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
        try:
            return list(await connection.fetch(statement, *parameters))
        finally:
            await connection.close()

    async def balances(self) -> dict[str, int]:
        rows = await self.rows("SELECT account, sum(amount_minor)::bigint AS total FROM ledger_entry GROUP BY account")
        return {row["account"]: row["total"] for row in rows}

    async def charges(self) -> list[str]:
        """What the bank booked, by its own ledger."""
        return [str(entry["kind"]) for entry in await self.bank.entries()]


@asynccontextmanager
async def running_till(harness: Harness, folder: Path, **changes: Any) -> AsyncIterator[Till]:
    forwarder = Forwarder()
    async with harness.serving(forwarder.app()) as address:
        webhook_url = f"{address}/webhooks/bank"
        async with running_bank(folder / "bank.sqlite", webhook_url=webhook_url, extra=BANK) as bank:
            values: dict[str, Any] = {
                "bank_url": bank.url,
                "bank_api_key": API_KEY,
                "bank_webhook_secret": WEBHOOK_SECRET,
                "ask_after_seconds": 60,
                "ask_again_seconds": 60,
                "ask_every_seconds": WORKERS_LOOK_EVERY_SECONDS,
            }
            settings = harness.settings(PaymentsSettings, **(values | changes))
            async with harness.running(create_app, settings) as app:
                forwarder.target = app.http
                yield Till(harness, app, bank, forwarder, settings)
                forwarder.target = None


@pytest.fixture
async def till(harness: Harness, tmp_path: Path) -> AsyncIterator[Till]:
    """Workers ask only after a minute, so what a test sees is what requests and webhooks did."""
    async with running_till(harness, tmp_path) as found:
        yield found


async def published_fact(harness: Harness, fact: str) -> dict[str, Any]:
    """The data of the next fact of payments with this name."""
    event = await harness.heard(f"events.payments.{fact}.v1")
    data: dict[str, Any] = event["data"]
    return data


def id_of(payment: dict[str, Any]) -> UUID:
    return UUID(payment["payment_id"])


async def together(*calls: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*calls))
