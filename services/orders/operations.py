"""What orders offers to other services."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, HttpUrl, UrlConstraints

from chassis.consistency import own_writes, primary_only
from chassis.errors import KeyMissing, KeyReused, StillInProgress
from chassis.models import Request as Body
from chassis.models import Response as Answer
from chassis.operations import Operation
from chassis.records import ChassisWhat, Entry, Records, records_operation
from services.orders.domain import EventState, OrderState
from services.orders.refusals import (
    EventCancelled,
    EventUnknown,
    HoldExpired,
    LimitOfBuyer,
    NoPlaces,
    NotAGuest,
    NotOnSale,
    OrderNotCancellable,
    OrderNotPayable,
    OrderStillOpen,
    OrderUnknown,
    PassNeeded,
    PassUsed,
    PlaceUnknown,
    SeatsTaken,
    SoldOut,
    TooManyPlaces,
)

MOST_CLASSES, MOST_SEATS = 20, 50
LONGEST_PASS = 2000


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
    # The buyer's pass from the waiting room, if the event has one.
    admission: str | None = Field(default=None, max_length=LONGEST_PASS)


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


OrdersWhat = Literal[
    "placed",
    "hold_granted",
    "hold_refused",
    "hold_prolonged",
    "abandoned",
    "payment_begun",
    "nothing_to_pay",
    "payment_authorised",
    "payment_declined",
    "payment_failed",
    "places_committed",
    "places_gone",
    "captured",
    "capture_refused",
    "hold_expired",
    "buyer_cancelled",
    "event_cancelled",
    "given_back",
    "waited",
]


class OrdersEntry(Entry):
    """What happened to an order."""

    what: Literal[OrdersWhat, ChassisWhat]


class OrdersRecords(Records):
    """An order as orders has recorded it."""

    entries: list[OrdersEntry]


class OrderHead(Answer):
    """What an order is, and how it stands. `attempts`: how often its present step has failed until now."""

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


class OrderHeads(Answer):
    """Orders that were looked for."""

    items: list[OrderHead]


ORDER = "/orders/{order_id}"
PLACE_ORDER = Operation(
    "POST",
    "/orders",
    callers=("web",),
    answers=OrderOut,
    status=201,
    refuses=(
        EventUnknown,
        PlaceUnknown,
        NotOnSale,
        EventCancelled,
        SoldOut,
        SeatsTaken,
        NoPlaces,
        TooManyPlaces,
        OrderStillOpen,
        LimitOfBuyer,
        PassNeeded,
        PassUsed,
        KeyMissing,
        KeyReused,
        StillInProgress,
    ),
    without=("catalog", "inventory"),
    keyed=True,
)
LIST_ORDERS = Operation(
    "GET",
    "/orders",
    callers=("web",),
    answers=OrdersOut,
    reads=own_writes(
        5,
        "A list of what one has bought; each order is looked at by itself. A worker may have moved one on a moment ago.",
    ),
)
GET_ORDER = Operation(
    "GET",
    ORDER,
    callers=("web",),
    answers=OrderOut,
    refuses=(OrderUnknown,),
    reads=primary_only("Who pays waits for what workers do with it: there is no pin that would tell of it."),
)
# Not to be repeated: an order that costs nothing, and one that was paid meanwhile, is refused the second time.
CHECKOUT = Operation(
    "POST",
    f"{ORDER}/checkout",
    callers=("web",),
    answers=OrderOut,
    refuses=(OrderUnknown, OrderNotPayable, HoldExpired, EventCancelled, NotOnSale),
    without=("accounts", "payments"),
)
REFRESH = Operation(
    "POST", f"{ORDER}/refresh", callers=("web",), answers=OrderOut, refuses=(OrderUnknown,), repeatable=True
)
CANCEL = Operation(
    "POST",
    f"{ORDER}/cancel",
    callers=("web",),
    answers=OrderOut,
    refuses=(OrderUnknown, OrderNotCancellable),
    repeatable=True,
)
PROLONG = Operation(
    "POST",
    f"{ORDER}/prolong",
    callers=("web",),
    answers=OrderOut,
    refuses=(OrderUnknown, OrderNotPayable, HoldExpired),
    without=("inventory",),
    repeatable=True,
)
# The second time nothing is left to go along, and the answer names none.
TAKE_ALONG = Operation(
    "POST", "/orders/take-along", callers=("web",), answers=TakenAlongOut, refuses=(NotAGuest,), repeatable=True
)
FIND_ORDERS = Operation(
    "GET",
    "/records/orders",
    callers=("web",),
    answers=OrderHeads,
    reads=primary_only("Support answers somebody who asks why."),
)
GET_RECORDS = records_operation(OrdersRecords)
OPERATIONS = (
    PLACE_ORDER,
    LIST_ORDERS,
    GET_ORDER,
    CHECKOUT,
    REFRESH,
    CANCEL,
    PROLONG,
    TAKE_ALONG,
    FIND_ORDERS,
    GET_RECORDS,
)
