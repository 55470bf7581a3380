"""Orders' routes."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.encoders import jsonable_encoder
from starlette.responses import JSONResponse, Response

from chassis.db import Database
from chassis.errors import StillInProgress
from chassis.http import GUEST_HEADER
from chassis.idempotency import KEY_HEADER, idempotent
from chassis.identity import Person, person, person_of_order
from chassis.operations import serves
from services.orders.domain import Order, OrderState, Wish, longest_hold
from services.orders.operations import (
    CANCEL,
    CHECKOUT,
    GET_ORDER,
    LIST_ORDERS,
    PLACE_ORDER,
    PROLONG,
    REFRESH,
    TAKE_ALONG,
    CheckoutIn,
    OrderIn,
    OrderOut,
    OrdersOut,
    TakenAlongOut,
)
from services.orders.refusals import NotAGuest
from services.orders.service import Orders

Buyer = Annotated[Person, Depends(person)]
Out = Callable[[Order], OrderOut]


def make_router(database: Database, orders: Orders, hold_longest_seconds: int) -> APIRouter:
    """Orders' routes over its use cases."""

    def out(order: Order) -> OrderOut:
        return _shown(order, hold_longest_seconds)

    router = APIRouter(tags=["orders"])
    _add_placing(router, database, orders, out)
    _add_reading(router, orders, out)
    _add_paying(router, orders, out)
    _add_keeping(router, orders, out)
    return router


def _add_placing(router: APIRouter, database: Database, orders: Orders, out: Out) -> None:
    @serves(router, PLACE_ORDER)
    async def place_order(body: OrderIn, request: Request, buyer: Buyer) -> Response:
        key = request.headers.get(KEY_HEADER, "")

        async def work() -> OrderOut:
            return out(await orders.place_order(buyer.person_id, _wish(body), key))

        # The same wish is the same order, whatever pass comes with it: the browser has none any more when it is sent again.
        wish = body.model_copy(update={"admission": None})
        try:
            return await idempotent(request, database, str(buyer.person_id), wish, work, status=201)
        except StillInProgress:
            # The process that had the request may have died after it placed the order: then the order is there, and nobody has to wait.
            if (placed := await orders.find_orders.by_request(buyer.person_id, key)) is None:
                raise
            return JSONResponse(jsonable_encoder(out(placed)), 201)


def _add_reading(router: APIRouter, orders: Orders, out: Out) -> None:
    @serves(router, LIST_ORDERS)
    async def list_orders(
        buyer: Buyer,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        open_for: UUID | None = None,
    ) -> OrdersOut:
        found = await orders.find_orders.of_person(buyer.person_id, after, limit + 1, open_for)
        following = found[limit - 1].order_id if len(found) > limit else None
        return OrdersOut(items=[out(order) for order in found[:limit]], next=following)

    @serves(router, GET_ORDER)
    async def get_order(order_id: UUID, buyer: Annotated[Person, Depends(person_of_order)]) -> OrderOut:
        return out(await orders.find_orders.by_id(order_id, buyer.person_id))


def _add_paying(router: APIRouter, orders: Orders, out: Out) -> None:
    @serves(router, CHECKOUT)
    async def checkout(order_id: UUID, body: CheckoutIn, buyer: Buyer) -> OrderOut:
        return out(await orders.begin_payment(order_id, buyer.person_id, str(body.return_url)))

    @serves(router, REFRESH)
    async def refresh(order_id: UUID, buyer: Buyer) -> OrderOut:
        return out(await orders.refresh_order(order_id, buyer.person_id))

    @serves(router, CANCEL)
    async def cancel(order_id: UUID, buyer: Buyer) -> OrderOut:
        return out(await orders.cancel_order(order_id, buyer.person_id))


def _add_keeping(router: APIRouter, orders: Orders, out: Out) -> None:
    @serves(router, PROLONG)
    async def prolong(order_id: UUID, buyer: Buyer) -> OrderOut:
        return out(await orders.prolong_hold(order_id, buyer.person_id))

    @serves(router, TAKE_ALONG)
    async def take_along(
        request: Request, buyer: Buyer, guest_token: Annotated[str, Header(alias=GUEST_HEADER, max_length=4_000)]
    ) -> TakenAlongOut:
        """The open orders of the guest whose token comes along are now those of this person, who has signed in."""
        guest = await request.app.state.person_verifier.person(guest_token)
        if not guest.guest or guest.order_id is not None or buyer.guest:
            raise NotAGuest
        return TakenAlongOut(order_ids=await orders.take_orders_along(guest.person_id, buyer.person_id))


def _wish(body: OrderIn) -> Wish:
    places: dict[UUID, int] = {}
    for place in body.places:
        places[place.class_id] = places.get(place.class_id, 0) + place.quantity
    return Wish(body.event_id, tuple(places.items()), tuple(dict.fromkeys(body.seats)), body.admission)


def _shown(order: Order, hold_longest_seconds: int) -> OrderOut:
    until = longest_hold(order.created_at, hold_longest_seconds) if order.state is OrderState.HELD else None
    return OrderOut.model_validate({**vars(order), "hold_longest_until": until})
