"""What catalog offers to other services."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.consistency import own_writes, primary_only
from chassis.models import Response as ResponseModel
from chassis.operations import Operation
from services.catalog.domain import (
    CursorInvalid,
    EventState,
    EventUnknown,
    Kind,
    LabelPlace,
    Obstacle,
    SeatMapUnknown,
)


class EventListedOut(ResponseModel):
    """An event on the list. `from_price_minor`: its cheapest class that is sold, in minor units of `currency`.

    Not `on_sale` now: because of `obstacle`, or only from `sale_begins_at`, or its sale has ended."""

    event_id: UUID
    title: str
    starts_at: datetime
    time_zone: str
    venue_name: str
    city: str
    image: str
    from_price_minor: int
    currency: str
    on_sale: bool
    state: EventState
    previous_starts_at: datetime | None
    obstacle: Obstacle | None
    sale_begins_at: datetime | None
    sale_ends_at: datetime


class EventsOut(ResponseModel):
    """Events by start; `next` is passed as `after` for those that follow, null at the end."""

    items: list[EventListedOut]
    next: str | None


class VenueOut(ResponseModel):
    """Where it is."""

    name: str
    street: str
    city: str
    country: str


class SeatMapRefOut(ResponseModel):
    """Which seat map an event uses; a version never changes."""

    seat_map_id: UUID
    version: int


class ClassOut(ResponseModel):
    """What is for sale. A seated class sells the seats of the category with its name.

    It is sold while there is no `obstacle`, from `sale_begins_at` (null: at once) until `sale_ends_at`; `on_sale`: now."""

    class_id: UUID
    name: str
    description: str | None
    kind: Kind
    price_minor: int
    capacity: int
    colour: str | None
    on_sale: bool
    obstacle: Obstacle | None
    sale_begins_at: datetime | None
    sale_ends_at: datetime


class EventOut(ResponseModel):
    """An event with all that its page tells. `on_sale`: one of its classes is, now; `over_at`: its end, or its start.

    `version` grows with every change."""

    event_id: UUID
    title: str
    description: str
    starts_at: datetime
    doors_at: datetime | None
    ends_at: datetime | None
    over_at: datetime
    previous_starts_at: datetime | None
    state: EventState
    version: int
    time_zone: str
    organiser_name: str
    image: str
    venue: VenueOut
    currency: str
    on_sale: bool
    obstacle: Obstacle | None
    sale_begins_at: datetime | None
    max_per_order: int
    # How many places one account may hold and have, over all its orders; null: as many as it likes.
    max_per_buyer: int | None
    seat_map: SeatMapRefOut | None
    classes: list[ClassOut]


class SeatOut(ResponseModel):
    """A seat; x and y in the seat map's units."""

    seat_id: str
    label: str
    number: str
    x: float
    y: float
    category: str


class RowOut(ResponseModel):
    """Seats beside each other, or around a table. `label` is painted where `label_at` says; `name` is how the row is
    described in text (empty: not at all)."""

    row_id: str
    label: str
    name: str
    label_at: LabelPlace
    seats: list[SeatOut]


class LetteringOut(ResponseModel):
    """How an area's text is written: centred on x and y, `size` high, turned about that point."""

    x: float
    y: float
    size: float
    rotation: float
    colour: str | None


class AreaOut(ResponseModel):
    """A drawing: its box before it is turned about its middle by `rotation` degrees; `points` for polygons, as drawn.
    Colours are `#rrggbb` or `#rrggbbaa`. Without `lettering` the text stands in the middle of the box."""

    shape: Literal["rectangle", "ellipse", "polygon", "text"]
    x: float
    y: float
    width: float
    height: float
    rotation: float
    text: str | None
    colour: str | None
    border_colour: str | None
    points: list[tuple[float, float]]
    lettering: LetteringOut | None


class ZoneOut(ResponseModel):
    """A part of the house."""

    zone_id: str
    name: str
    areas: list[AreaOut]
    rows: list[RowOut]


class CategoryOut(ResponseModel):
    """A kind of seat."""

    name: str
    colour: str


class SeatMapOut(ResponseModel):
    """The geometry of a house."""

    seat_map_id: UUID
    version: int
    name: str
    width: float
    height: float
    zones: list[ZoneOut]
    categories: list[CategoryOut]


LIST_EVENTS = Operation(
    "GET",
    "/events",
    callers=("web",),
    answers=EventsOut,
    refuses=(CursorInvalid,),
    reads=own_writes(
        30,
        "Who looks for an evening out may hear of a new event half a minute late; who has changed one sees it at once.",
    ),
)
GET_EVENT = Operation(
    "GET",
    "/events/{event_id}",
    callers=("web", "orders"),
    answers=EventOut,
    refuses=(EventUnknown,),
    reads=own_writes(
        10,
        "A page is read by many and changes rarely. What it says is checked again by whoever sells: inventory and orders.",
    ),
)
GET_SEAT_MAP = Operation(
    "GET",
    "/seat-maps/{seat_map_id}",
    callers=("web",),
    answers=SeatMapOut,
    refuses=(SeatMapUnknown,),
    reads=primary_only(
        "Web asks once for each house and keeps it; one that a replica did not have yet would be a broken page."
    ),
)
OPERATIONS = (LIST_EVENTS, GET_EVENT, GET_SEAT_MAP)
