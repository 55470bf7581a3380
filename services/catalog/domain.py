"""What catalog knows: events, venues, seat maps, ticket classes and prices, and the rules that hold between them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1c3a52-5f0e-5b1d-9c57-0d9d3f6f2a11")
"""Root of catalog's UUIDv5 ids: the same file gives the same ids on every installation."""

DEFAULT_MAX_PER_ORDER = 10
# A ticket's code has two bytes for it.
MAX_CODE_EDITION = 65_535
SEATS_PER_PART = 1_000

Kind = Literal["general", "seated"]
EventState = Literal["scheduled", "rescheduled", "postponed", "cancelled", "moved_online"]
Availability = Literal["available", "sold_out", "not_yet", "box_office", "discontinued"]
Obstacle = Literal[
    "cancelled", "postponed", "moved_online", "not_on_sale", "sold_out", "not_yet", "box_office", "discontinued"
]
"""Why something is not sold, whatever the time: the event's state, the organiser's word, or the offer's."""
Change = Literal["state", "starts_at", "doors_at", "title", "venue", "codes"]
"""What those who hold tickets must know of."""
LabelPlace = Literal["start", "end", "both", "nowhere"]


class CatalogError(Exception):
    """Base of what catalog refuses; `code` and `category` become the problem+json."""

    code: ClassVar[str]
    category: ClassVar[str]


class EventUnknown(CatalogError):
    """No event has this id."""

    code = "event_unknown"
    category = "not_found"

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        super().__init__("There is no such event. Look for it in the list of events; it may have been published anew.")


class SeatMapUnknown(CatalogError):
    """No seat map has this id."""

    code = "seat_map_unknown"
    category = "not_found"

    def __init__(self, seat_map_id: UUID) -> None:
        self.seat_map_id = seat_map_id
        super().__init__("There is no such seat map. Ask for the event again: it names the seat map that it uses.")


class CursorInvalid(CatalogError):
    """`after` was not made by this list."""

    code = "cursor_invalid"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__(
            "`after` is not a place in this list. Pass `next` of the page before, unchanged, or leave it out."
        )


