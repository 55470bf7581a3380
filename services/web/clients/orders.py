"""orders, as web sees it: checkout."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, HttpUrl, SerializerFunctionWrapHandler, UrlConstraints, model_serializer

from chassis.asking import NOTHING, Client, Read, Sent, Use
from chassis.deadline import remaining_seconds
from chassis.http import ProviderProblem, ProviderUnavailable
from services.web.clients.catalog import EventState
from services.web.clients.records import GET_RECORDS, Records

# How often, and how far apart, the answer to an earlier click is looked for: about four seconds.
FIRST_CLICK_LOOKS = 20
FIRST_CLICK_PAUSE_SECONDS = 0.2

# How many of a person's open orders of one event are shown, the newest first.
MOST_OPEN = 5

# What orders reads at most: classes of an order, places of a class (and seats of an order), letters of a seat's id.
MOST_CLASSES, MOST_PLACES = 20, 50
LONGEST_SEAT_ID = 100
LONGEST_PASS = 2_000

OPEN_STATES = frozenset({"placing", "held", "paying", "authorised", "committed"})

OrderState = Literal["placing", "held", "paying", "authorised", "committed", "confirmed", "cancelling", "cancelled"]


class OrderLine(Read):
    """Some places of one class, or one seat. Prices in minor units of the order's currency."""

    class_name: str
    seat_id: str | None = None
    seat_label: str | None = None
    quantity: int
    unit_price_minor: int


class Order(Read):
    """An order as its page shows it."""

    order_id: UUID
    number: str
    state: OrderState
    reason: str | None = None
    event_id: UUID
    event_title: str
    event_starts_at: datetime
    event_time_zone: str
    event_state: EventState = "scheduled"
    event_previous_starts_at: datetime | None = None
    venue_name: str
    currency: str
    total_minor: int
    lines: list[OrderLine]
    hold_expires_at: datetime | None = None
    hold_longest_until: datetime | None = None
    redirect_url: str | None = None
    last_decline: str | None = None
    created_at: datetime
    trace_id: str | None = None

    def attributes(self) -> dict[str, str | int]:
        """Which order this is and what it costs, for spans."""
        return {
            "onsale.order_id": str(self.order_id),
            "onsale.order_number": self.number,
            "onsale.event_id": str(self.event_id),
            "onsale.order_state": self.state,
            "onsale.total_minor": self.total_minor,
            "onsale.currency": self.currency,
        }


class OrderPage(Read):
    """Some orders, newest first, and where the next ones begin."""

    items: list[Order]
    next: str | None


class OrderHead(Read):
    """An order as support finds it. `attempts`: how often its present step has failed until now."""

    order_id: UUID
    number: str
    state: OrderState
    reason: str | None
    event_title: str
    event_starts_at: datetime
    event_time_zone: str
    venue_name: str
    places: int
    currency: str
    total_minor: int
    created_at: datetime
    held_at: datetime | None
    confirmed_at: datetime | None
    attempts: int
    trace_id: str | None


class OrderHeads(Read):
    """Orders that support looked for."""

    items: list[OrderHead]


class SoldOut(Read):
    """Fewer are left of a class than were wanted."""

    class_id: UUID
    available: int


class SeatsTaken(Read):
    """Somebody has these seats."""

    seat_ids: list[str]


class NotOnSale(Read):
    """From when on it is sold, if that is known."""

    begins_at: datetime | None


class OrderStillOpen(Read):
    """The order that is to be paid or cancelled first."""

    order_id: UUID


class _Place(Sent):
    class_id: UUID
    quantity: int = Field(ge=1, le=MOST_PLACES)


