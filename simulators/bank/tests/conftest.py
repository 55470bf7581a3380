"""A merchant that listens for webhooks, and a bank that tells it."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.bank.testing import WEBHOOK_SECRET, RunningBank, running_bank

PATIENCE_SECONDS = 20.0


async def eventually(condition: Callable[[], bool]) -> None:
    """Polls until it holds. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110  # what is awaited happens in another process
            await asyncio.sleep(0.01)


@dataclass
class Merchant:
    """Receives webhooks on a port of its own; answers with `answers` one by one, then 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    attempts: int = 0

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One HTTP request, read by hand so that its raw bytes are checked."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        parts = dict(part.split("=", 1) for part in headers["bank-signature"].split(","))
        expected = hmac.new(WEBHOOK_SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        self.attempts += 1
        answer = self.answers.pop(0) if self.answers else 204
        if parts["v1"] != expected:
            answer = 401
        if answer == 204:
            self.received.append(json.loads(body))
        writer.write(f"HTTP/1.1 {answer} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    def types(self) -> list[str]:
        """What it received so far."""
        return [webhook["type"] for webhook in self.received]


@pytest.fixture
async def merchant() -> AsyncIterator[Merchant]:
    found = Merchant()
    server = await asyncio.start_server(found.receive, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks/bank"
    async with server:
        yield found


@dataclass
class Shop:
    """A running bank, and the payments that a merchant opens there."""

    bank: RunningBank
    opened: int = 0

    async def open(self, key: str = "", *, seconds: float = 600, **changes: Any) -> dict[str, Any]:
        self.opened += 1
        body = {
            "amount_minor": 4200,
            "currency": "EUR",
            "description": "2 places, Midsummer Night",
            "reference": "K7Q2-9MXA",
            "return_url": "http://shop.test/orders/1",
            "expires_at": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(),
            **changes,
        }
        response = await self.bank.http.put(f"/v1/payments/{key or f'key-{self.opened}'}", json=body)
        payment: dict[str, Any] = response.raise_for_status().json()
        return payment

    async def authorised(self, card: str) -> dict[str, Any]:
        """A payment that was authorised with this card."""
        payment = await self.open()
        await self.bank.pay(payment["redirect_url"], card)
        return payment

    async def operate(self, payment: dict[str, Any], operation: str, key: str) -> httpx.Response:
        return await self.bank.http.post(f"/v1/payments/{payment['id']}/{operation}", headers={"Idempotency-Key": key})

    async def status(self, payment: dict[str, Any]) -> str:
        response = await self.bank.http.get(f"/v1/payments/{payment['id']}")
        return str(response.raise_for_status().json()["status"])


@pytest.fixture
def quick() -> dict[str, str]:
    """Settings that make the slow cards take moments."""
    return {"BANK_SLOW_SECONDS": "0.6", "BANK_WEBHOOK_LATE_SECONDS": "0.5"}


@asynccontextmanager
async def running_shop(data: Path, merchant: Merchant, extra: dict[str, str]) -> AsyncIterator[Shop]:
    async with running_bank(data, webhook_url=merchant.url, extra=extra) as bank:
        yield Shop(bank)


@pytest.fixture
async def shop(tmp_path: Path, merchant: Merchant, quick: dict[str, str]) -> AsyncIterator[Shop]:
    async with running_shop(tmp_path / "bank.sqlite", merchant, quick) as found:
        yield found
