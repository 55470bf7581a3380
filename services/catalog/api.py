"""Routes: what web and orders ask of the catalogue."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import RowMapping

from chassis.documented import refuses
from chassis.identity import calls_from
from chassis.models import Response as ResponseModel
from services.catalog.domain import (
    CursorInvalid,
    EventState,
    EventUnknown,
    Kind,
    LabelPlace,
    Obstacle,
    Sale,
    SeatMapUnknown,
)
from services.catalog.service import Catalog, EventListed, EventWithClasses

_FOR_EVER = "private, max-age=31536000, immutable"


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


def make_router(catalog: Catalog) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()

    @router.get("/events", dependencies=[calls_from("web")], responses=refuses(CursorInvalid))
    async def list_events(
        query: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> EventsOut:
        page = await catalog.list_events(query, after, limit)
        return EventsOut(items=[_listed_out(each) for each in page.items], next=page.next)

    @router.get("/events/{event_id}", dependencies=[calls_from("web", "orders")], responses=refuses(EventUnknown))
    async def get_event(event_id: UUID) -> EventOut:
        return _event_out(await catalog.event(event_id))

    @router.get(
        "/seat-maps/{seat_map_id}",
        dependencies=[calls_from("web")],
        response_model=SeatMapOut,
        responses=refuses(SeatMapUnknown),
    )
    async def get_seat_map(seat_map_id: UUID) -> Response:
        # The answer was made when the plan was imported, and is the same for ever.
        document = await catalog.seat_map(seat_map_id)
        return Response(document, media_type="application/json", headers={"Cache-Control": _FOR_EVER})

    return router


def _event_out(found: EventWithClasses) -> EventOut:
    event: RowMapping = found.event
    seat_map = None
    if event["seat_map_id"] is not None:
        seat_map = SeatMapRefOut(seat_map_id=event["seat_map_id"], version=event["seat_map_version"])
    answered = {"venue", "seat_map", "classes", "on_sale", "obstacle", "sale_begins_at"}
    return EventOut(
        **{name: event[name] for name in EventOut.model_fields if name not in answered},
        venue=VenueOut(name=event["venue_name"], street=event["street"], city=event["city"], country=event["country"]),
        on_sale=any(sale.is_open(found.now) for sale in found.sales),
        obstacle=found.sale.obstacle,
        sale_begins_at=found.sale.begins_at,
        seat_map=seat_map,
        classes=[
            ClassOut.model_validate(dict(row) | _sale_out(sale, found.now))
            for row, sale in zip(found.classes, found.sales, strict=True)
        ],
    )


def _listed_out(listed: EventListed) -> EventListedOut:
    sale = _sale_out(listed.sale, None) | {"on_sale": listed.is_open, "from_price_minor": listed.from_price_minor}
    return EventListedOut.model_validate(dict(listed.event) | sale)


def _sale_out(sale: Sale, now: datetime | None) -> dict[str, Any]:
    told = {"obstacle": sale.obstacle, "sale_begins_at": sale.begins_at, "sale_ends_at": sale.ends_at}
    return told if now is None else told | {"on_sale": sale.is_open(now)}
