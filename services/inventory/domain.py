"""What may be sold, and to whom it is promised. Pure: allocation decides in memory, on rows that are locked."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

MAX_PLACES_PER_HOLD = 50


class HoldState(StrEnum):
    """A hold's life: it ends sold, given back, or by itself."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


class SeatState(StrEnum):
    """A seat as everybody sees it."""

    FREE = "free"
    HELD = "held"
    SOLD = "sold"


class ClassKind(StrEnum):
    """General admission is a counter; seated classes are rows, one per seat."""

    GENERAL = "general"
    SEATED = "seated"


class InventoryError(Exception):
    """Base of what inventory refuses."""

    code: ClassVar[str]
    category: ClassVar[str]


class PromiseBroken(Exception):
    """A statement changed other rows than those that were locked for it: no refusal but a fault, which undoes the transaction."""

    def __init__(self, meant: int, changed: int, what: str) -> None:
        super().__init__(
            f"{changed} {what} were changed where {meant} were meant, so nothing was. Look at what else writes to"
            " inventory's tables, and whether it takes the locks in their order (queries.py)."
        )


class EventUnknown(InventoryError):
    """Nothing is known about that event (yet)."""

    code = "event_unknown"
    category = "not_found"

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        super().__init__("This event is not known here. Check its id, or wait a moment if it was just published.")


class PlaceUnknown(InventoryError):
    """A class or seat that this event does not have."""

    code = "place_unknown"
    category = "not_found"
    place: str

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"This event has no place {place}. Choose among the places of its page.")


class TooManyPlaces(InventoryError):
    """More than one hold may take."""

    code = "too_many_places"
    category = "invalid"

    def __init__(self) -> None:
        self.most = MAX_PLACES_PER_HOLD
        super().__init__(f"One hold takes 1 to {MAX_PLACES_PER_HOLD} places. Choose fewer.")


class SoldOut(InventoryError):
    """Fewer places are left than were asked for."""

    code = "sold_out"
    category = "conflict"
    class_id: UUID
    available: int

    def __init__(self, class_id: UUID, available: int) -> None:
        self.class_id = class_id
        self.available = available
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        return (
            f"Only {self.available} are left right now. Choose fewer, or try again: places that others do not pay for"
            " come back."
        )


class NoneLeft(SoldOut):
    """Nobody can have places of this class at the moment. `held` are in carts: some of those may come back."""

    category = "gone"
    held: int

    def __init__(self, class_id: UUID, held: int) -> None:
        self.held = held
        super().__init__(class_id, 0)

    def _sentence(self) -> str:
        if self.held <= 0:
            return "All of these places are sold. Choose others."
        return "None are left right now: all are sold or in carts. Try again, some of those in carts may come back."


class NotOnSale(InventoryError):
    """Places of a class that is not sold at this moment. `begins_at`: from when it will be, null if that is not known."""

    code = "not_on_sale"
    category = "conflict"
    class_id: UUID
    begins_at: datetime | None

    def __init__(self, class_id: UUID, begins_at: datetime | None) -> None:
        self.class_id = class_id
        self.begins_at = begins_at
        super().__init__("These places are not on sale at the moment. The page of the event says when they are.")


class SeatsTaken(InventoryError):
    """Somebody else has some of these seats."""

    code = "seats_taken"
    category = "conflict"
    seat_ids: list[str]

    def __init__(self, seat_ids: Sequence[str]) -> None:
        self.seat_ids = list(seat_ids)
        super().__init__("Some of these seats were just taken by somebody else. Choose others.")


class HoldUnknown(InventoryError):
    """No hold has this id."""

    code = "hold_unknown"
    category = "not_found"

    def __init__(self, hold_id: UUID) -> None:
        self.hold_id = hold_id
        super().__init__("There is no such hold. Check its id.")


class HoldDiffers(InventoryError):
    """The id is in use for other places."""

    code = "hold_differs"
    category = "conflict"

    def __init__(self, hold_id: UUID) -> None:
        self.hold_id = hold_id
        super().__init__("This id already names a hold of other places. Use a new id for a new hold.")


class HoldGone(InventoryError):
    """The hold has ended, and its places cannot be had back."""

    code = "hold_gone"
    category = "gone"

    def __init__(self, hold_id: UUID) -> None:
        self.hold_id = hold_id
        super().__init__("This hold has ended and its places went to others. Start again with places that are free.")


class PassNeeded(InventoryError):
    """Places of this event are held with a pass of its waiting room only, and none came along that is good for it."""

    code = "pass_needed"
    category = "forbidden"

    def __init__(self) -> None:
        super().__init__(
            "This event has a waiting room. Join it on the event's page, and come in when it is your turn."
        )


class PassUsed(InventoryError):
    """A pass is good for one hold, and this one has one."""

    code = "pass_used"
    category = "conflict"

    def __init__(self) -> None:
        super().__init__(
            "Your turn is used: one pass holds places once. Pay for what you hold, or join the queue again."
        )


class Busy(InventoryError):
    """More wait for this event than can be served in time. `retry_after_seconds`: when those who wait now will have been."""

    code = "inventory_busy"
    category = "unavailable"

    def __init__(self, retry_after_seconds: int = 1) -> None:
        self.retry_after_seconds = retry_after_seconds
        seconds = "a second" if retry_after_seconds == 1 else f"{retry_after_seconds} seconds"
        super().__init__(f"Very many people wish this event at this moment. Try again in {seconds}.")


