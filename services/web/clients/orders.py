"""orders, as web sees it: checkout."""

import asyncio
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import httpx

from chassis.deadline import remaining_seconds
from chassis.http import ProviderProblem, ProviderUnavailable, expect
from services.web.clients.catalog import EventState
from services.web.clients.reading import Read, understood
from services.web.clients.records import Records, read_records

# How often, and how far apart, the answer to an earlier click is looked for: about four seconds.
FIRST_CLICK_LOOKS = 20
FIRST_CLICK_PAUSE_SECONDS = 0.2

# Of a person's open orders of one event, the newest are shown.
MOST_OPEN = 5

OPEN_STATES = frozenset({"placing", "held", "paying", "authorised", "committed"})

OrderState = Literal["placing", "held", "paying", "authorised", "committed", "confirmed", "cancelling", "cancelled"]


class OrderLine(Read):
    """Some places of one class, or one seat. Prices in minor units of the order's currency."""

    class_name: str
    seat_id: str | None = None
    seat_label: str | None = None
    quantity: int
    unit_price_minor: int


class Order(Read):
    """An order as its page shows it."""

    order_id: UUID
    number: str
    state: OrderState
    reason: str | None = None
    event_id: UUID
    event_title: str
    event_starts_at: datetime
    event_time_zone: str
    event_state: EventState = "scheduled"
    event_previous_starts_at: datetime | None = None
    venue_name: str
    currency: str
    total_minor: int
    lines: list[OrderLine]
    hold_expires_at: datetime | None = None
    hold_longest_until: datetime | None = None
    redirect_url: str | None = None
    last_decline: str | None = None
    created_at: datetime
    trace_id: str | None = None

    def told(self) -> dict[str, str | int]:
        """Which order this is and what it costs, for spans."""
        return {
            "onsale.order_id": str(self.order_id),
            "onsale.order_number": self.number,
            "onsale.event_id": str(self.event_id),
            "onsale.order_state": self.state,
            "onsale.total_minor": self.total_minor,
            "onsale.currency": self.currency,
        }


class OrderPage(Read):
    """Some orders, newest first, and where the next ones begin."""

    items: list[Order]
    next: str | None


class OrderHead(Read):
    """An order as support finds it. `attempts`: how often its present step has failed until now."""

    order_id: UUID
    number: str
    state: OrderState
    reason: str | None
    event_title: str
    event_starts_at: datetime
    event_time_zone: str
    venue_name: str
    places: int
    currency: str
    total_minor: int
    created_at: datetime
    held_at: datetime | None
    confirmed_at: datetime | None
    attempts: int
    trace_id: str | None


class OrderHeads(Read):
    """Orders that support looked for."""

    items: list[OrderHead]


