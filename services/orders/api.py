"""Orders' routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.encoders import jsonable_encoder
from pydantic import Field, HttpUrl, UrlConstraints
from starlette.responses import JSONResponse, Response

from chassis.db import Database
from chassis.documented import refuses
from chassis.errors import KeyMissing, KeyReused, StillInProgress
from chassis.idempotency import KEY_HEADER, NEEDS_KEY, idempotent
from chassis.identity import Person, calls_from, person
from chassis.models import Request as Body
from chassis.models import Response as Answer
from services.orders.domain import (
    EventCancelled,
    EventState,
    EventUnknown,
    HoldExpired,
    NoPlaces,
    NotOnSale,
    Order,
    OrderNotCancellable,
    OrderNotPayable,
    OrderState,
    OrderUnknown,
    PlaceUnknown,
    SeatsTaken,
    SoldOut,
    TooManyPlaces,
    Wish,
)
from services.orders.service.paying import Paying
from services.orders.service.placing import Placing

Buyer = Annotated[Person, Depends(person)]
MOST_CLASSES, MOST_SEATS = 20, 50


class PlaceIn(Body):
    """Places of general admission."""

    class_id: UUID
    quantity: int = Field(ge=1, le=50)


class OrderIn(Body):
    """What a buyer wants."""

    event_id: UUID
    places: list[PlaceIn] = Field(default_factory=list, max_length=MOST_CLASSES)
    seats: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=MOST_SEATS
    )


class CheckoutIn(Body):
    """Where the bank sends the buyer back to."""

    return_url: Annotated[HttpUrl, UrlConstraints(max_length=500)]


class LineOut(Answer):
    """A line of an order."""

    line_id: UUID
    class_id: UUID
    class_name: str
    seat_id: str | None
    seat_label: str | None
    quantity: int
    unit_price_minor: int


class OrderOut(Answer):
    """An order as its buyer sees it; of its event what is known by now."""

    order_id: UUID
    number: str
    state: OrderState
    reason: str | None
    event_id: UUID
    event_title: str
    event_starts_at: datetime
    event_time_zone: str
    event_state: EventState
    event_previous_starts_at: datetime | None
    venue_name: str
    currency: str
    total_minor: int
    lines: list[LineOut]
    hold_expires_at: datetime | None
    redirect_url: str | None
    last_decline: str | None
    created_at: datetime
    confirmed_at: datetime | None
    trace_id: str | None


class OrdersOut(Answer):
    """A page of orders; `next` is the value of `after` for the following one."""

    items: list[OrderOut]
    next: UUID | None


_ORDER_REFUSALS = refuses(
    EventUnknown,
    PlaceUnknown,
    NotOnSale,
    EventCancelled,
    SoldOut,
    SeatsTaken,
    NoPlaces,
    TooManyPlaces,
    KeyMissing,
    KeyReused,
    StillInProgress,
    without=("catalog", "inventory"),
)


def make_router(database: Database, placing: Placing, paying: Paying) -> APIRouter:
    """Orders' routes over its use cases."""
    router = APIRouter(tags=["orders"], dependencies=[calls_from("web")])

    @router.post(
        "/orders", status_code=201, response_model=OrderOut, responses=_ORDER_REFUSALS, openapi_extra=NEEDS_KEY
    )
    async def place_order(body: OrderIn, request: Request, buyer: Buyer) -> Response:
        key = request.headers.get(KEY_HEADER, "")

        async def work() -> OrderOut:
            return _out(await placing.place_order(buyer.person_id, _wish(body), key))

        try:
            return await idempotent(request, database, str(buyer.person_id), body, work, status=201)
        except StillInProgress:
            # Whoever was at it may have died after the order was placed: then it is there, and nobody has to wait.
            if (placed := await placing.placed_by(buyer.person_id, key)) is None:
                raise
            return JSONResponse(jsonable_encoder(_out(placed)), 201)

    @router.get("/orders")
    async def list_orders(
        buyer: Buyer, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> OrdersOut:
        orders = await paying.orders(buyer.person_id, after, limit + 1)
        following = orders[limit - 1].order_id if len(orders) > limit else None
        return OrdersOut(items=[_out(order) for order in orders[:limit]], next=following)

    @router.get("/orders/{order_id}", responses=refuses(OrderUnknown))
    async def get_order(order_id: UUID, buyer: Buyer) -> OrderOut:
        return _out(await paying.order(order_id, buyer.person_id))

    @router.post(
        "/orders/{order_id}/checkout",
        responses=refuses(
            OrderUnknown, OrderNotPayable, HoldExpired, EventCancelled, NotOnSale, without=("accounts", "payments")
        ),
    )
    async def checkout(order_id: UUID, body: CheckoutIn, buyer: Buyer) -> OrderOut:
        return _out(await paying.checkout(order_id, buyer.person_id, str(body.return_url)))

    @router.post("/orders/{order_id}/refresh", responses=refuses(OrderUnknown))
    async def refresh(order_id: UUID, buyer: Buyer) -> OrderOut:
        return _out(await paying.refresh(order_id, buyer.person_id))

    @router.post("/orders/{order_id}/cancel", responses=refuses(OrderUnknown, OrderNotCancellable))
    async def cancel(order_id: UUID, buyer: Buyer) -> OrderOut:
        return _out(await paying.cancel(order_id, buyer.person_id))

    return router


def _wish(body: OrderIn) -> Wish:
    places: dict[UUID, int] = {}
    for place in body.places:
        places[place.class_id] = places.get(place.class_id, 0) + place.quantity
    return Wish(body.event_id, tuple(places.items()), tuple(dict.fromkeys(body.seats)))


def _out(order: Order) -> OrderOut:
    return OrderOut.model_validate(order)
