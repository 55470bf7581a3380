"""The catalog, as orders sees it: what is offered, at which price."""

from datetime import datetime
from uuid import UUID

from chassis.asking import Client, Read, Use
from chassis.http import ProviderProblem
from services.orders.domain import EventState, Offer
from services.orders.refusals import EventUnknown


class _Venue(Read):
    name: str
    street: str | None
    city: str
    country: str | None


class _Class(Read):
    class_id: UUID
    name: str
    price_minor: int
    on_sale: bool
    sale_begins_at: datetime | None


class _Event(Read):
    event_id: UUID
    title: str
    starts_at: datetime
    doors_at: datetime | None
    time_zone: str
    venue: _Venue
    currency: str
    on_sale: bool
    sale_begins_at: datetime | None
    state: EventState
    version: int
    max_per_order: int
    max_per_buyer: int | None
    classes: list[_Class]


EVENT = Use("GET", "/events/{event_id}", reads=_Event, refusals={"event_unknown": None})


class CatalogClient(Client):
    """Raises `ProviderUnavailable` when the catalog does not answer."""

    provider = "catalog"
    uses = (EVENT,)

    async def offer(self, event_id: UUID) -> Offer:
        """What is offered for an event now. Raises `EventUnknown`."""
        try:
            event = await self.ask(EVENT, event_id=event_id)
        except ProviderProblem as problem:
            if problem.problem_code == "event_unknown":
                raise EventUnknown(event_id) from problem
            raise
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
            max_per_buyer=event.max_per_buyer,
            version=event.version,
            state=event.state,
            sale_begins_at=event.sale_begins_at,
            closed={each.class_id: each.sale_begins_at for each in event.classes if not each.on_sale},
            classes={each.class_id: (each.name, each.price_minor) for each in event.classes},
        )