class OrdersClient:
    """Asks orders, always for one person; and for support."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def place(
        self, token: str, event_id: UUID, places: dict[UUID, int], seats: list[str], idempotency_key: str
    ) -> Order:
        """Takes the places away for this person, for a while. While an earlier click of the same key is still at it, waits.

        ProviderProblem: `sold_out`, `seats_taken`, `not_on_sale`, `event_cancelled`, `too_many_places`, `no_places`, `event_unknown`,
        `order_still_open` (`order_id`).
        """
        body: dict[str, Any] = {
            "event_id": str(event_id),
            "places": [{"class_id": str(class_id), "quantity": quantity} for class_id, quantity in places.items()],
            "seats": seats,
        }
        for _ in range(FIRST_CLICK_LOOKS):
            response = await self._http.post(
                "/orders",
                json=body,
                headers={"Onsale-Person": token, "Idempotency-Key": idempotency_key},
                extensions={"route": "/orders"},
            )
            try:
                expect(response, 201, provider="orders")
            except ProviderProblem as problem:
                if problem.problem_code != "still_in_progress":
                    raise
                # The browser shows the answer to its last click only: it has to be the order, not that one is on its way.
                await asyncio.sleep(remaining_seconds(FIRST_CLICK_PAUSE_SECONDS))
            else:
                return _order(response)
        raise ProviderUnavailable("orders")

    async def order(self, token: str, order_id: UUID) -> Order:
        """One order of this person; ProviderProblem `order_unknown`, also if it is somebody else's."""
        response = await self._http.get(
            f"/orders/{order_id}", headers={"Onsale-Person": token}, extensions={"route": "/orders/{order_id}"}
        )
        expect(response, 200, provider="orders")
        return _order(response)

    async def open_for(self, token: str, event_id: UUID) -> list[Order]:
        """This person's orders that hold places of an event at this moment, newest first."""
        response = await self._http.get(
            "/orders",
            params={"limit": str(MOST_OPEN), "open_for": str(event_id)},
            headers={"Onsale-Person": token},
            extensions={"route": "/orders"},
        )
        expect(response, 200, provider="orders")
        with understood("orders", response):
            found = OrderPage.model_validate_json(response.content).items
        # A version of orders that does not know the question yet answers with all of them.
        return [order for order in found if order.event_id == event_id and order.state in OPEN_STATES]

    async def take_along(self, token: str, guest_token: str) -> None:
        """A guest has signed in: the open orders of the guest are now those of this person."""
        response = await self._http.post(
            "/orders/take-along",
            headers={"Onsale-Person": token, "Onsale-Guest": guest_token},
            extensions={"route": "/orders/take-along", "repeatable": True},
        )
        expect(response, 200, provider="orders")

    async def orders(self, token: str, after: str | None, limit: int) -> OrderPage:
        """This person's orders, newest first."""
        parameters = {"limit": str(limit)} | ({"after": after} if after else {})
        response = await self._http.get(
            "/orders", params=parameters, headers={"Onsale-Person": token}, extensions={"route": "/orders"}
        )
        expect(response, 200, provider="orders")
        with understood("orders", response):
            return OrderPage.model_validate_json(response.content)

    async def check_out(self, token: str, order_id: UUID, return_url: str) -> Order:
        """Starts paying; ProviderProblem `order_not_payable`, `hold_expired`, `event_cancelled`, `not_on_sale`."""
        return await self._step(token, order_id, "checkout", {"return_url": return_url})

    async def prolong(self, token: str, order_id: UUID) -> Order:
        """More time to pay; ProviderProblem `order_not_payable`, `hold_expired`."""
        return await self._step(token, order_id, "prolong", None)

    async def refresh(self, token: str, order_id: UUID) -> Order:
        """The payer has come back: ask the bank now."""
        return await self._step(token, order_id, "refresh", None)

    async def cancel(self, token: str, order_id: UUID) -> Order:
        """Gives the places back; ProviderProblem `order_not_cancellable`."""
        return await self._step(token, order_id, "cancel", None)

    async def with_number(self, number: str) -> list[OrderHead]:
        """The order of this number, for support: one or none."""
        response = await self._http.get(
            "/records/orders", params={"number": number}, extensions={"route": "/records/orders"}
        )
        return _heads(response)

    async def of_trace(self, trace_id: str) -> list[OrderHead]:
        """The orders that were placed in a trace, for support."""
        response = await self._http.get(
            "/records/orders", params={"trace_id": trace_id}, extensions={"route": "/records/orders"}
        )
        return _heads(response)

    async def records(self, order_id: UUID) -> Records:
        """What orders has recorded of an order, for support; nothing of one that it does not know."""
        route = "/records/orders/{order_id}"
        response = await self._http.get(f"/records/orders/{order_id}", extensions={"route": route})
        return read_records("orders", response)

    async def _step(self, token: str, order_id: UUID, step: str, body: dict[str, str] | None) -> Order:
        response = await self._http.post(
            f"/orders/{order_id}/{step}",
            json=body,
            headers={"Onsale-Person": token},
            extensions={"route": f"/orders/{{order_id}}/{step}"},
        )
        expect(response, 200, provider="orders")
        return _order(response)


def _heads(response: httpx.Response) -> list[OrderHead]:
    expect(response, 200, provider="orders")
    with understood("orders", response):
        return OrderHeads.model_validate_json(response.content).items


def _order(response: httpx.Response) -> Order:
    with understood("orders", response):
        return Order.model_validate_json(response.content)
