"""Routes: what web and orders ask of the catalogue."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.operations import serves
from chassis.statements import Row
from services.catalog.domain import Sale
from services.catalog.operations import (
    GET_EVENT,
    GET_SEAT_MAP,
    LIST_EVENTS,
    ClassOut,
    EventListedOut,
    EventOut,
    EventsOut,
    SeatMapRefOut,
    VenueOut,
)
from services.catalog.service import Catalog, EventListed, EventWithClasses

_FOR_EVER = "private, max-age=31536000, immutable"


def make_router(catalog: Catalog) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()

    @serves(router, LIST_EVENTS)
    async def list_events(
        query: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> EventsOut:
        page = await catalog.list_events(query, after, limit)
        return EventsOut(items=[_listed_out(each) for each in page.items], next=page.next)

    @serves(router, GET_EVENT)
    async def get_event(event_id: UUID) -> EventOut:
        return _event_out(await catalog.event(event_id))

    @serves(router, GET_SEAT_MAP)
    async def get_seat_map(seat_map_id: UUID) -> Response:
        # The answer was made when the plan was imported, and is the same for ever.
        document = await catalog.seat_map(seat_map_id)
        return Response(document, media_type="application/json", headers={"Cache-Control": _FOR_EVER})

    return router


def _event_out(found: EventWithClasses) -> EventOut:
    event: Row = found.event
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
    state = {"obstacle": sale.obstacle, "sale_begins_at": sale.begins_at, "sale_ends_at": sale.ends_at}
    return state if now is None else state | {"on_sale": sale.is_open(now)}
