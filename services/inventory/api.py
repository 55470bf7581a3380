"""Inventory's routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from chassis.documented import refuses
from chassis.identity import calls_from
from chassis.models import Request as Body
from chassis.models import Response as Answer
from services.inventory.domain import (
    MAX_PLACES_PER_HOLD,
    Busy,
    EventUnknown,
    HoldDiffers,
    HoldGone,
    HoldState,
    HoldUnknown,
    NotOnSale,
    PlaceUnknown,
    SeatsTaken,
    SeatState,
    SoldOut,
    TooManyPlaces,
    Want,
)
from services.inventory.granting import Granting
from services.inventory.service import Hold, Inventory
from tracing.spans import current_traceparent

Quantity = Annotated[int, Field(ge=1, le=MAX_PLACES_PER_HOLD)]
SeatId = Annotated[str, Field(min_length=1, max_length=100)]


class PlaceIn(Body):
    """Places of general admission."""

    class_id: UUID
    quantity: Quantity


class HoldIn(Body):
    """What is to be held, all or nothing."""

    order_id: UUID
    places: list[PlaceIn] = Field(default_factory=list, max_length=MAX_PLACES_PER_HOLD)
    seats: list[SeatId] = Field(default_factory=list, max_length=MAX_PLACES_PER_HOLD)
    ttl_seconds: int = Field(ge=1)


class ProlongIn(Body):
    """For how long from now a hold is wanted."""

    ttl_seconds: int = Field(ge=1)


class LineOut(Answer):
    """Part of a hold."""

    class_id: UUID
    seat_id: str | None
    seat_label: str | None
    quantity: int


class HoldOut(Answer):
    """A hold."""

    hold_id: UUID
    event_id: UUID
    order_id: UUID | None
    state: HoldState
    expires_at: datetime
    lines: list[LineOut]


class ClassOut(Answer):
    """A class and what is left of it."""

    class_id: UUID
    capacity: int
    available: int


class AvailabilityOut(Answer):
    """What is left of an event."""

    event_id: UUID
    classes: list[ClassOut]


class TakenSeatOut(Answer):
    """A seat that somebody has."""

    seat_id: str
    state: Literal[SeatState.HELD, SeatState.SOLD]


class SeatsOut(Answer):
    """The seats that are not free."""

    event_id: UUID
    taken: list[TakenSeatOut]


_HOLD_REFUSALS = refuses(
    EventUnknown, PlaceUnknown, NotOnSale, SoldOut, SeatsTaken, HoldDiffers, HoldGone, TooManyPlaces, Busy
)


def make_router(inventory: Inventory, granting: Granting, max_ttl_seconds: int) -> APIRouter:
    """Inventory's routes over its use cases."""
    router = APIRouter(tags=["inventory"])

    @router.put(
        "/events/{event_id}/holds/{hold_id}",
        dependencies=[calls_from("orders")],
        status_code=201,
        responses={**_HOLD_REFUSALS, 200: {"model": HoldOut, "description": "It was there."}},
    )
    async def place_hold(event_id: UUID, hold_id: UUID, body: HoldIn, response: Response) -> HoldOut:
        hold = await granting.grant(event_id, _want(hold_id, body, max_ttl_seconds))
        response.status_code = 201 if hold.new else 200
        return _out(hold)

    @router.get(
        "/events/{event_id}/holds/{hold_id}", dependencies=[calls_from("orders")], responses=refuses(HoldUnknown)
    )
    async def get_hold(event_id: UUID, hold_id: UUID) -> HoldOut:
        return _out(await inventory.hold(event_id, hold_id))

    @router.post(
        "/events/{event_id}/holds/{hold_id}/commit",
        dependencies=[calls_from("orders")],
        responses=refuses(HoldUnknown, HoldGone),
    )
    async def commit_hold(event_id: UUID, hold_id: UUID) -> HoldOut:
        return _out(await inventory.commit_hold(event_id, hold_id))

    @router.post(
        "/events/{event_id}/holds/{hold_id}/prolong",
        dependencies=[calls_from("orders")],
        responses=refuses(HoldUnknown, HoldGone),
    )
    async def prolong_hold(event_id: UUID, hold_id: UUID, body: ProlongIn) -> HoldOut:
        return _out(
            await inventory.prolong_hold(event_id, hold_id, min(body.ttl_seconds, max_ttl_seconds), max_ttl_seconds)
        )

    @router.post("/events/{event_id}/holds/{hold_id}/release", dependencies=[calls_from("orders")])
    async def release_hold(event_id: UUID, hold_id: UUID) -> HoldOut:
        return _out(await inventory.release_hold(event_id, hold_id))

    @router.get(
        "/events/{event_id}/availability",
        dependencies=[calls_from("web", "catalog", "waitingroom")],
        responses=refuses(EventUnknown),
    )
    async def get_availability(event_id: UUID) -> AvailabilityOut:
        rows = await inventory.availability(event_id)
        return AvailabilityOut(event_id=event_id, classes=[ClassOut.model_validate(row) for row in rows])

    @router.get("/events/{event_id}/seats", dependencies=[calls_from("web")], responses=refuses(EventUnknown))
    async def get_seats(event_id: UUID) -> SeatsOut:
        rows = await inventory.taken_seats(event_id)
        return SeatsOut(event_id=event_id, taken=[TakenSeatOut.model_validate(row) for row in rows])

    return router


def _want(hold_id: UUID, body: HoldIn, max_ttl_seconds: int) -> Want:
    places: dict[UUID, int] = {}
    for place in body.places:
        places[place.class_id] = places.get(place.class_id, 0) + place.quantity
    return Want(
        hold_id=hold_id,
        order_id=body.order_id,
        places=tuple(places.items()),
        seats=tuple(dict.fromkeys(body.seats)),
        ttl_seconds=min(body.ttl_seconds, max_ttl_seconds),
        traceparent=current_traceparent(),
    )


def _out(hold: Hold) -> HoldOut:
    return HoldOut(
        hold_id=hold.hold_id,
        event_id=hold.event_id,
        order_id=hold.order_id,
        state=hold.state,
        expires_at=hold.expires_at,
        lines=[LineOut.model_validate(line) for line in hold.lines],
    )
