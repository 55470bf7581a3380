"""catalog, as web sees it: events, their classes and prices, and seat maps."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chassis.asking import Client, Read, Sent, Use

# Catalog reads no longer one.
LONGEST_MARKER = 200

EventState = Literal["scheduled", "rescheduled", "postponed", "cancelled", "moved_online"]
Obstacle = Literal[
    "cancelled", "postponed", "moved_online", "not_on_sale", "sold_out", "not_yet", "box_office", "discontinued"
]


class EventListed(Read):
    """An event on the list. `on_sale` was so when it was asked; not for an `obstacle`, or from `sale_begins_at`."""

    event_id: UUID
    title: str
    starts_at: datetime
    time_zone: str
    venue_name: str
    city: str
    image: str
    from_price_minor: int | None
    currency: str
    on_sale: bool
    state: EventState = "scheduled"
    previous_starts_at: datetime | None = None
    obstacle: Obstacle | None = None
    sale_begins_at: datetime | None = None
    sale_ends_at: datetime | None = None


class EventPage(Read):
    """Some events by start, and where the next ones begin."""

    items: list[EventListed]
    next: str | None


class Venue(Read):
    """Where it is."""

    name: str
    street: str
    city: str
    country: str


class TicketClass(Read):
    """What is for sale. `price_minor` in minor units of the event's currency. `obstacle`: why it is never sold."""

    class_id: UUID
    name: str
    description: str | None = None
    kind: Literal["general", "seated"]
    price_minor: int
    colour: str | None = None
    obstacle: Obstacle | None = None
    sale_begins_at: datetime | None = None
    sale_ends_at: datetime | None = None


class SeatMapRef(Read):
    """Which seat map an event uses; a version never changes."""

    seat_map_id: UUID
    version: int


class Event(Read):
    """An event with all that its page tells."""

    event_id: UUID
    title: str
    description: str | None = None
    starts_at: datetime
    doors_at: datetime | None = None
    time_zone: str
    organiser_name: str
    image: str
    venue: Venue
    currency: str
    on_sale: bool
    state: EventState = "scheduled"
    previous_starts_at: datetime | None = None
    over_at: datetime | None = None
    obstacle: Obstacle | None = None
    max_per_order: int
    seat_map: SeatMapRef | None = None
    classes: list[TicketClass]


class Seat(Read):
    """A seat; x and y in the seat map's own units."""

    seat_id: str
    label: str
    number: str
    x: float
    y: float
    category: str


class Row(Read):
    """Seats beside each other, or around a table. `label` is painted where `label_at` says; `name` is how the row is
    described in text. Seat maps of old do not say these two."""

    label: str
    name: str | None = None
    label_at: Literal["start", "end", "both", "nowhere"] | None = None
    seats: list[Seat]

    @property
    def words(self) -> str:
        """The row as people call it: `Row C`, `Table 12`; empty if it is not described."""
        return self.name if self.name is not None else f"Row {self.label}" if self.label else ""


class Lettering(Read):
    """How an area's text is written: centred on x and y, `size` high, turned about that point."""

    x: float
    y: float
    size: float
    rotation: float = 0.0
    colour: str | None = None


class Area(Read):
    """A drawing: stage, bar, table. Its box before it is turned about its middle; `points` are as drawn."""

    shape: str = "rectangle"
    x: float
    y: float
    width: float
    height: float
    rotation: float = 0.0
    text: str | None = None
    colour: str | None = None
    border_colour: str | None = None
    points: list[tuple[float, float]] = Field(default_factory=list)
    lettering: Lettering | None = None


class Zone(Read):
    """A part of the house."""

    name: str
    areas: list[Area] = Field(default_factory=list)
    rows: list[Row]


class Category(Read):
    """A kind of seat; the ticket class of the same name sells it."""

    name: str
    colour: str | None = None


class SeatMap(Read):
    """The geometry of a house. Never changes."""

    width: float
    height: float
    zones: list[Zone]
    categories: list[Category]


class _EventsWanted(Sent):
    query: str | None = Field(default=None, max_length=200)
    after: str | None = Field(default=None, max_length=LONGEST_MARKER)
    limit: int = Field(ge=1, le=100)


LIST_EVENTS = Use("GET", "/events", reads=EventPage, query=_EventsWanted, refusals={"cursor_invalid": None})
GET_EVENT = Use("GET", "/events/{event_id}", reads=Event, refusals={"event_unknown": None})
GET_SEAT_MAP = Use("GET", "/seat-maps/{seat_map_id}", reads=SeatMap)


class CatalogClient(Client):
    """Asks catalog."""

    provider = "catalog"
    uses = (LIST_EVENTS, GET_EVENT, GET_SEAT_MAP)

    async def events(self, query: str | None, after: str | None, limit: int) -> EventPage:
        """Events that are on sale or coming, by start. Raises ProviderProblem if `after` is no place in the list."""
        return await self.ask(LIST_EVENTS, query=_EventsWanted(query=query, after=after, limit=limit))

    async def event(self, event_id: UUID) -> Event:
        """One event. Raises ProviderProblem if there is none."""
        return await self.ask(GET_EVENT, event_id=event_id)

    async def seat_map(self, seat_map_id: UUID) -> SeatMap:
        """The geometry of a house."""
        return await self.ask(GET_SEAT_MAP, seat_map_id=seat_map_id)
