"""What catalog knows: events, venues, seat maps, ticket classes and prices, and the rules that hold between them. Pure."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1c3a52-5f0e-5b1d-9c57-0d9d3f6f2a11")
"""Root of catalog's UUIDv5 ids: the same file gives the same ids on every installation."""

DEFAULT_MAX_PER_ORDER = 10
SEATS_PER_PART = 1_000

Kind = Literal["general", "seated"]


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
    """Seats beside each other. `label` is what is painted at the row's end (`C`, `12`)."""

    row_id: str
    label: str
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """A drawing: stage, bar, table. x, y, width, height: the box around it before it is turned about its middle by
    `rotation` degrees clockwise; `points` (already turned) only for polygons."""

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
    """A ticket class as a file describes it at `path`; `capacity` may be None for a seated class: its seats are counted."""

    path: str
    name: str
    description: str | None
    kind: Kind
    price_minor: int
    capacity: int | None
    colour: str | None


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event as a file describes it; `plan_name` names the seat map, `path` is where it stands in its file."""

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
    venue: Venue
    currency: str
    on_sale: bool
    max_per_order: int
    plan_name: str | None
    classes: tuple[ClassDraft, ...]

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


def stable_id(*parts: str) -> UUID:
    """The UUIDv5 of these parts; the separator cannot occur in what is imported, so no two lists collide."""
    return uuid5(NAMESPACE, "\x1f".join(parts))


def sellable(draft: EventDraft, plan_seats: dict[str, str]) -> Sellable:
    """Joins an event with the seats of its plan (seat id -> category); refuses classes that nothing backs.

    Seats whose category no class sells are drawn and not for sale."""
    seated = {cls.name for cls in draft.classes if cls.kind == "seated"}
    seats = {seat_id: category for seat_id, category in plan_seats.items() if category in seated}
    counts: dict[str, int] = dict.fromkeys(seated, 0)
    for category in seats.values():
        counts[category] += 1
    classes: dict[str, tuple[Kind, int]] = {}
    for cls in draft.classes:
        capacity = cls.capacity if cls.kind == "general" else counts[cls.name]
        if not capacity:
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


_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
_STRIPPED = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})


def search_words(text: str) -> list[str]:
    """The words of a text without case and accents: `Köln, Große Halle` gives koln, grosse, halle."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_STRIPPED))
    letters = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return letters.split()


def search_text(*texts: str) -> str:
    """What a search looks through: every word once, each after a space, umlauts both as `o` and as `oe`."""
    words: dict[str, None] = {}
    for text in texts:
        words.update(dict.fromkeys(search_words(text)))
        composed = unicodedata.normalize("NFC", text).casefold()
        words.update(dict.fromkeys(search_words(composed.translate(_EXPANDED))))
    return "".join(f" {word}" for word in words)
