"""tickets, asked for a page that has more to say."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from chassis.http import ProviderUnavailable
from services.web.clients import tickets
from services.web.clients.tickets import TicketsClient


async def test_a_page_does_not_wait_long_for_tickets_that_do_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "PATIENCE_SECONDS", 0.05)
    never = asyncio.Event()

    async def silent(_: httpx.Request) -> httpx.Response:
        await never.wait()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(silent), base_url="http://tickets") as http:
        assert await TicketsClient(http).of_order_now("token", uuid4()) is None


async def test_tickets_that_cannot_be_asked_are_not_no_tickets() -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise ProviderUnavailable("tickets")

    async with httpx.AsyncClient(transport=httpx.MockTransport(away), base_url="http://tickets") as http:
        assert await TicketsClient(http).of_order_now("token", uuid4()) is None
    none = httpx.MockTransport(lambda _: httpx.Response(404, json={"code": "tickets_unknown"}))
    async with httpx.AsyncClient(transport=none, base_url="http://tickets") as http:
        assert await TicketsClient(http).of_order_now("token", uuid4()) == []
