"""Orders' routes."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.encoders import jsonable_encoder
from pydantic import Field, HttpUrl, UrlConstraints
from starlette.responses import JSONResponse, Response

from chassis.db import Database
from chassis.documented import refuses
from chassis.errors import KeyMissing, KeyReused, StillInProgress
from chassis.http import GUEST_HEADER
from chassis.idempotency import KEY_HEADER, NEEDS_KEY, idempotent
from chassis.identity import Person, calls_from, person, person_of_order
from chassis.models import Request as Body
from chassis.models import Response as Answer
from services.orders.domain import (
    EventCancelled,
    EventState,
    EventUnknown,
    HoldExpired,
    NoPlaces,
    NotAGuest,
    NotOnSale,
    Order,
    OrderNotCancellable,
    OrderNotPayable,
    OrderState,
    OrderStillOpen,
    OrderUnknown,
    PlaceUnknown,
    SeatsTaken,
    SoldOut,
    TooManyPlaces,
    Wish,
    longest_hold,
)
from services.orders.service.keeping import Keeping
from services.orders.service.paying import Paying
from services.orders.service.placing import Placing

Buyer = Annotated[Person, Depends(person)]
Out = Callable[["Order"], "OrderOut"]
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


class TakenAlongOut(Answer):
    """The orders that go along."""

    order_ids: list[UUID]


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
    # Until when it may be prolonged, while it is held.
    hold_longest_until: datetime | None
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
    OrderStillOpen,
    KeyMissing,
    KeyReused,
    StillInProgress,
    without=("catalog", "inventory"),
)


def make_router(
    database: Database, placing: Placing, paying: Paying, keeping: Keeping, hold_longest_seconds: int
) -> APIRouter:
    """Orders' routes over its use cases."""

    def out(order: Order) -> OrderOut:
        return _shown(order, hold_longest_seconds)

    router = APIRouter(tags=["orders"], dependencies=[calls_from("web")])
    _add_placing(router, database, placing, out)
    _add_reading(router, paying, out)
    _add_paying(router, paying, out)
    _add_keeping(router, keeping, out)
    return router


def _add_placing(router: APIRouter, database: Database, placing: Placing, out: Out) -> None:
    @router.post(
        "/orders", status_code=201, response_model=OrderOut, responses=_ORDER_REFUSALS, openapi_extra=NEEDS_KEY
    )
    async def place_order(body: OrderIn, request: Request, buyer: Buyer) -> Response:
        key = request.headers.get(KEY_HEADER, "")

        async def work() -> OrderOut:
            return out(await placing.place_order(buyer.person_id, _wish(body), key))

        try:
            return await idempotent(request, database, str(buyer.person_id), body, work, status=201)
        except StillInProgress:
            # Whoever was at it may have died after the order was placed: then it is there, and nobody has to wait.
            if (placed := await placing.placed_by(buyer.person_id, key)) is None:
                raise
            return JSONResponse(jsonable_encoder(out(placed)), 201)


def _add_reading(router: APIRouter, paying: Paying, out: Out) -> None:
    @router.get("/orders")
    async def list_orders(
        buyer: Buyer,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        open_for: UUID | None = None,
    ) -> OrdersOut:
        orders = await paying.orders(buyer.person_id, after, limit + 1, open_for)
        following = orders[limit - 1].order_id if len(orders) > limit else None
        return OrdersOut(items=[out(order) for order in orders[:limit]], next=following)

    @router.get("/orders/{order_id}", responses=refuses(OrderUnknown))
    async def get_order(order_id: UUID, buyer: Annotated[Person, Depends(person_of_order)]) -> OrderOut:
        return out(await paying.order(order_id, buyer.person_id))


def _add_paying(router: APIRouter, paying: Paying, out: Out) -> None:
    @router.post(
        "/orders/{order_id}/checkout",
        responses=refuses(
            OrderUnknown, OrderNotPayable, HoldExpired, EventCancelled, NotOnSale, without=("accounts", "payments")
        ),
    )
    async def checkout(order_id: UUID, body: CheckoutIn, buyer: Buyer) -> OrderOut:
        return out(await paying.checkout(order_id, buyer.person_id, str(body.return_url)))

    @router.post("/orders/{order_id}/refresh", responses=refuses(OrderUnknown))
    async def refresh(order_id: UUID, buyer: Buyer) -> OrderOut:
        return out(await paying.refresh(order_id, buyer.person_id))

    @router.post("/orders/{order_id}/cancel", responses=refuses(OrderUnknown, OrderNotCancellable))
    async def cancel(order_id: UUID, buyer: Buyer) -> OrderOut:
        return out(await paying.cancel(order_id, buyer.person_id))


def _add_keeping(router: APIRouter, keeping: Keeping, out: Out) -> None:
    @router.post(
        "/orders/{order_id}/prolong",
        responses=refuses(OrderUnknown, OrderNotPayable, HoldExpired, without=("inventory",)),
    )
    async def prolong(order_id: UUID, buyer: Buyer) -> OrderOut:
        return out(await keeping.prolong_hold(order_id, buyer.person_id))

    @router.post("/orders/take-along", responses=refuses(NotAGuest))
    async def take_along(
        request: Request, buyer: Buyer, guest_token: Annotated[str, Header(alias=GUEST_HEADER, max_length=4_000)]
    ) -> TakenAlongOut:
        """The open orders of the guest whose token comes along are now those of this person, who has signed in."""
        guest = await request.app.state.person_verifier.person(guest_token)
        if not guest.guest or guest.order_id is not None or buyer.guest:
            raise NotAGuest
        return TakenAlongOut(order_ids=await keeping.take_along(guest.person_id, buyer.person_id))


def _wish(body: OrderIn) -> Wish:
    places: dict[UUID, int] = {}
    for place in body.places:
        places[place.class_id] = places.get(place.class_id, 0) + place.quantity
    return Wish(body.event_id, tuple(places.items()), tuple(dict.fromkeys(body.seats)))


def _shown(order: Order, hold_longest_seconds: int) -> OrderOut:
    until = longest_hold(order.created_at, hold_longest_seconds) if order.state is OrderState.HELD else None
    return OrderOut.model_validate({**vars(order), "hold_longest_until": until})
