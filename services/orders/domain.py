"""The life of an order: states, the table of transitions, prices, and what may be done when. Pure."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID, uuid5

from services.orders.refusals import (
    EventCancelled,
    LimitOfBuyer,
    NoPlaces,
    NotOnSale,
    OrderStillOpen,
    PlaceUnknown,
    TooManyPlaces,
)

NUMBER_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
NUMBER_HALF = 4
LONGEST_DESCRIPTION = 200


class OrderState(StrEnum):
    """Before COMMITTED -> CONFIRMED (the capture, the pivot) a failure gives everything back; after it there is no way back."""

    PLACING = "placing"
    HELD = "held"
    PAYING = "paying"
    AUTHORISED = "authorised"
    COMMITTED = "committed"
    CONFIRMED = "confirmed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class Happening(StrEnum):
    """What moves an order from one state to the next."""

    HOLD_GRANTED = "hold_granted"
    HOLD_REFUSED = "hold_refused"
    HOLD_PROLONGED = "hold_prolonged"
    ABANDONED = "abandoned"
    PAYMENT_BEGUN = "payment_begun"
    NOTHING_TO_PAY = "nothing_to_pay"
    PAYMENT_AUTHORISED = "payment_authorised"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_FAILED = "payment_failed"
    PLACES_COMMITTED = "places_committed"
    PLACES_GONE = "places_gone"
    CAPTURED = "captured"
    CAPTURE_REFUSED = "capture_refused"
    HOLD_EXPIRED = "hold_expired"
    BUYER_CANCELLED = "buyer_cancelled"
    EVENT_CANCELLED = "event_cancelled"
    GIVEN_BACK = "given_back"


TRANSITIONS: Mapping[tuple[OrderState, Happening], OrderState] = {
    (OrderState.PLACING, Happening.HOLD_GRANTED): OrderState.HELD,
    (OrderState.PLACING, Happening.HOLD_REFUSED): OrderState.CANCELLED,
    (OrderState.PLACING, Happening.ABANDONED): OrderState.CANCELLING,
    (OrderState.HELD, Happening.HOLD_PROLONGED): OrderState.HELD,
    (OrderState.HELD, Happening.PAYMENT_BEGUN): OrderState.PAYING,
    # Refused before the bank's page was known: the next click is a new payment.
    (OrderState.HELD, Happening.PAYMENT_DECLINED): OrderState.HELD,
    (OrderState.HELD, Happening.NOTHING_TO_PAY): OrderState.AUTHORISED,
    (OrderState.HELD, Happening.HOLD_EXPIRED): OrderState.CANCELLING,
    (OrderState.HELD, Happening.BUYER_CANCELLED): OrderState.CANCELLING,
    (OrderState.PAYING, Happening.PAYMENT_AUTHORISED): OrderState.AUTHORISED,
    (OrderState.PAYING, Happening.PAYMENT_DECLINED): OrderState.HELD,
    (OrderState.PAYING, Happening.PAYMENT_FAILED): OrderState.CANCELLING,
    (OrderState.PAYING, Happening.HOLD_EXPIRED): OrderState.CANCELLING,
    (OrderState.PAYING, Happening.BUYER_CANCELLED): OrderState.CANCELLING,
    (OrderState.HELD, Happening.EVENT_CANCELLED): OrderState.CANCELLING,
    (OrderState.PAYING, Happening.EVENT_CANCELLED): OrderState.CANCELLING,
    (OrderState.AUTHORISED, Happening.EVENT_CANCELLED): OrderState.CANCELLING,
    (OrderState.COMMITTED, Happening.EVENT_CANCELLED): OrderState.CANCELLING,
    (OrderState.AUTHORISED, Happening.PLACES_COMMITTED): OrderState.COMMITTED,
    (OrderState.AUTHORISED, Happening.PLACES_GONE): OrderState.CANCELLING,
    (OrderState.COMMITTED, Happening.CAPTURED): OrderState.CONFIRMED,
    (OrderState.COMMITTED, Happening.CAPTURE_REFUSED): OrderState.CANCELLING,
    (OrderState.CANCELLING, Happening.GIVEN_BACK): OrderState.CANCELLED,
}

# Why an order was cancelled, as the buyer reads it.
Reason = Literal["refused", "expired", "buyer", "places_gone", "payment_failed", "event_cancelled"]
REASONS: Mapping[Happening, Reason] = {
    Happening.HOLD_REFUSED: "refused",
    Happening.ABANDONED: "refused",
    Happening.HOLD_EXPIRED: "expired",
    Happening.BUYER_CANCELLED: "buyer",
    Happening.EVENT_CANCELLED: "event_cancelled",
    Happening.PLACES_GONE: "places_gone",
    Happening.PAYMENT_FAILED: "payment_failed",
    Happening.CAPTURE_REFUSED: "payment_failed",
}

EventState = Literal["scheduled", "rescheduled", "postponed", "cancelled", "moved_online"]
# In these states of an event nobody may begin to pay for an order of it.
EVENT_STATES_WITHOUT_SALE: frozenset[EventState] = frozenset({"cancelled", "postponed", "moved_online"})

OPEN_STATES = frozenset(OrderState) - {OrderState.CONFIRMED, OrderState.CANCELLED}
# States that the saga leaves by itself at once, without waiting for anybody.
DRIVEN_STATES = frozenset({OrderState.AUTHORISED, OrderState.COMMITTED, OrderState.CANCELLING})


class ImpossibleTransition(Exception):
    """A happening that makes no sense in this state: somebody else was faster. The order is read again."""

    def __init__(self, state: OrderState, happening: Happening) -> None:
        super().__init__(f"{happening} in state {state}")


def next_state(state: OrderState, happening: Happening) -> OrderState:
    """Where a happening leads. Raises `ImpossibleTransition` if the table does not have it."""
    try:
        return TRANSITIONS[state, happening]
    except KeyError:
        raise ImpossibleTransition(state, happening) from None


@dataclass(frozen=True)
class Line:
    """What is bought: one seat, or a number of places of a class, at the price of the moment of ordering."""

    line_id: UUID
    class_id: UUID
    class_name: str
    seat_id: str | None
    seat_label: str | None
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True)
class Order:
    """An order as its row says. Money in minor units of `currency`. Of its event, what is known by now: it may have moved."""

    order_id: UUID
    number: str
    person_id: UUID
    state: OrderState
    reason: Reason | None
    event_id: UUID
    event_title: str
    event_starts_at: datetime
    event_time_zone: str
    venue_name: str
    venue_city: str
    venue_street: str | None
    venue_country: str | None
    event_doors_at: datetime | None
    currency: str
    total_minor: int
    hold_id: UUID
    hold_expires_at: datetime | None
    payment_id: UUID | None
    payment_attempt: int
    redirect_url: str | None
    last_decline: str | None
    paid: bool
    traceparent: str | None
    trace_id: str | None
    created_at: datetime
    confirmed_at: datetime | None
    fence: int
    tries: int
    event_version: int = 0
    event_state: EventState = "scheduled"
    event_previous_starts_at: datetime | None = None
    lines: tuple[Line, ...] = field(default=())
    # How long its hold lasted from when it was read, by the database's clock; negative: it was over.
    hold_seconds_left: float | None = None


@dataclass(frozen=True)
class Offer:
    """What catalog says about an event, as a snapshot: later price changes do not touch orders that exist.

    `closed` are the classes that are not sold at this moment, with when they will be, if that is known."""

    event_id: UUID
    title: str
    starts_at: datetime
    time_zone: str
    venue_name: str
    venue_city: str
    currency: str
    on_sale: bool
    max_per_order: int
    classes: Mapping[UUID, tuple[str, int]]
    version: int = 0
    state: EventState = "scheduled"
    sale_begins_at: datetime | None = None
    closed: Mapping[UUID, datetime | None] = field(default_factory=dict)
    venue_street: str | None = None
    venue_country: str | None = None
    doors_at: datetime | None = None
    max_per_buyer: int | None = None


@dataclass(frozen=True)
class OpenOrder:
    """An order that holds places of an event and is not paid."""

    order_id: UUID
    number: str
    places: int


@dataclass(frozen=True)
class Wish:
    """What a buyer wants."""

    event_id: UUID
    places: tuple[tuple[UUID, int], ...]
    seats: tuple[str, ...]
    # The buyer's pass, if they have one: it is shown to inventory, and not kept.
    admission: str | None = None

    @property
    def count(self) -> int:
        """How many places these are."""
        return sum(quantity for _, quantity in self.places) + len(self.seats)


def check_wish(wish: Wish, offer: Offer) -> None:
    """Raises what keeps this wish from becoming an order."""
    if offer.state == "cancelled":
        raise EventCancelled
    if not offer.on_sale:
        raise NotOnSale(offer.sale_begins_at)
    if wish.count == 0:
        raise NoPlaces
    if wish.count > offer.max_per_order:
        raise TooManyPlaces(offer.max_per_order)
    if any(class_id not in offer.classes for class_id, _ in wish.places):
        raise PlaceUnknown
    closed = next((class_id for class_id, _ in wish.places if class_id in offer.closed), None)
    if closed is not None:
        raise NotOnSale(offer.closed[closed])


def is_ended_by_its_event(order: Order) -> bool:
    """Whether an order has to end because its event is cancelled: until the money is taken, it may."""
    return order.event_state == "cancelled" and (order.state, Happening.EVENT_CANCELLED) in TRANSITIONS


def check_event_of(order: Order) -> None:
    """Raises what keeps the buyer from paying for what they hold."""
    if order.event_state == "cancelled":
        raise EventCancelled
    if order.event_state in EVENT_STATES_WITHOUT_SALE:
        raise NotOnSale


def check_open_orders(wish: Wish, most: int, open_orders: Sequence[OpenOrder]) -> None:
    """Raises OrderStillOpen if the buyer would hold more unpaid places of the event than one order may have."""
    held = sum(order.places for order in open_orders)
    if open_orders and held + wish.count > most:
        raise OrderStillOpen(open_orders[0].order_id, open_orders[0].number, held, most)


def check_limit_of_buyer(wish: Wish, most: int | None, places: int) -> None:
    """Raises LimitOfBuyer if the buyer, who holds and has so many places of the event, would have more than one account may."""
    if most is not None and places + wish.count > most:
        raise LimitOfBuyer(places, most)


@dataclass(frozen=True)
class HeldLine:
    """A line of a hold as inventory granted it."""

    class_id: UUID
    seat_id: str | None
    seat_label: str | None
    quantity: int


def priced(held: Sequence[HeldLine], offer: Offer, order_id: UUID) -> tuple[Line, ...]:
    """Lines with the prices of the offer. Raises `PlaceUnknown` if inventory and catalog disagree about a class."""
    lines = []
    for number, line in enumerate(held):
        if line.class_id not in offer.classes:
            raise PlaceUnknown
        name, price = offer.classes[line.class_id]
        line_id = uuid5(order_id, f"line:{number}")
        lines.append(Line(line_id, line.class_id, name, line.seat_id, line.seat_label, line.quantity, price))
    return tuple(lines)


def total_of(lines: Sequence[Line]) -> int:
    """The sum in minor units."""
    return sum(line.quantity * line.unit_price_minor for line in lines)


def payment_id_of(order_id: UUID, attempt: int) -> UUID:
    """The id of an attempt's payment: always the same, so that asking again never pays twice. It changes only after a refusal."""
    return uuid5(order_id, f"payment:{attempt}")


