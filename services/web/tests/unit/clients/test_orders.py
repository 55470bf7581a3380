"""How web waits for its own first click."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.http import ProviderUnavailable
from services.web.clients.orders import OrdersClient

IN_PROGRESS = httpx.Response(409, json={"code": "still_in_progress", "detail": "Ask again in a second."})
ORDER: dict[str, Any] = {
    "order_id": str(uuid4()),
    "number": "K7Q2-9MXA",
    "state": "held",
    "event_id": str(uuid4()),
    "event_title": "Hamlet",
    "event_starts_at": "2027-05-01T18:00:00Z",
    "event_time_zone": "Europe/Berlin",
    "venue_name": "Globe",
    "currency": "EUR",
    "total_minor": 2500,
    "lines": [],
    "created_at": "2027-04-01T18:00:00Z",
}


def client_of(answers: list[httpx.Response], keys: list[str]) -> OrdersClient:
    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    return OrdersClient(httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://orders"))


async def test_a_second_click_waits_for_the_answer_of_the_first() -> None:
    keys: list[str] = []
    orders = client_of([IN_PROGRESS, IN_PROGRESS, httpx.Response(201, json=ORDER)], keys)
    order = await orders.place("token", uuid4(), {uuid4(): 1}, [], "one-click")
    assert str(order.order_id) == ORDER["order_id"]
    assert keys == ["one-click"] * 3


async def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.web.clients.orders.FIRST_CLICK_PAUSE_SECONDS", 0.001)
    with pytest.raises(ProviderUnavailable):
        await client_of([IN_PROGRESS], []).place("token", uuid4(), {uuid4(): 1}, [], "one-click")
