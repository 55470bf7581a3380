"""The catalog, as orders sees it: what is offered, at which price."""

from datetime import datetime
from uuid import UUID

import httpx
from pydantic import BaseModel

from chassis.http import ProviderProblem, expect
from services.orders.domain import EventState, EventUnknown, Offer

NOT_FOUND = 404


class _Venue(BaseModel):
    name: str
    street: str | None = None
    city: str
    country: str | None = None


class _Class(BaseModel):
    class_id: UUID
    name: str
    price_minor: int
    on_sale: bool = True
    sale_begins_at: datetime | None = None


class _Event(BaseModel):
    event_id: UUID
    title: str
    starts_at: datetime
    doors_at: datetime | None = None
    time_zone: str
    venue: _Venue
    currency: str
    on_sale: bool
    sale_begins_at: datetime | None = None
    state: EventState = "scheduled"
    version: int = 0
    max_per_order: int
    classes: list[_Class]


class CatalogClient:
    """Raises `ProviderUnavailable` when the catalog does not answer."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def offer(self, event_id: UUID) -> Offer:
        """What is offered for an event now. Raises `EventUnknown`."""
        response = await self._http.get(f"/events/{event_id}", extensions={"route": "/events/{event_id}"})
        try:
            expect(response, 200, provider="catalog")
        except ProviderProblem as problem:
            if problem.status == NOT_FOUND:
                raise EventUnknown(event_id) from problem
            raise
        event = _Event.model_validate_json(response.content)
        return Offer(
            event_id=event.event_id,
            title=event.title,
            starts_at=event.starts_at,
            time_zone=event.time_zone,
            venue_name=event.venue.name,
            venue_city=event.venue.city,
            venue_street=event.venue.street,
            venue_country=event.venue.country,
            doors_at=event.doors_at,
            currency=event.currency,
            on_sale=event.on_sale,
            max_per_order=event.max_per_order,
            version=event.version,
            state=event.state,
            sale_begins_at=event.sale_begins_at,
            closed={each.class_id: each.sale_begins_at for each in event.classes if not each.on_sale},
            classes={each.class_id: (each.name, each.price_minor) for each in event.classes},
        )
