"""Inventory, as orders sees it: holds."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx
from pydantic import BaseModel

from chassis.http import ProviderProblem, expect
from services.orders.domain import (
    EventUnknown,
    HeldLine,
    NotOnSale,
    OrdersError,
    PlaceUnknown,
    SeatsTaken,
    SoldOut,
    Wish,
)

HOLD = "/events/{event_id}/holds/{hold_id}"


@dataclass(frozen=True)
class Hold:
    """Places that inventory keeps for an order until a moment."""

    expires_at: datetime
    lines: tuple[HeldLine, ...]


class HoldLost(Exception):
    """Inventory cannot sell these places to this order any more."""


class _Line(BaseModel):
    class_id: UUID
    seat_id: str | None
    seat_label: str | None
    quantity: int


class _Hold(BaseModel):
    expires_at: datetime
    lines: list[_Line]


class _Left(BaseModel):
    class_id: UUID
    available: int


class _Unsold(BaseModel):
    begins_at: datetime | None


class InventoryClient:
    """All calls are safe to repeat: the hold's id is ours. Raises `ProviderUnavailable` when the outcome is unknown."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def hold(self, wish: Wish, *, hold_id: UUID, order_id: UUID, ttl_seconds: int) -> Hold:
        """Holds places, all or nothing. Raises `SoldOut`, `SeatsTaken`, `NotOnSale`, `PlaceUnknown` or `EventUnknown`."""
        body = {
            "order_id": str(order_id),
            "places": [{"class_id": str(class_id), "quantity": quantity} for class_id, quantity in wish.places],
            "seats": list(wish.seats),
            "ttl_seconds": ttl_seconds,
        }
        response = await self._http.put(_address(wish.event_id, hold_id), json=body, extensions={"route": HOLD})
        try:
            expect(response, 200, 201, provider="inventory")
        except ProviderProblem as problem:
            raise _refusal(problem, wish) from problem
        return _read(response)

    async def commit(self, event_id: UUID, hold_id: UUID) -> None:
        """Sells what is held. Raises `HoldLost` if that is not possible any more."""
        response = await self._end(event_id, hold_id, "commit")
        try:
            expect(response, 200, provider="inventory")
        except ProviderProblem as problem:
            if problem.problem_code in {"hold_gone", "hold_unknown"}:
                raise HoldLost from problem
            raise

    async def prolong(self, event_id: UUID, hold_id: UUID, *, seconds: int) -> datetime:
        """Asks for so long from now; until when the hold lasts. Raises `HoldLost` if it has ended."""
        response = await self._http.post(
            f"{_address(event_id, hold_id)}/prolong",
            json={"ttl_seconds": seconds},
            extensions={"route": f"{HOLD}/prolong", "repeatable": True},
        )
        try:
            expect(response, 200, provider="inventory")
        except ProviderProblem as problem:
            if problem.problem_code in {"hold_gone", "hold_unknown"}:
                raise HoldLost from problem
            raise
        return _read(response).expires_at

    async def release(self, event_id: UUID, hold_id: UUID) -> None:
        """Gives places back, held or sold ones; also those of a hold that never arrived."""
        expect(await self._end(event_id, hold_id, "release"), 200, provider="inventory")

    async def _end(self, event_id: UUID, hold_id: UUID, how: str) -> httpx.Response:
        extensions = {"route": f"{HOLD}/{how}", "repeatable": True}
        return await self._http.post(f"{_address(event_id, hold_id)}/{how}", extensions=extensions)


def _read(response: httpx.Response) -> Hold:
    hold = _Hold.model_validate_json(response.content)
    lines = tuple(HeldLine(line.class_id, line.seat_id, line.seat_label, line.quantity) for line in hold.lines)
    return Hold(hold.expires_at, lines)


def _address(event_id: UUID, hold_id: UUID) -> str:
    return f"/events/{event_id}/holds/{hold_id}"


def _refusal(problem: ProviderProblem, wish: Wish) -> OrdersError | ProviderProblem:
    match problem.problem_code:
        case "sold_out":
            left = _Left.model_validate(problem.facts)
            return SoldOut(problem.detail, left.class_id, left.available)
        case "not_on_sale":
            return NotOnSale(_Unsold.model_validate(problem.facts).begins_at)
        case "seats_taken":
            return SeatsTaken(problem.detail, problem.facts.get("seat_ids", []))
        case "place_unknown":
            return PlaceUnknown()
        case "event_unknown":
            return EventUnknown(wish.event_id)
        case _:
            return problem
