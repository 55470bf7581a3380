"""What the list of events and the page of an event show, ready to be written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.money import Style
from services.web.browsing.domain import Wish
from services.web.browsing.seating.house import House
from services.web.browsing.words import Standing, Unsold, event_unsold, is_open, standing_of, unsold
from services.web.clients.catalog import Event, EventListed, TicketClass
from services.web.frame import formats

_DRAWINGS = frozenset({"theatre", "hall", "festival"})
_VARIANTS = 6
# A page says how many places are left if they are at most so many.
FEW = 50


@dataclass(frozen=True)
class Art:
    """A poster: which drawing, in which inks."""

    key: str
    variant: int


@dataclass(frozen=True)
class Card:
    """An event on the list."""

    href: str
    title: str
    place: str
    moment: formats.Moment
    from_price: str
    unsold: str
    standing: Standing | None
    art: Art

    @property
    def on_sale(self) -> bool:
        return not self.unsold


@dataclass(frozen=True)
class ClassView:
    """A class of places without numbers."""

    class_id: UUID
    name: str
    description: str | None
    price: str
    price_minor: int
    left: str
    unsold: str
    most: int
    quantity: int


@dataclass(frozen=True)
class EventView:
    """An event's page."""

    event_id: UUID
    title: str
    description: str | None
    organiser_name: str
    moment: formats.Moment
    doors: str | None
    venue: object
    address: str
    art: Art
    standing: Standing | None
    unsold: Unsold | None
    max_per_order: int
    style: Style
    nothing: str
    general: list[ClassView]
    # Classes with seats: how many are wished, and the shop chooses which.
    best: list[ClassView]
    house: House | None
    # Why classes with seats are not sold now, by the name of the class.
    unsold_categories: Mapping[str, str]

    @property
    def on_sale(self) -> bool:
        return self.unsold is None

    @property
    def most_words(self) -> str:
        return formats.count(self.max_per_order, "place", "places")

    @property
    def paragraphs(self) -> list[str]:
        return [line.strip() for line in (self.description or "").splitlines() if line.strip()]

    @property
    def plan_address(self) -> str:
        return f"/events/{self.event_id}/plan/{self.house.drawing_key}.svg" if self.house else ""


def art_of(key: str, event_id: UUID) -> Art:
    """The drawing of a key (or a good general one), in inks that stay with the event."""
    # The random end of the id: its beginning is time, and events are loaded together.
    return Art(key if key in _DRAWINGS else "default", event_id.bytes[-1] % _VARIANTS)


def card_of(event: EventListed, now: datetime | None = None) -> Card:
    """An event on the list. Catalog has said whether it is on sale; a sale that has begun since then has begun."""
    from_price, now = event.from_price_minor, now or datetime.now(UTC)
    has_begun = event.obstacle is None and event.sale_begins_at is not None and is_open(event, now)
    why = None if event.on_sale or has_begun else unsold(event, event.time_zone, now)
    return Card(
        href=f"/events/{event.event_id}",
        title=event.title,
        place=", ".join(part for part in (event.venue_name, event.city) if part),
        moment=formats.Moment(event.starts_at, event.time_zone),
        from_price=_from(from_price, event.currency),
        unsold="" if event.on_sale or has_begun else why.words if why else "Not on sale now",
        standing=standing_of(event.state, event.previous_starts_at, event.time_zone),
        art=art_of(event.image, event.event_id),
    )


def _from(minor: int | None, currency: str) -> str:
    if minor is None:
        return "See prices"
    return f"from {formats.money(minor, currency)}" if minor else "Free"


def left_words(available: int | None) -> str:
    """How many places there are, in words for a buyer."""
    if available is None:
        return ""
    if available <= 0:
        return "Sold out"
    return f"Only {available} left" if available <= FEW else "Available"


def most_of(available: int | None, max_per_order: int) -> int:
    """How many of a class may go into one order, as far as is known."""
    return max_per_order if available is None else max(0, min(available, max_per_order))


def event_view(
    event: Event,
    house: House | None,
    free: Mapping[UUID, int] | None,
    wish: Wish,
    now: datetime | None = None,
) -> EventView:
    """The page of an event. `free` is None if nobody knows how many places there are."""
    now = now or datetime.now(UTC)
    closed = {one.name: why.words for one in event.classes if (why := unsold(one, event.time_zone, now))}
    views = [(one, _class_view(one, event, free, wish, closed.get(one.name, ""))) for one in event.classes]
    moment = formats.Moment(event.starts_at, event.time_zone)
    venue = event.venue
    return EventView(
        event_id=event.event_id,
        title=event.title,
        description=event.description,
        organiser_name=event.organiser_name,
        moment=moment,
        doors=formats.Moment(event.doors_at, event.time_zone).time if event.doors_at else None,
        venue=venue,
        address=", ".join(part for part in (venue.street, venue.city, venue.country) if part),
        art=art_of(event.image, event.event_id),
        standing=standing_of(event.state, event.previous_starts_at, event.time_zone),
        unsold=event_unsold(event, now),
        max_per_order=event.max_per_order,
        style=formats.style(event.currency),
        nothing=formats.money(0, event.currency),
        general=[view for one, view in views if one.kind == "general"],
        best=[view for one, view in views if one.kind == "seated"],
        house=house,
        unsold_categories=closed,
    )


def _class_view(one: TicketClass, event: Event, free: Mapping[UUID, int] | None, wish: Wish, why: str) -> ClassView:
    available = None if free is None else free.get(one.class_id)
    most = 0 if why else most_of(available, event.max_per_order)
    return ClassView(
        class_id=one.class_id,
        name=one.name,
        description=one.description,
        price=formats.price(one.price_minor, event.currency),
        price_minor=one.price_minor,
        left=why or left_words(available),
        unsold=why,
        most=most,
        quantity=min(wish.quantities.get(one.class_id, 0), most),
    )