class _OrderWanted(Sent):
    event_id: UUID
    places: list[_Place] = Field(max_length=MOST_CLASSES)
    seats: list[Annotated[str, Field(min_length=1, max_length=LONGEST_SEAT_ID)]] = Field(max_length=MOST_PLACES)
    admission: str | None = Field(default=None, max_length=LONGEST_PASS)

    @model_serializer(mode="wrap")
    def _without_a_pass_as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A version of orders that knows no passes refuses a field that it does not know."""
        written: dict[str, Any] = write(self)
        return {name: value for name, value in written.items() if name != "admission" or value is not None}


class _OrdersWanted(Sent):
    after: UUID | None = None
    limit: int = Field(ge=1, le=100)
    open_for: UUID | None = None


class _WayBack(Sent):
    return_url: Annotated[HttpUrl, UrlConstraints(max_length=500)]


class _Looked(Sent):
    number: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,20}$")
    trace_id: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    order_id: UUID | None = None


PLACE_ORDER = Use(
    "POST",
    "/orders",
    reads=Order,
    statuses=(201,),
    sends=_OrderWanted,
    refusals={
        "event_unknown": None,
        "event_cancelled": None,
        "not_on_sale": NotOnSale,
        "sold_out": SoldOut,
        "seats_taken": SeatsTaken,
        "no_places": None,
        "too_many_places": None,
        "order_still_open": OrderStillOpen,
        "pass_needed": None,
        "pass_used": None,
        "still_in_progress": None,
    },
    person=True,
    keyed=True,
)
LIST_ORDERS = Use("GET", "/orders", reads=OrderPage, query=_OrdersWanted, person=True)
TAKE_ALONG = Use("POST", "/orders/take-along", reads=NOTHING, person=True, guest=True, repeatable=True)
_UNKNOWN = {"order_unknown": None}
_NOT_HELD = {**_UNKNOWN, "order_not_payable": None, "hold_expired": None}
GET_ORDER = Use("GET", "/orders/{order_id}", reads=Order, refusals=_UNKNOWN, person=True)
CHECK_OUT = Use(
    "POST",
    f"{GET_ORDER.path}/checkout",
    reads=Order,
    sends=_WayBack,
    refusals={**_NOT_HELD, "event_cancelled": None, "not_on_sale": NotOnSale},
    person=True,
)
PROLONG = Use("POST", f"{GET_ORDER.path}/prolong", reads=Order, refusals=_NOT_HELD, person=True)
REFRESH = Use("POST", f"{GET_ORDER.path}/refresh", reads=Order, refusals=_UNKNOWN, person=True)
CANCEL = Use(
    "POST",
    f"{GET_ORDER.path}/cancel",
    reads=Order,
    refusals={**_UNKNOWN, "order_not_cancellable": None},
    person=True,
)
FIND_ORDERS = Use("GET", "/records/orders", reads=OrderHeads, query=_Looked)


class OrdersClient(Client):
    """Asks orders, always for one person; and for support.

    Raises ProviderProblem for what orders refuses, also for an order that is somebody else's.
    """

    provider = "orders"
    uses = (
        PLACE_ORDER,
        LIST_ORDERS,
        TAKE_ALONG,
        GET_ORDER,
        CHECK_OUT,
        PROLONG,
        REFRESH,
        CANCEL,
        FIND_ORDERS,
        GET_RECORDS,
    )

    async def place(
        self,
        token: str,
        event_id: UUID,
        places: dict[UUID, int],
        seats: list[str],
        idempotency_key: str,
        *,
        admission: str | None = None,
    ) -> Order:
        """Holds the places for this person, for a while. Waits while an earlier click of the same key is served.

        `admission`: the pass of the waiting room, for an event that has one.
        """
        body = _OrderWanted(
            event_id=event_id,
            places=[_Place(class_id=class_id, quantity=quantity) for class_id, quantity in places.items()],
            seats=seats,
            admission=admission,
        )
        for _ in range(FIRST_CLICK_LOOKS):
            try:
                return await self.ask(PLACE_ORDER, body=body, person=token, key=idempotency_key)
            except ProviderProblem as problem:
                if problem.problem_code != "still_in_progress":
                    raise
                # The browser shows the answer to its last click only, so that answer has to be the order itself.
                await asyncio.sleep(remaining_seconds(FIRST_CLICK_PAUSE_SECONDS))
        raise ProviderUnavailable(self.provider)

    async def order(self, token: str, order_id: UUID) -> Order:
        """One order of this person."""
        return await self.ask(GET_ORDER, order_id=order_id, person=token)

    async def open_for(self, token: str, event_id: UUID) -> list[Order]:
        """This person's orders that hold places of an event at this moment, newest first."""
        wanted = _OrdersWanted(limit=MOST_OPEN, open_for=event_id)
        found = (await self.ask(LIST_ORDERS, query=wanted, person=token)).items
        # A version of orders that does not know the question yet answers with all of them.
        return [order for order in found if order.event_id == event_id and order.state in OPEN_STATES]

    async def take_along(self, token: str, guest_token: str) -> None:
        """A guest has signed in: the open orders of the guest are now those of this person."""
        await self.ask(TAKE_ALONG, person=token, guest=guest_token)

    async def orders(self, token: str, after: UUID | None, limit: int) -> OrderPage:
        """This person's orders, newest first; those behind the one whose id is `after`."""
        return await self.ask(LIST_ORDERS, query=_OrdersWanted(after=after, limit=limit), person=token)

    async def check_out(self, token: str, order_id: UUID, return_url: str) -> Order:
        """Starts paying."""
        body = _WayBack(return_url=HttpUrl(return_url))
        return await self.ask(CHECK_OUT, body=body, order_id=order_id, person=token)

    async def prolong(self, token: str, order_id: UUID) -> Order:
        """More time to pay."""
        return await self.ask(PROLONG, order_id=order_id, person=token)

    async def refresh(self, token: str, order_id: UUID) -> Order:
        """The payer has come back: ask the bank now."""
        return await self.ask(REFRESH, order_id=order_id, person=token)

    async def cancel(self, token: str, order_id: UUID) -> Order:
        """Gives the places back."""
        return await self.ask(CANCEL, order_id=order_id, person=token)

    async def with_number(self, number: str) -> list[OrderHead]:
        """The order of this number, for support: one or none."""
        return (await self.ask(FIND_ORDERS, query=_Looked(number=number))).items

    async def with_id(self, order_id: UUID) -> list[OrderHead]:
        """The order of this id, for support: one or none."""
        return (await self.ask(FIND_ORDERS, query=_Looked(order_id=order_id))).items

    async def of_trace(self, trace_id: str) -> list[OrderHead]:
        """The orders that were placed in a trace, for support."""
        return (await self.ask(FIND_ORDERS, query=_Looked(trace_id=trace_id))).items

    async def records(self, order_id: UUID) -> Records:
        """What orders has recorded of an order, for support; nothing of one that it does not know."""
        return await self.ask(GET_RECORDS, order_id=order_id)
