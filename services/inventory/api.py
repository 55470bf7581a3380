"""Inventory's routes."""

from uuid import UUID

from fastapi import APIRouter, Response

from chassis.operations import serves
from services.inventory.domain import Wish
from services.inventory.granting import Granting
from services.inventory.operations import (
    COMMIT_HOLD,
    GET_AVAILABILITY,
    GET_CROWD,
    GET_HOLD,
    GET_SEATS,
    PLACE_HOLD,
    PROLONG_HOLD,
    RELEASE_HOLD,
    AvailabilityOut,
    ClassOut,
    CrowdOut,
    HoldIn,
    HoldOut,
    LineOut,
    ProlongIn,
    SeatsOut,
    TakenSeatOut,
)
from services.inventory.passes import PassVerifier
from services.inventory.service import Hold, Inventory
from tracing.spans import current_traceparent, note


def make_router(inventory: Inventory, granting: Granting, passes: PassVerifier, max_ttl_seconds: int) -> APIRouter:
    """Inventory's routes over its use cases."""
    router = APIRouter(tags=["inventory"])

    @serves(router, PLACE_HOLD)
    async def place_hold(event_id: UUID, hold_id: UUID, body: HoldIn, response: Response) -> HoldOut:
        hold = await granting.grant(
            event_id,
            _wish(hold_id, body, max_ttl_seconds, passes.pass_id(body.admission, event_id, body.buyer_id)),
        )
        response.status_code = 201 if hold.new else 200
        return _out(hold)

    @serves(router, GET_HOLD)
    async def get_hold(event_id: UUID, hold_id: UUID) -> HoldOut:
        return _out(await inventory.hold(event_id, hold_id))

    @serves(router, COMMIT_HOLD)
    async def commit_hold(event_id: UUID, hold_id: UUID) -> HoldOut:
        return _out(await inventory.commit_hold(event_id, hold_id))

    @serves(router, PROLONG_HOLD)
    async def prolong_hold(event_id: UUID, hold_id: UUID, body: ProlongIn) -> HoldOut:
        return _out(
            await inventory.prolong_hold(event_id, hold_id, min(body.ttl_seconds, max_ttl_seconds), max_ttl_seconds)
        )

    @serves(router, RELEASE_HOLD)
    async def release_hold(event_id: UUID, hold_id: UUID) -> HoldOut:
        return _out(await inventory.release_hold(event_id, hold_id))

    @serves(router, GET_AVAILABILITY)
    async def get_availability(event_id: UUID) -> AvailabilityOut:
        rows = await inventory.availability(event_id)
        return AvailabilityOut(event_id=event_id, classes=[ClassOut.model_validate(row) for row in rows])

    @serves(router, GET_CROWD)
    async def get_crowd(event_id: UUID) -> CrowdOut:
        left, in_carts = await inventory.crowd(event_id)
        note({"onsale.places_left": left})
        return CrowdOut(left=left, in_carts=in_carts, wait_seconds=granting.wait_seconds(event_id))

    @serves(router, GET_SEATS)
    async def get_seats(event_id: UUID) -> SeatsOut:
        rows = await inventory.taken_seats(event_id)
        return SeatsOut(event_id=event_id, taken=[TakenSeatOut.model_validate(row) for row in rows])

    return router


def _wish(hold_id: UUID, body: HoldIn, max_ttl_seconds: int, pass_id: UUID | None) -> Wish:
    places: dict[UUID, int] = {}
    for place in body.places:
        places[place.class_id] = places.get(place.class_id, 0) + place.quantity
    return Wish(
        hold_id=hold_id,
        order_id=body.order_id,
        places=tuple(places.items()),
        seats=tuple(dict.fromkeys(body.seats)),
        ttl_seconds=min(body.ttl_seconds, max_ttl_seconds),
        traceparent=current_traceparent(),
        pass_id=pass_id,
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
