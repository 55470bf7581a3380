"""What inventory offers to other services."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.consistency import own_writes, primary_only, stale
from chassis.errors import Crowded
from chassis.models import Request as Body
from chassis.models import Response as Answer
from chassis.operations import Operation
from chassis.records import ChassisWhat, Entry, Records, records_operation
from services.inventory.domain import (
    MAX_PLACES_PER_HOLD,
    Busy,
    EventUnknown,
    HoldDiffers,
    HoldGone,
    HoldState,
    HoldUnknown,
    NoneLeft,
    NotOnSale,
    PassNeeded,
    PassUsed,
    PlaceUnknown,
    SeatsTaken,
    SeatState,
    SoldOut,
    TooManyPlaces,
)

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
    # Who buys, and the pass that they have from the waiting room, if the event has one.
    buyer_id: UUID | None = None
    admission: str | None = Field(default=None, max_length=2000)


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


class CrowdOut(Answer):
    """How an event's places stand: `left` to be held, held `in_carts`. `wait_seconds`: how long who wishes some now would wait."""

    left: int
    in_carts: int
    wait_seconds: float


class TakenSeatOut(Answer):
    """A seat that somebody has."""

    seat_id: str
    state: Literal[SeatState.HELD, SeatState.SOLD]


class SeatsOut(Answer):
    """The seats that are not free."""

    event_id: UUID
    taken: list[TakenSeatOut]


InventoryWhat = Literal["hold_granted", "hold_expired", "hold_committed", "hold_taken_again", "hold_released"]


class InventoryEntry(Entry):
    """What happened to the places of an order."""

    what: Literal[InventoryWhat, ChassisWhat]


class InventoryRecords(Records):
    """An order as inventory has recorded it."""

    entries: list[InventoryEntry]


HOLD = "/events/{event_id}/holds/{hold_id}"
PLACE_HOLD = Operation(
    "PUT",
    HOLD,
    callers=("orders",),
    answers=HoldOut,
    status=201,
    also={200: "It was there."},
    refuses=(
        EventUnknown,
        PlaceUnknown,
        NotOnSale,
        SoldOut,
        NoneLeft,
        SeatsTaken,
        HoldDiffers,
        HoldGone,
        TooManyPlaces,
        PassNeeded,
        PassUsed,
        Busy,
        Crowded,
    ),
)
GET_HOLD = Operation(
    "GET",
    HOLD,
    callers=("orders",),
    answers=HoldOut,
    refuses=(HoldUnknown,),
    reads=primary_only("Orders acts on it: a hold that has ended must not look held."),
)
COMMIT_HOLD = Operation(
    "POST",
    f"{HOLD}/commit",
    callers=("orders",),
    answers=HoldOut,
    refuses=(HoldUnknown, HoldGone),
    repeatable=True,
)
PROLONG_HOLD = Operation(
    "POST",
    f"{HOLD}/prolong",
    callers=("orders",),
    answers=HoldOut,
    refuses=(HoldUnknown, HoldGone),
    repeatable=True,
)
RELEASE_HOLD = Operation("POST", f"{HOLD}/release", callers=("orders",), answers=HoldOut, repeatable=True)
GET_AVAILABILITY = Operation(
    "GET",
    "/events/{event_id}/availability",
    callers=("web",),
    answers=AvailabilityOut,
    refuses=(EventUnknown,),
    reads=own_writes(
        2, "The map is old when it is drawn: to hold is what decides. Two seconds are what pages keep it for anyway."
    ),
)
GET_CROWD = Operation(
    "GET",
    "/events/{event_id}/crowd",
    callers=("waitingroom",),
    answers=CrowdOut,
    refuses=(EventUnknown,),
    reads=stale(2, "A number for those who wait. Who asks has written none of what it counts."),
)
GET_SEATS = Operation(
    "GET",
    "/events/{event_id}/seats",
    callers=("web",),
    answers=SeatsOut,
    refuses=(EventUnknown,),
    reads=own_writes(2, "As availability: to hold is what decides."),
)
GET_RECORDS = records_operation(InventoryRecords)
OPERATIONS = (
    PLACE_HOLD,
    GET_HOLD,
    COMMIT_HOLD,
    PROLONG_HOLD,
    RELEASE_HOLD,
    GET_AVAILABILITY,
    GET_CROWD,
    GET_SEATS,
    GET_RECORDS,
)