class ImportRefused(Exception):
    """A file cannot be taken in. `path` names the field (`zones[0].rows[2].seats[5].seat_guid`; empty: the file itself)."""

    def __init__(self, path: str, sentence: str) -> None:
        self.path = path
        self.sentence = sentence
        super().__init__(f"{path}: {sentence}" if path else sentence)


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat. `seat_id` is the plan's `seat_guid`; x and y are in the seat map's units, from its top left corner."""

    seat_id: str
    label: str
    number: str
    x: float
    y: float
    category: str


@dataclass(frozen=True, slots=True)
class Row:
    """Seats beside each other, or around a table. `label` is painted on the plan (`C`, `12`) at its first seat, its last,
    both, or nowhere (`label_at`); `name` is how the row is described in text (`Row C`, `Table 12`; empty: not at all)."""

    row_id: str
    label: str
    name: str
    label_at: LabelPlace
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Lettering:
    """How an area's text is written: centred on x and y, `size` high, turned about that point by `rotation` degrees
    clockwise. `colour` may be None."""

    x: float
    y: float
    size: float
    rotation: float
    colour: str | None


@dataclass(frozen=True, slots=True)
class Area:
    """A drawing: stage, bar, table. x, y, width, height: the box around it before it is turned about its middle by
    `rotation` degrees clockwise; `points` (already turned) only for polygons. `lettering` is None if the plan does not
    say where its text stands: then in the middle, as large as the box allows."""

    shape: Literal["rectangle", "ellipse", "polygon", "text"]
    x: float
    y: float
    width: float
    height: float
    rotation: float
    text: str | None
    colour: str | None
    border_colour: str | None
    points: tuple[tuple[float, float], ...]
    lettering: Lettering | None


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the house."""

    zone_id: str
    name: str
    areas: tuple[Area, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of seat; the seated class of the same name sells it."""

    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class SeatingPlan:
    """The geometry of a house as a file describes it. Stored, it is a version of the seat map of this name."""

    name: str
    width: float
    height: float
    zones: tuple[Zone, ...]
    categories: tuple[Category, ...]

    def seats(self) -> tuple[Seat, ...]:
        """All seats in the order of the file."""
        return tuple(seat for zone in self.zones for row in zone.rows for seat in row.seats)


@dataclass(frozen=True, slots=True)
class Venue:
    """Where an event is. `country` as the organiser writes it, usually an ISO 3166 code."""

    name: str
    street: str
    city: str
    country: str

    @property
    def venue_id(self) -> UUID:
        return stable_id("venue", self.name, self.street, self.city, self.country)


@dataclass(frozen=True, slots=True)
class ClassDraft:
    """A ticket class as a file describes it at `path`.

    `capacity` may be None for a seated class, whose seats are counted, and for one that is not sold anyway. It is sold from
    `sale_begins_at` (None: at once) until `sale_ends_at` (None: until the event is over)."""

    path: str
    name: str
    description: str | None
    kind: Kind
    price_minor: int
    capacity: int | None
    colour: str | None
    availability: Availability = "available"
    sale_begins_at: datetime | None = None
    sale_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event as a file describes it; `plan_name` names the seat map, `path` is where it stands in its file.

    `performers` are only searched. `address` is the page of an event that has no identifier of its own: it is known again by
    that and by its start.
    `previous_starts_at` is when it was to start before it was moved, if the file says so. `venue` is None for an event that
    has moved online and names no other place: then it is the one that was known. `code_edition`: codes of tickets of an earlier
    one are refused at the door."""

    identifier: str
    path: str
    title: str
    description: str
    starts_at: datetime
    doors_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    organiser_name: str
    image: str
    venue: Venue | None
    currency: str
    on_sale: bool
    max_per_order: int
    plan_name: str | None
    classes: tuple[ClassDraft, ...]
    state: EventState = "scheduled"
    previous_starts_at: datetime | None = None
    address: str | None = None
    performers: tuple[str, ...] = ()
    code_edition: int = 1
    max_per_buyer: int | None = None

    @property
    def event_id(self) -> UUID:
        return stable_id("event", self.identifier)

    def class_id(self, class_name: str) -> UUID:
        """The id of one of its classes."""
        return stable_id("class", self.identifier, class_name)


@dataclass(frozen=True, slots=True)
class Sellable:
    """What inventory needs to know of an event: classes with their kind and capacity, and which class sells which seat."""

    classes: dict[str, tuple[Kind, int]]
    seats: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sale:
    """When something is sold: never while there is an obstacle, else from `begins_at` (None: at once) until `ends_at`."""

    obstacle: Obstacle | None
    begins_at: datetime | None
    ends_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether it is sold at this moment."""
        return self.obstacle is None and (self.begins_at is None or self.begins_at <= now) and now < self.ends_at


@dataclass(frozen=True, slots=True)
class Standing:
    """What those who hold tickets must know of an event."""

    state: EventState
    title: str
    starts_at: datetime
    previous_starts_at: datetime | None
    doors_at: datetime | None
    ends_at: datetime | None
    venue: Venue
    code_edition: int = 1


_STATE_OBSTACLES: Mapping[EventState, Obstacle] = {
    "cancelled": "cancelled",
    "postponed": "postponed",
    # A ticket is for a place that one can go to.
    "moved_online": "moved_online",
}
_AVAILABILITY_OBSTACLES: Mapping[Availability, Obstacle] = {
    "sold_out": "sold_out",
    "not_yet": "not_yet",
    "box_office": "box_office",
    "discontinued": "discontinued",
}
# Of an event that is not sold at all, the reason that says most comes first.
_OBSTACLES_BY_WEIGHT: Sequence[Obstacle] = (
    "cancelled",
    "postponed",
    "moved_online",
    "not_on_sale",
    "not_yet",
    "box_office",
    "sold_out",
    "discontinued",
)


def sale_of_class(
    state: EventState,
    on_sale: bool,
    over_at: datetime,
    availability: Availability,
    begins_at: datetime | None,
    ends_at: datetime | None,
) -> Sale:
    """When a class is sold. The one rule: catalog answers by it, and tells it to whoever sells."""
    obstacle = _STATE_OBSTACLES.get(state) or (_AVAILABILITY_OBSTACLES.get(availability) if on_sale else "not_on_sale")
    return Sale(obstacle, begins_at, over_at if ends_at is None else min(ends_at, over_at))


def sale_of_event(classes: Sequence[Sale], over_at: datetime, now: datetime) -> Sale:
    """When an event is sold: while one of its classes is, or from when the next one will be; else why it is not."""
    free = [sale for sale in classes if sale.obstacle is None and now < sale.ends_at]
    if not free:
        obstacles = {sale.obstacle for sale in classes if sale.obstacle is not None}
        heaviest = next((each for each in _OBSTACLES_BY_WEIGHT if each in obstacles), None)
        return Sale(heaviest, None, max((sale.ends_at for sale in classes), default=over_at))
    ends_at = max(sale.ends_at for sale in free)
    if any(sale.is_open(now) for sale in free):
        return Sale(None, None, ends_at)
    return Sale(None, min(sale.begins_at for sale in free if sale.begins_at is not None), ends_at)


def standing_after(draft: EventDraft, before: Standing | None, venue: Venue, now: datetime) -> Standing:
    """How an event stands once this file is loaded. A new date makes it rescheduled, also where the file does not say so."""
    state, previous = draft.state, draft.previous_starts_at
    if before is not None and state in {"scheduled", "rescheduled"}:
        if draft.starts_at != before.starts_at:
            if state == "rescheduled" or before.state == "postponed" or not _was_over(before, now):
                state, previous = "rescheduled", previous or before.starts_at
        elif before.state == "rescheduled":
            state, previous = "rescheduled", previous or before.previous_starts_at
    if previous == draft.starts_at:
        previous = None
    # Codes that were refused once stay so, whatever a later file forgets to say.
    edition = max(draft.code_edition, before.code_edition) if before is not None else draft.code_edition
    return Standing(state, draft.title, draft.starts_at, previous, draft.doors_at, draft.ends_at, venue, edition)


def changes_for_holders(before: Standing | None, after: Standing, now: datetime) -> list[Change]:
    """What has changed that holders must know. Of an event that was over and comes again without a word of a change: no more than
    that its tickets have other codes."""
    codes: list[Change] = ["codes"] if after.code_edition > (before.code_edition if before is not None else 1) else []
    if before is None:
        return codes if after.state == "scheduled" else ["state", *codes]
    if _was_over(before, now) and after.state == "scheduled":
        return codes
    changed: dict[Change, bool] = {
        "state": before.state != after.state,
        "starts_at": before.starts_at != after.starts_at,
        "doors_at": before.doors_at != after.doors_at,
        "title": before.title != after.title,
        "venue": before.venue != after.venue,
    }
    return [*(change for change, is_so in changed.items() if is_so), *codes]


def _was_over(standing: Standing, now: datetime) -> bool:
    return (standing.ends_at or standing.starts_at) <= now


def stable_id(*parts: str) -> UUID:
    """The UUIDv5 of these parts; the separator cannot occur in what is imported, so no two lists collide."""
    return uuid5(NAMESPACE, "\x1f".join(parts))


def sellable(draft: EventDraft, plan_seats: dict[str, str], before: Sellable | None = None) -> Sellable:
    """Joins an event with the seats of its plan (seat id -> category); refuses classes that nothing backs.

    Seats whose category no class sells are drawn and not for sale. A class that is not sold and tells no capacity keeps the
    one of `before`, or has none."""
    known = before.classes if before is not None else {}
    seated = {cls.name for cls in draft.classes if cls.kind == "seated"}
    seats = {seat_id: category for seat_id, category in plan_seats.items() if category in seated}
    counts: dict[str, int] = dict.fromkeys(seated, 0)
    for category in seats.values():
        counts[category] += 1
    classes: dict[str, tuple[Kind, int]] = {}
    for cls in draft.classes:
        if cls.kind == "general":
            capacity_of_class = cls.capacity
            capacity = known.get(cls.name, ("general", 0))[1] if capacity_of_class is None else capacity_of_class
        else:
            capacity = counts[cls.name]
        if not capacity and cls.kind == "seated":
            raise ImportRefused(
                f"{cls.path}.name",
                f"The class “{cls.name}” is seated, but the seating plan has no seat of the category “{cls.name}”. "
                "Name the class as its category, or sell it with `onsale:kind` “general”.",
            )
        if cls.kind == "seated" and cls.capacity is not None and cls.capacity != capacity:
            raise ImportRefused(
                cls.path,
                f"The class “{cls.name}” promises {cls.capacity} places, but the seating plan has {capacity} seats of "
                "that category. Leave the capacity out: the seats are counted.",
            )
        classes[cls.name] = (cls.kind, capacity)
    return Sellable(classes, seats)


def check_change(draft: EventDraft, before: Sellable, after: Sellable) -> None:
    """What has been published may have been sold: classes and seats stay, whatever else changes."""
    for name, (kind, _) in before.classes.items():
        if name not in after.classes:
            raise ImportRefused(
                _below(draft.path, "offers"),
                f"The class “{name}” is missing, but places of it may have been sold. Keep it; to stop selling, set "
                "`onsale:onSale` to false.",
            )
        if after.classes[name][0] != kind:
            raise ImportRefused(
                _below(draft.path, "offers"),
                f"The class “{name}” is {kind} and stays so, because places of it may have been sold. "
                "Give the other kind a class with a new name.",
            )
    for seat_id, category in before.seats.items():
        if after.seats.get(seat_id) != category:
            raise ImportRefused(
                _below(draft.path, "onsale:seatingPlan"),
                f"Seat “{seat_id}” of the class “{category}” is missing or sold by another class now, but it may have "
                "been sold. Keep published seats as they are; new seats may be added.",
            )


def _below(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field
