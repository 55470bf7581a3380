"""Orders answers what its consumers ask, as their pacts say. Its own providers are the hand-written ones of its tests."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text
from starlette.responses import Response

from chassis import idempotency
from chassis.testing import Harness
from chassis.work import put_off, take
from contracts.provider import Provided, provided, verify_answers
from services.orders import queries
from services.orders.app import create_app
from services.orders.domain import Happening, Order, OrderState, declined
from services.orders.operations import OrderIn
from services.orders.service import place_order
from services.orders.settings import OrdersSettings
from services.orders.tests.desk import Desk, a_seat, open_desk, seats_and_places
from services.orders.tests.integration.neighbours import Neighbours

# How an order that is being paid goes on, step by step.
TO_CONFIRMED = (Happening.PAYMENT_AUTHORISED, Happening.PLACES_COMMITTED, Happening.CAPTURED)
MOST_PER_ORDER = 6
HELD_SECONDS = 600
# More than one call and its repetitions: away is away.
TRIES = 3


class States:
    """Makes true what the consumers' interactions take for granted."""

    def __init__(self, desk: Desk, neighbours: Neighbours, orders: Provided) -> None:
        self._desk = desk
        self._neighbours = neighbours
        self._orders = orders

    async def an_event_with_free_places(self, given: dict[str, Any]) -> None:
        self._neighbours.event_id = UUID(given["event_id"])
        self._neighbours.class_id = UUID(given["class_id"])
        self._neighbours.on_sale = True
        self._neighbours.event_says, self._neighbours.class_says = {"starts_at": "2031-06-21T18:00:00Z"}, {}
        self._neighbours.refusals.clear()

    async def an_order_that_was_placed_before(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        with pytest.MonkeyPatch.context() as changes:
            drawn = iter((UUID(given["order_id"]), uuid4()))
            changes.setattr(place_order, "uuid7", lambda: next(drawn))
            changes.setattr(place_order, "new_number", lambda: given["number"])
            await self._orders.do(
                "POST", "/orders", caller="web", person=given["person_id"], body=given["body"], key=given["key"]
            )

    async def an_event_that_is_sold_out(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._neighbours.refuse("hold", 409, "sold_out")

    async def an_event_whose_seat_is_taken(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._neighbours.refuse("hold", 409, "seats_taken")

    async def an_event_for_which_one_needs_a_pass(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._neighbours.refuse("hold", 403, "pass_needed")

    async def an_event_whose_pass_was_used(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._neighbours.refuse("hold", 409, "pass_used")

    async def an_event_that_is_not_on_sale(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._neighbours.on_sale = False

    async def an_event_whose_sale_lies_ahead(self, given: dict[str, Any]) -> None:
        await self.an_event_that_is_not_on_sale(given)
        self._neighbours.event_says = {"sale_begins_at": "2031-01-10T09:00:00Z"}

    async def an_event_that_is_cancelled(self, given: dict[str, Any]) -> None:
        await self.an_event_that_is_not_on_sale(given)
        self._neighbours.event_says = {"state": "cancelled"}

    async def a_held_order_of_an_event_that_stands_otherwise(self, given: dict[str, Any]) -> None:
        order = await self._order(given, event_id=uuid4())
        event = {
            "event_id": order.event_id,
            "version": 2,
            "state": given["state"],
            "title": "Hamlet",
            "starts_at": order.event_starts_at + timedelta(days=9),
            "previous_starts_at": order.event_starts_at,
            "time_zone": "Europe/Berlin",
            "venue_name": "Globe",
            "venue_city": "Berlin",
        }
        async with self._desk.database.writer() as tx:
            await queries.put_event(tx, event)

    async def an_event_that_nobody_knows(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places({**given, "event_id": str(uuid4())})

    async def inventory_does_not_answer(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._neighbours.refuse("hold", 503, "inventory_busy", times=TRIES)

    async def an_event_of_which_the_buyer_holds_unpaid_places(self, given: dict[str, Any]) -> None:
        await self._order(given)
        await self.an_event_with_free_places(given)
        query = text(
            "UPDATE purchase_order SET event_id = :event_id, wish = CAST(:wish AS jsonb) WHERE order_id = :order_id"
        )
        wish = orjson.dumps({"places": [[given["class_id"], MOST_PER_ORDER]], "seats": []}).decode()
        named = {name: UUID(given[name]) for name in ("event_id", "order_id")}
        async with self._desk.database.writer() as tx:
            await tx.execute(query, {**named, "wish": wish}, name="tests.hold_many")

    async def catalog_does_not_answer(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._neighbours.refuse("catalog", 503, "store_unavailable", times=TRIES)

    async def an_order_whose_first_click_is_not_answered_yet(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        asked = OrderIn.model_validate(given["body"])
        canonical = orjson.dumps(asked.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        claimed = await idempotency._claim(
            self._desk.database, given["person_id"], "POST /orders", given["key"], hashlib.sha256(canonical).digest()
        )
        assert not isinstance(claimed, Response)

    async def a_held_order(self, given: dict[str, Any]) -> None:
        await self._order(given, lives=timedelta(seconds=given.get("seconds_left", HELD_SECONDS)))

    async def a_held_order_that_went_along(self, given: dict[str, Any]) -> None:
        await self._order(given)
        path = "/orders/take-along"
        await self._orders.do("POST", path, caller="web", person=given["account_id"], guest=given["person_id"])

    async def three_held_orders(self, given: dict[str, Any]) -> None:
        """The same for all pages of them."""
        for order_id in given["order_ids"]:
            async with self._desk.database.reader() as reads:
                is_there = await queries.order_by_id(reads, UUID(order_id)) is not None
            if not is_there:
                await self._order({"order_id": order_id, "person_id": given["person_id"]})

    async def a_held_order_while_payments_does_not_answer(self, given: dict[str, Any]) -> None:
        await self._order(given)
        self._neighbours.refuse("begin", 503, "gateway_unavailable", times=TRIES)

    async def a_held_order_while_inventory_does_not_answer(self, given: dict[str, Any]) -> None:
        await self._order(given)
        self._neighbours.refuse("prolong", 503, "inventory_busy", times=TRIES)

    async def an_order_that_expired(self, given: dict[str, Any]) -> None:
        order = await self._order(given)
        for happening in (Happening.HOLD_EXPIRED, Happening.GIVEN_BACK):
            order = await self._desk.transitions.apply(order, happening)

    async def a_held_order_of_a_seat(self, given: dict[str, Any]) -> None:
        await self._order(given, lines_of=a_seat)

    async def a_held_order_of_seats_and_places(self, given: dict[str, Any]) -> None:
        await self._order(given, lines_of=seats_and_places)

    async def an_order_whose_time_is_over(self, given: dict[str, Any]) -> None:
        await self._order(given, lives=timedelta(seconds=1))

    async def an_order_at_the_bank(self, given: dict[str, Any]) -> None:
        await self._paying(given)

    async def an_order_whose_card_was_declined(self, given: dict[str, Any]) -> None:
        order = await self._paying(given)
        refusal = declined(order, "insufficient_funds")
        await self._desk.transitions.apply(order, Happening.PAYMENT_DECLINED, **refusal)

    async def an_order_that_is_being_placed(self, given: dict[str, Any]) -> None:
        await self._order(given, state=OrderState.PLACING)

    async def an_order_whose_money_is_reserved(self, given: dict[str, Any]) -> None:
        await self._paid(given, steps=1)

    async def an_order_whose_places_are_sold(self, given: dict[str, Any]) -> None:
        await self._paid(given, steps=2)

    async def a_confirmed_order(self, given: dict[str, Any]) -> None:
        await self._paid(given, steps=len(TO_CONFIRMED))

    async def _paid(self, given: dict[str, Any], steps: int) -> None:
        order = await self._paying(given)
        for happening in TO_CONFIRMED[:steps]:
            order = await self._desk.transitions.apply(order, happening)

    async def an_order_that_its_buyer_cancelled(self, given: dict[str, Any]) -> None:
        order = await self._order(given)
        for happening in (Happening.BUYER_CANCELLED, Happening.GIVEN_BACK):
            order = await self._desk.transitions.apply(order, happening)

    async def an_order_with_a_number_that_is_being_placed(self, given: dict[str, Any]) -> None:
        await self._order(given, state=OrderState.PLACING, number=given["number"])

    async def the_orders_of_a_trace(self, given: dict[str, Any]) -> None:
        """A confirmed one, placed and held and confirmed so many `seconds_ago`; and one that is held now."""
        await self._paid(given, steps=len(TO_CONFIRMED))
        await self._order({**given, "order_id": given["later_id"]}, lines_of=seats_and_places)
        async with self._desk.database.writer() as tx:
            for order_id in (given["order_id"], given["later_id"]):
                of_trace = {"order_id": UUID(order_id), "trace_id": given["trace_id"]}
                await tx.execute(_OF_TRACE, of_trace, name="tests.of_trace")
            for query in _OF_LONG_AGO:
                ages = {"order_id": UUID(given["order_id"]), **given["seconds_ago"]}
                await tx.execute(query, ages, name="tests.of_long_ago")

    async def an_order_that_waits_for_inventory(self, given: dict[str, Any]) -> None:
        order = await self._desk.transitions.apply(await self._paying(given), Happening.PAYMENT_AUTHORISED)
        async with self._desk.database.writer() as tx:
            taken = await take(tx, queries.SAGA, order.order_id)
            assert taken is not None
            await put_off(tx, queries.SAGA, taken, "inventory_unavailable", 60.0, order.state.value)

    async def _paying(self, given: dict[str, Any]) -> Order:
        payment_id = uuid4()
        payment = {"state": "created", "redirect_url": f"http://bank/pay/{payment_id}", "decline_reason": None}
        self._neighbours.payments[str(payment_id)] = payment
        return await self._order(given, state=OrderState.PAYING, payment_id=payment_id)

    async def _order(self, given: dict[str, Any], **more: Any) -> Order:
        self._neighbours.refusals.clear()
        order_id, person_id = UUID(given["order_id"]), UUID(given["person_id"])
        return await self._desk.order(order_id=order_id, person_id=person_id, hold_id=uuid4(), **more)


_OF_TRACE = text("UPDATE purchase_order SET trace_id = :trace_id WHERE order_id = :order_id")
_OF_LONG_AGO = (
    text("""
        UPDATE purchase_order SET created_at = now() - make_interval(secs => :created_at),
            confirmed_at = now() - make_interval(secs => :confirmed_at) WHERE order_id = :order_id
    """),
    text("""
        UPDATE order_change SET changed_at = now() - make_interval(secs => :held_at)
        WHERE order_id = :order_id AND happening = 'hold_granted'
    """),
)


async def test_orders_answers_what_its_consumers_ask(harness: Harness) -> None:
    neighbours = Neighbours()
    async with harness.serving(neighbours.app()) as url:
        # The saga moves orders when somebody asks, and never by itself while a state is looked at.
        settings = harness.settings(
            OrdersSettings, catalog_url=url, inventory_url=url, payments_url=url, saga_every_seconds=3600
        )
        async with open_desk(harness, settings) as desk, provided(create_app, settings, harness) as orders:
            states = States(desk, neighbours, orders)
            await verify_answers(
                "orders",
                orders.url,
                callers=["web"],
                states={
                    "an event with free places": states.an_event_with_free_places,
                    "an order that was placed before": states.an_order_that_was_placed_before,
                    "an event of which the buyer holds unpaid places": (
                        states.an_event_of_which_the_buyer_holds_unpaid_places
                    ),
                    "an event whose places are sold out": states.an_event_that_is_sold_out,
                    "an event whose seat is taken": states.an_event_whose_seat_is_taken,
                    "an event for which one needs a pass": states.an_event_for_which_one_needs_a_pass,
                    "an event whose pass was used for other places": states.an_event_whose_pass_was_used,
                    "an event that is not on sale": states.an_event_that_is_not_on_sale,
                    "an event whose sale lies ahead": states.an_event_whose_sale_lies_ahead,
                    "an event that is cancelled": states.an_event_that_is_cancelled,
                    "a held order of an event that stands otherwise": (
                        states.a_held_order_of_an_event_that_stands_otherwise
                    ),
                    "an event that nobody knows": states.an_event_that_nobody_knows,
                    "catalog does not answer": states.catalog_does_not_answer,
                    "an order whose first click is not answered yet": (
                        states.an_order_whose_first_click_is_not_answered_yet
                    ),
                    "inventory does not answer": states.inventory_does_not_answer,
                    "an order that is being placed": states.an_order_that_is_being_placed,
                    "an order whose money is reserved": states.an_order_whose_money_is_reserved,
                    "an order whose places are sold": states.an_order_whose_places_are_sold,
                    "a held order": states.a_held_order,
                    "a held order that went along": states.a_held_order_that_went_along,
                    "three held orders": states.three_held_orders,
                    "a held order of a seat": states.a_held_order_of_a_seat,
                    "a held order of seats and places": states.a_held_order_of_seats_and_places,
                    "a held order while inventory does not answer": (
                        states.a_held_order_while_inventory_does_not_answer
                    ),
                    "an order that expired": states.an_order_that_expired,
                    "a held order while payments does not answer": (states.a_held_order_while_payments_does_not_answer),
                    "an order at the bank": states.an_order_at_the_bank,
                    "an order whose card was declined": states.an_order_whose_card_was_declined,
                    "an order whose time to pay is over": states.an_order_whose_time_is_over,
                    "a confirmed order": states.a_confirmed_order,
                    "an order with a number that is being placed": states.an_order_with_a_number_that_is_being_placed,
                    "the orders of a trace": states.the_orders_of_a_trace,
                    "an order that waits for inventory": states.an_order_that_waits_for_inventory,
                    "an order that its buyer cancelled": states.an_order_that_its_buyer_cancelled,
                },
            )
