"""Orders with an order in its database, as facts find it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.bus import Bus
from chassis.clock import utc_now
from chassis.db import Database
from chassis.inbox import Inbox
from chassis.testing import Harness
from contracts.consumer import TRACEPARENT, an_id
from services.orders import queries
from services.orders.app import create_app
from services.orders.domain import Happening, Line, Offer, Order, OrderState, Wish, new_number, new_order
from services.orders.service.transitions import OrderTransitions
from services.orders.settings import OrdersSettings

CLASS = an_id("orders: standing")
STALLS = an_id("orders: stalls")
NOWHERE = "http://127.0.0.1:9"

# The lines of an order, by its id.
Lines = Callable[[UUID], tuple[Line, ...]]


def two_places(order_id: UUID) -> tuple[Line, ...]:
    """General admission."""
    return (Line(an_id(f"{order_id}: places"), CLASS, "Standing", None, None, 2, 2500),)


def a_seat(order_id: UUID) -> tuple[Line, ...]:
    """One seat."""
    return two_seats(order_id)[:1]


def two_seats(order_id: UUID) -> tuple[Line, ...]:
    """Two seats, in the order in which they are shown."""
    return (
        Line(an_id(f"{order_id}: seat 1"), STALLS, "Stalls", "A1", "Row A, seat 1", 1, 4200),
        Line(an_id(f"{order_id}: seat 2"), STALLS, "Stalls", "A2", "Row A, seat 2", 1, 4300),
    )


def seats_and_places(order_id: UUID) -> tuple[Line, ...]:
    """Both."""
    return (*two_seats(order_id), *two_places(order_id))


@dataclass(frozen=True)
class Desk:
    """Orders' database, its inbox, and its one way to change an order."""

    database: Database
    transitions: OrderTransitions
    inbox: Inbox

    async def order(
        self,
        *,
        order_id: UUID,
        hold_id: UUID,
        person_id: UUID,
        state: OrderState = OrderState.HELD,
        payment_id: UUID | None = None,
        lines_of: Lines = two_places,
        lives: timedelta = timedelta(minutes=10),
        event_id: UUID | None = None,
        number: str | None = None,
    ) -> Order:
        """An order that its buyer has placed (`held`), that they are paying (`paying`), or that inventory was not asked for yet."""
        made = new_order(
            order_id=order_id,
            hold_id=hold_id,
            number=number or new_number(),
            person_id=person_id,
            # The event of an order with seats has a street too.
            offer=(an_offer_without_a_street if lines_of is two_places else an_offer)(
                event_id or an_id("orders: event")
            ),
            traceparent=TRACEPARENT,
            trace_id=TRACEPARENT.split("-")[1],
            now=utc_now(),
        )
        if state is OrderState.PLACING:
            async with self.database.writer() as tx:
                await queries.insert_order(
                    tx, replace(made, trace_id=None), Wish(made.event_id, ((CLASS, 2),), ()), 600.0
                )
            return made
        lines = lines_of(order_id)
        async with self.database.writer() as tx:
            await queries.insert_order(tx, made, Wish(made.event_id, ((CLASS, 2),), ()), 600.0)
        made = await self.transitions.hold(made, lines, utc_now() + lives)
        if state is OrderState.PAYING and payment_id is not None:
            async with self.database.writer() as tx:
                await queries.begin_payment(tx, made, payment_id)
            made = await self.transitions.apply(made, Happening.PAYMENT_BEGUN, redirect_url="http://bank.test/pay/1")
        return made

    async def state_of(self, order_id: UUID) -> OrderState:
        """How the order stands now."""
        async with self.database.reader() as reads:
            order = await queries.order_by_id(reads, order_id)
        assert order is not None
        return order.state


def an_offer(event_id: UUID) -> Offer:
    """What catalog said when the order was placed."""
    return Offer(
        event_id=event_id,
        title="Hamlet",
        starts_at=datetime(2031, 6, 21, 18, tzinfo=UTC),
        time_zone="Europe/Berlin",
        venue_name="Globe",
        venue_city="Berlin",
        currency="EUR",
        on_sale=True,
        max_per_order=6,
        classes={CLASS: ("Standing", 2500)},
        version=1,
        venue_street="Spreeufer 1",
        venue_country="DE",
        doors_at=datetime(2031, 6, 21, 17, tzinfo=UTC),
    )


def an_offer_without_a_street(event_id: UUID) -> Offer:
    """The same, of an event of which less is known."""
    return replace(an_offer(event_id), venue_street=None, venue_country=None, doors_at=None)


@asynccontextmanager
async def open_desk(harness: Harness, settings: OrdersSettings | None = None) -> AsyncIterator[Desk]:
    """The parts of orders that facts meet; its workers do not run, so that only the fact changes anything."""
    settings = settings or harness.settings(
        OrdersSettings, catalog_url=NOWHERE, inventory_url=NOWHERE, payments_url=NOWHERE
    )
    service = create_app(settings).state.service
    bus: Bus = service.bus
    database = Database(settings)
    yield Desk(database, OrderTransitions(database, bus), service.inboxes[0])
    await database.close()
