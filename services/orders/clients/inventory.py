"""Inventory, as orders sees it: holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.asking import NOTHING, Client, Read, Sent, Use
from chassis.http import ProviderProblem
from services.orders.domain import HeldLine, Wish
from services.orders.refusals import (
    EventUnknown,
    NotOnSale,
    OrdersError,
    PassNeeded,
    PassUsed,
    PlaceUnknown,
    SeatsTaken,
    SoldOut,
)


@dataclass(frozen=True)
class Hold:
    """Places that inventory keeps for an order until a moment."""

    expires_at: datetime
    lines: tuple[HeldLine, ...]


class HoldLost(Exception):
    """Inventory cannot sell these places to this order any more."""


class _Place(Sent):
    class_id: UUID
    quantity: int = Field(ge=1, le=50)


class _HoldWanted(Sent):
    order_id: UUID
    places: list[_Place] = Field(max_length=50)
    seats: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(max_length=50)
    ttl_seconds: int = Field(ge=1)
    buyer_id: UUID
    admission: str | None = Field(max_length=2000)


class _TimeWanted(Sent):
    ttl_seconds: int = Field(ge=1)


class _Line(Read):
    class_id: UUID
    seat_id: str | None
    seat_label: str | None
    quantity: int


class _Hold(Read):
    expires_at: datetime
    lines: list[_Line]


class _Until(Read):
    expires_at: datetime


class _Left(Read):
    class_id: UUID
    available: int


class _Taken(Read):
    seat_ids: list[str]


class _Unsold(Read):
    begins_at: datetime | None


HOLD = Use(
    "PUT",
    "/events/{event_id}/holds/{hold_id}",
    reads=_Hold,
    statuses=(200, 201),
    sends=_HoldWanted,
    refusals={
        "sold_out": _Left,
        "seats_taken": _Taken,
        "not_on_sale": _Unsold,
        "place_unknown": None,
        "event_unknown": None,
        "pass_needed": None,
        "pass_used": None,
        "hold_gone": None,
        "hold_differs": None,
    },
)
_ENDED = {"hold_gone": None, "hold_unknown": None}
COMMIT = Use("POST", f"{HOLD.path}/commit", reads=NOTHING, refusals=_ENDED, repeatable=True)
PROLONG = Use("POST", f"{HOLD.path}/prolong", reads=_Until, sends=_TimeWanted, refusals=_ENDED, repeatable=True)
RELEASE = Use("POST", f"{HOLD.path}/release", reads=NOTHING, repeatable=True)


class InventoryClient(Client):
    """All calls are safe to repeat: the hold's id is ours. Raises `ProviderUnavailable` when the outcome is unknown."""

    provider = "inventory"
    uses = (HOLD, COMMIT, PROLONG, RELEASE)

    async def hold(self, wish: Wish, *, hold_id: UUID, order_id: UUID, buyer_id: UUID, ttl_seconds: int) -> Hold:
        """Holds places, all or nothing. Raises `SoldOut`, `SeatsTaken`, `NotOnSale`, `PlaceUnknown`, `EventUnknown`, `PassNeeded` or
        `PassUsed`."""
        body = _HoldWanted(
            order_id=order_id,
            places=[_Place(class_id=class_id, quantity=quantity) for class_id, quantity in wish.places],
            seats=list(wish.seats),
            ttl_seconds=ttl_seconds,
            buyer_id=buyer_id,
            admission=wish.admission,
        )
        try:
            hold = await self.ask(HOLD, body=body, event_id=wish.event_id, hold_id=hold_id)
        except ProviderProblem as problem:
            raise _refusal(problem, wish) from problem
        lines = tuple(HeldLine(line.class_id, line.seat_id, line.seat_label, line.quantity) for line in hold.lines)
        return Hold(hold.expires_at, lines)

    async def commit(self, event_id: UUID, hold_id: UUID) -> None:
        """Sells what is held. Raises `HoldLost` if that is not possible any more."""
        try:
            await self.ask(COMMIT, event_id=event_id, hold_id=hold_id)
        except ProviderProblem as problem:
            raise _lost(problem) from problem

    async def prolong(self, event_id: UUID, hold_id: UUID, *, seconds: int) -> datetime:
        """Asks for so long from now; until when the hold lasts. Raises `HoldLost` if it has ended."""
        try:
            hold = await self.ask(PROLONG, body=_TimeWanted(ttl_seconds=seconds), event_id=event_id, hold_id=hold_id)
        except ProviderProblem as problem:
            raise _lost(problem) from problem
        return hold.expires_at

    async def release(self, event_id: UUID, hold_id: UUID) -> None:
        """Gives places back, held or sold ones; also those of a hold that never arrived."""
        await self.ask(RELEASE, event_id=event_id, hold_id=hold_id)


def _lost(problem: ProviderProblem) -> HoldLost | ProviderProblem:
    return HoldLost() if problem.problem_code in _ENDED else problem


def _refusal(problem: ProviderProblem, wish: Wish) -> OrdersError | ProviderProblem:
    facts = problem.facts
    match problem.problem_code:
        case "sold_out":
            return SoldOut(problem.detail, facts.class_id, facts.available)
        case "not_on_sale":
            return NotOnSale(facts.begins_at)
        case "seats_taken":
            return SeatsTaken(problem.detail, facts.seat_ids)
        case "pass_needed":
            return PassNeeded(problem.detail)
        case "pass_used":
            return PassUsed(problem.detail)
        case "place_unknown":
            return PlaceUnknown()
        case "event_unknown":
            return EventUnknown(wish.event_id)
        case _:
            return problem
