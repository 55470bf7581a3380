"""inventory, as web sees it: what is still free."""

from typing import Literal
from uuid import UUID

from chassis.asking import Client, Read, Use
from services.web.clients.records import GET_RECORDS, Records


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


_EVENT = "/events/{event_id}"
_UNKNOWN = {"event_unknown": None}
GET_AVAILABILITY = Use("GET", f"{_EVENT}/availability", reads=Availability, refusals=_UNKNOWN)
GET_TAKEN_SEATS = Use("GET", f"{_EVENT}/seats", reads=TakenSeats, refusals=_UNKNOWN)


class InventoryClient(Client):
    """Asks inventory. Raises ProviderProblem for an event that it has not heard of yet."""

    provider = "inventory"
    uses = (GET_AVAILABILITY, GET_TAKEN_SEATS, GET_RECORDS)

    async def availability(self, event_id: UUID) -> dict[UUID, int]:
        """Free places by class."""
        answer = await self.ask(GET_AVAILABILITY, event_id=event_id)
        return {one.class_id: one.available for one in answer.classes}

    async def taken_seats(self, event_id: UUID) -> dict[str, str]:
        """`held` or `sold` by seat id; a seat that is not named is free."""
        answer = await self.ask(GET_TAKEN_SEATS, event_id=event_id)
        return {seat.seat_id: seat.state for seat in answer.taken}

    async def records(self, order_id: UUID) -> Records:
        """What inventory has recorded of an order, for support; nothing of one that it does not know."""
        return await self.ask(GET_RECORDS, order_id=order_id)