def payment_description(event_title: str, number: str) -> str:
    """What the payer reads at the bank, in at most LONGEST_DESCRIPTION characters: the title is cut, the number is not."""
    ending = f" ({number})"
    room = LONGEST_DESCRIPTION - len(ending)
    title = event_title if len(event_title) <= room else f"{event_title[: room - 1]}…"
    return title + ending


def new_number() -> str:
    """A short order number that can be read out on the telephone: `K7Q2-9MXA`."""
    half = ["".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_HALF)) for _ in range(2)]
    return "-".join(half)


def longest_hold(created_at: datetime, longest_seconds: int) -> datetime:
    """Until when an order may hold its places, however often it is prolonged: somebody else may be waiting for them."""
    return created_at + timedelta(seconds=longest_seconds)


def new_order(
    *,
    order_id: UUID,
    hold_id: UUID,
    number: str,
    person_id: UUID,
    offer: Offer,
    traceparent: str | None,
    trace_id: str | None,
    now: datetime,
) -> Order:
    """An order before anything has happened to it: it is being placed, and has no places and no price yet."""
    return Order(
        order_id=order_id,
        number=number,
        person_id=person_id,
        state=OrderState.PLACING,
        reason=None,
        event_id=offer.event_id,
        event_version=offer.version,
        event_title=offer.title,
        event_starts_at=offer.starts_at,
        event_time_zone=offer.time_zone,
        venue_name=offer.venue_name,
        venue_city=offer.venue_city,
        venue_street=offer.venue_street,
        venue_country=offer.venue_country,
        event_doors_at=offer.doors_at,
        currency=offer.currency,
        total_minor=0,
        hold_id=hold_id,
        hold_expires_at=None,
        payment_id=None,
        payment_attempt=1,
        redirect_url=None,
        last_decline=None,
        paid=False,
        traceparent=traceparent,
        trace_id=trace_id,
        created_at=now,
        confirmed_at=None,
        fence=0,
        tries=0,
    )


def declined(order: Order, reason: str | None) -> dict[str, Any]:
    """What changes when a card was refused: the next attempt is a new payment, which the buyer may begin while the hold lasts."""
    return {
        "payment_id": None,
        "redirect_url": None,
        "payment_attempt": order.payment_attempt + 1,
        "last_decline": reason or "declined",
    }


def may_cancel(order: Order) -> bool:
    """Whether its buyer may still give the places back: once the money is vouched for, that is a refund."""
    return (order.state, Happening.BUYER_CANCELLED) in TRANSITIONS