@dataclass(frozen=True)
class Wish:
    """Places that somebody wants, all or nothing. The wisher makes the hold's id, so that asking again is safe."""

    hold_id: UUID
    order_id: UUID
    places: tuple[tuple[UUID, int], ...]
    seats: tuple[str, ...]
    ttl_seconds: int
    # The span that asks: several wishes are granted together in one span, and each hold belongs to its own trace.
    traceparent: str | None = None
    # The pass of the waiting room with which they are wished, if it is good for this event and this buyer.
    pass_id: UUID | None = None

    @property
    def count(self) -> int:
        """How many places these are."""
        return sum(quantity for _, quantity in self.places) + len(self.seats)


@dataclass(frozen=True)
class Line:
    """Part of a hold: one seat, or a number of places of a class."""

    class_id: UUID
    seat_id: str | None
    seat_label: str | None
    quantity: int


@dataclass
class ClassRow:
    """A ticket class of general admission as its locked row says. `is_on_sale`: at the time of the question."""

    class_id: UUID
    kind: ClassKind
    capacity: int
    held: int
    sold: int
    is_on_sale: bool = True
    sale_begins_at: datetime | None = None
    needs_pass: bool = False

    @property
    def available(self) -> int:
        """Places that nobody has."""
        return self.capacity - self.held - self.sold


@dataclass
class SeatRow:
    """A seat as its locked row says. `is_on_sale`: whether its class is, at the time of the question."""

    seat_id: str
    class_id: UUID
    label: str
    state: SeatState
    is_on_sale: bool = True
    sale_begins_at: datetime | None = None
    needs_pass: bool = False


@dataclass(frozen=True)
class Granted:
    """A wish that came true."""

    wish: Wish
    lines: tuple[Line, ...]


Outcome = Granted | InventoryError


@dataclass
class Stock:
    """The locked rows that a batch of wishes is about. Granting changes them, for the wishes behind.

    `passes`: for which hold a pass is used, or would be."""

    classes: Mapping[UUID, ClassRow]
    seats: dict[str, SeatRow]
    passes: Mapping[UUID, UUID] = field(default_factory=dict)
    taken_seats: dict[str, UUID] = field(default_factory=dict)


def allocate(wishes: Iterable[Wish], stock: Stock) -> list[Outcome]:
    """Grants or refuses each wish, in order, all or nothing; a refused one leaves the stock to those behind it."""
    return [grant(wish, stock) for wish in wishes]


def grant(wish: Wish, stock: Stock) -> Outcome:
    """Grants or refuses one wish."""
    refusal = refusal_of(wish, stock)
    if refusal is not None:
        return refusal
    lines = []
    for class_id, quantity in wish.places:
        stock.classes[class_id].held += quantity
        lines.append(Line(class_id, None, None, quantity))
    for seat_id in wish.seats:
        seat = stock.seats[seat_id]
        seat.state = SeatState.HELD
        stock.taken_seats[seat_id] = wish.hold_id
        lines.append(Line(seat.class_id, seat_id, seat.label, 1))
    return Granted(wish, tuple(lines))


def refusal_of(wish: Wish, stock: Stock, best_of: AbstractSet[UUID] = frozenset()) -> InventoryError | None:
    """Why a wish cannot be granted. Seats are yet to be chosen for what it wants `best_of` certain classes: how many are left is
    no question then.
    """
    if not 1 <= wish.count <= MAX_PLACES_PER_HOLD:
        return TooManyPlaces()
    if refusal := _refusal_of_pass(wish, stock):
        return refusal
    for class_id, quantity in wish.places:
        row = stock.classes.get(class_id)
        if row is None or (row.kind is not ClassKind.GENERAL and class_id not in best_of):
            return PlaceUnknown(str(class_id))
        if not row.is_on_sale:
            return NotOnSale(class_id, row.sale_begins_at)
        if class_id not in best_of and quantity > row.available:
            return SoldOut(class_id, row.available) if row.available > 0 else NoneLeft(class_id, row.held)
    unknown = next((seat_id for seat_id in wish.seats if seat_id not in stock.seats), None)
    if unknown is not None:
        return PlaceUnknown(unknown)
    unsold = next((stock.seats[seat_id] for seat_id in wish.seats if not stock.seats[seat_id].is_on_sale), None)
    if unsold is not None:
        return NotOnSale(unsold.class_id, unsold.sale_begins_at)
    taken = [seat_id for seat_id in wish.seats if stock.seats[seat_id].state is not SeatState.FREE]
    return SeatsTaken(taken) if taken else None


def _refusal_of_pass(wish: Wish, stock: Stock) -> InventoryError | None:
    rows = (*(stock.classes.get(class_id) for class_id, _ in wish.places), *map(stock.seats.get, wish.seats))
    if not any(row is not None and row.needs_pass for row in rows):
        return None
    if wish.pass_id is None:
        return PassNeeded()
    return None if stock.passes.get(wish.pass_id) == wish.hold_id else PassUsed()


def is_same_wish(wish: Wish, order_id: UUID, lines: Sequence[Line]) -> bool:
    """Whether a hold with these lines is what `wish` asks for, so that asking again gets it again: seats that were chosen for it
    count as places of their class."""
    places = quantities(line for line in lines if line.seat_id is None)
    for line in lines:
        if line.seat_id is not None and line.seat_id not in wish.seats:
            places[line.class_id] = places.get(line.class_id, 0) + 1
    return order_id == wish.order_id and places == dict(wish.places) and set(wish.seats) <= set(seats_of(lines))


def seats_of(lines: Iterable[Line]) -> list[str]:
    """The seats among these lines."""
    return [line.seat_id for line in lines if line.seat_id is not None]


def quantities(lines: Iterable[Line]) -> dict[UUID, int]:
    """Places of general admission by class."""
    totals: dict[UUID, int] = {}
    for line in lines:
        if line.seat_id is None:
            totals[line.class_id] = totals.get(line.class_id, 0) + line.quantity
    return totals
