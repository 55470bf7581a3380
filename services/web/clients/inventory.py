"""inventory, as web sees it: what is still free."""

from typing import Literal
from uuid import UUID

import httpx

from chassis.http import expect
from services.web.clients.reading import Read, understood
from services.web.clients.records import Records, read_records


class ClassAvailability(Read):
    """How many places of a class may still be taken."""

    class_id: UUID
    available: int


class Availability(Read):
    """What is free, class by class."""

    classes: list[ClassAvailability]


class TakenSeat(Read):
    """A seat that cannot be taken now (`held`) or any more (`sold`)."""

    seat_id: str
    state: Literal["held", "sold"]


class TakenSeats(Read):
    """All seats of an event that are not free."""

    taken: list[TakenSeat]


class InventoryClient:
    """Asks inventory."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def availability(self, event_id: UUID) -> dict[UUID, int]:
        """Free places by class."""
        response = await self._http.get(
            f"/events/{event_id}/availability", extensions={"route": "/events/{event_id}/availability"}
        )
        expect(response, 200, provider="inventory")
        with understood("inventory", response):
            answer = Availability.model_validate_json(response.content)
        return {one.class_id: one.available for one in answer.classes}

    async def taken_seats(self, event_id: UUID) -> dict[str, str]:
        """`held` or `sold` by seat id; a seat that is not named is free."""
        response = await self._http.get(f"/events/{event_id}/seats", extensions={"route": "/events/{event_id}/seats"})
        expect(response, 200, provider="inventory")
        with understood("inventory", response):
            answer = TakenSeats.model_validate_json(response.content)
        return {seat.seat_id: seat.state for seat in answer.taken}

    async def records(self, order_id: UUID) -> Records:
        """What inventory has recorded of an order, for support; nothing of one that it does not know."""
        route = "/records/orders/{order_id}"
        response = await self._http.get(f"/records/orders/{order_id}", extensions={"route": route})
        return read_records("inventory", response)
