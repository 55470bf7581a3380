"""A house as a picture and as a list of the same seats.

Geometry never changes, what is taken changes all the time. So both are drawn once per event and kept: the picture
as an SVG document with an immutable address, the list as fixed text with a gap per seat and per zone. A page view
only fills the gaps.
"""

import gzip
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from uuid import UUID

from jinja2 import Environment
from markupsafe import Markup

from services.web.browsing.seating.colours import solid
from services.web.browsing.seating.picture import Circles, frame, picture
from services.web.browsing.seating.spots import Spot, spots_of
from services.web.clients.catalog import Event, Row, SeatMap, TicketClass
from services.web.frame import formats, reader

_PALETTE = ("#7c5cff", "#e4572e", "#0f9d8a", "#d99a00", "#c2418f", "#3a7bd5")
_TAKEN = {state: f' disabled data-state="{state}"' for state in ("held", "sold", "own")}
# A small house is often one zone that nobody has named.
_NAMELESS_ZONE = "All seats"


@dataclass(frozen=True)
class Category:
    """What seats of one kind are sold as."""

    index: int
    name: str
    colour: str
    price_minor: int
    currency: str

    @property
    def gap(self) -> str:
        """Where its price stands in the list."""
        return f"p{self.index}"

    @property
    def price(self) -> str:
        """The price as the reader of the page writes it."""
        return formats.price(self.price_minor, self.currency)


@dataclass(frozen=True)
class PlacedSeat:
    """A seat that is for sale, numbered through the house: the list and the picture agree on `index`."""

    index: int
    seat_id: str
    number: str
    label: str
    gap: str


@dataclass(frozen=True)
class Run:
    """Seats of one row and one category, beside each other. `row` is what people call the row; `before` and `after` are
    what every seat's label says around its number, None if they differ: then each seat says its own."""

    row: str
    category: Category
    seats: tuple[PlacedSeat, ...]
    before: str | None
    after: str | None


@dataclass(frozen=True)
class HouseZone:
    """A part of the house and the seats for sale in it."""

    name: str
    runs: tuple[Run, ...]
    gap: str

    @cached_property
    def seat_ids(self) -> list[str]:
        return [seat.seat_id for run in self.runs for seat in run.seats]


@dataclass
class House:
    """A seat map as one event sells it."""

    event_id: UUID
    drawing_key: str
    width: float
    height: float
    categories: list[Category]
    zones: list[HouseZone]
    by_seat_id: dict[str, tuple[Run, PlacedSeat]]
    picture: bytes
    compressed_picture: bytes
    _pieces: list[str] = field(default_factory=list)
    _gaps: dict[str, int] = field(default_factory=dict)
    _prices: list[tuple[int, Category]] = field(default_factory=list)
    _lists: dict[str, Markup] = field(default_factory=dict)
    _lists_taken: Mapping[str, str] | None = None

    def name_of(self, seat_id: str) -> str:
        """A seat as its plan calls it, on tickets and in mails too: `Stalls, Row A, Seat 12`."""
        found = self.by_seat_id.get(seat_id)
        return found[1].label if found else "a seat of another plan"

    def seats_of(self, categories: Collection[str]) -> dict[str, str]:
        """The seats of these categories, as if they were sold: of classes that are not on sale now."""
        if not categories:
            return {}
        return {seat_id: "sold" for seat_id, (run, _) in self.by_seat_id.items() if run.category.name in categories}

    def price_of(self, seat_id: str) -> int:
        """Price in minor units; 0 for a seat that is not for sale here."""
        found = self.by_seat_id.get(seat_id)
        return found[0].category.price_minor if found else 0

    def list_of_seats(
        self, taken: Mapping[str, str], chosen: Collection[str] = (), own: Collection[str] = ()
    ) -> Markup:
        """The list as HTML: seats that are taken are switched off, chosen ones ticked, and the visitor's own marked so.

        The last list is kept in each language: between two changes thousands may look. `taken` must therefore not be
        changed afterwards.
        """
        is_for_all = not chosen and not own
        if is_for_all and taken is not self._lists_taken:
            self._lists_taken, self._lists = taken, {}
        if is_for_all and (kept := self._lists.get(reader.language())):
            return kept
        pieces = self._pieces.copy()
        for at, category in self._prices:
            pieces[at] = category.price
        for zone in self.zones:
            free = sum(1 for seat_id in zone.seat_ids if seat_id not in taken)
            pieces[self._gaps[zone.gap]] = f"{free:,} free" if free else "Sold out"
        marks = dict.fromkeys(chosen, " checked")
        marks |= {seat_id: _TAKEN.get(state, " disabled") for seat_id, state in taken.items()}
        marks |= dict.fromkeys(own, _TAKEN["own"])
        for seat_id, mark in marks.items():
            if seat_id in self.by_seat_id:
                pieces[self._gaps[self.by_seat_id[seat_id][1].gap]] = mark
        html = Markup("".join(pieces))  # noqa: S704  # an escaping template's pieces, and gaps filled from above
        if is_for_all:
            self._lists[reader.language()] = html
        return html

    def cut(self, text: str) -> None:
        """Cuts the rendered list at its gaps."""
        self._pieces = _GAP.split(text)
        categories = {category.gap: category for category in self.categories}
        # Odd pieces are the gaps' names.
        for at in range(1, len(self._pieces), 2):
            name, self._pieces[at] = self._pieces[at], ""
            if name in categories:
                self._prices.append((at, categories[name]))
            else:
                self._gaps[name] = at


def build_house(templates: Environment, event: Event, seat_map: SeatMap) -> House:
    """Draws the picture and prepares the list; takes some ten milliseconds for 2,000 seats, hence kept."""
    categories = _categories(event, seat_map)
    zones: list[HouseZone] = []
    counter = 0
    for at, zone in enumerate(seat_map.zones):
        runs: list[Run] = []
        for row in zone.rows:
            for run in _runs(row, categories, counter):
                counter += len(run.seats)
                runs.append(run)
        zones.append(HouseZone(zone.name or _NAMELESS_ZONE, tuple(runs), f"z{at}"))
    spots = spots_of(seat_map)
    drawn = picture(seat_map, spots, *_circles(seat_map, zones, spots)).encode()
    box = frame(seat_map, spots)
    house = House(
        event_id=event.event_id,
        drawing_key=hashlib.sha256(drawn).hexdigest()[:12],
        width=box.width,
        height=box.height,
        categories=[one for one in categories.values() if one is not None],
        zones=[zone for zone in zones if zone.runs],
        by_seat_id={seat.seat_id: (run, seat) for zone in zones for run in zone.runs for seat in run.seats},
        picture=drawn,
        compressed_picture=gzip.compress(drawn, 9, mtime=0),
    )
    house.cut(templates.get_template("browsing/parts/seat_list.html").render(house=house, gap=_gap))
    return house


_GAP = re.compile("\x00([psz][0-9]+)\x00")


def _gap(name: str) -> Markup:
    return Markup(f"\x00{name}\x00")  # noqa: S704 - a marker of our own, cut out again before anything is sent


def _categories(event: Event, seat_map: SeatMap) -> dict[str, Category | None]:
    """The categories by their name, None for a kind of seat that no class of the event sells."""
    classes: dict[str, TicketClass] = {one.name: one for one in event.classes if one.kind == "seated"}
    found: dict[str, Category | None] = {}
    for at, category in enumerate(seat_map.categories):
        ticket_class = classes.get(category.name)
        if ticket_class is None:
            found[category.name] = None
            continue
        colour = solid(ticket_class.colour) or solid(category.colour) or _PALETTE[at % len(_PALETTE)]
        found[category.name] = Category(
            index=at,
            name=category.name,
            colour=colour,
            price_minor=ticket_class.price_minor,
            currency=event.currency,
        )
    return found


def _circles(
    seat_map: SeatMap, zones: Sequence[HouseZone], spots: Mapping[str, Spot]
) -> tuple[list[Circles], list[str]]:
    """The circles of what is for sale, by colour, and the seats that nobody sells here."""
    runs = [run for zone in zones for run in zone.runs]
    for_sale = [
        Circles(run.category.colour, [(f"p{seat.index}", spots[seat.seat_id]) for seat in run.seats]) for run in runs
    ]
    sold = {seat.seat_id for run in runs for seat in run.seats}
    return for_sale, [seat_id for seat_id in spots if seat_id not in sold]


def _runs(row: Row, categories: dict[str, Category | None], first: int) -> list[Run]:
    runs: list[Run] = []
    for name, seats in groupby(row.seats, key=lambda seat: seat.category):
        category = categories.get(name)
        if category is None:
            continue
        placed = tuple(
            PlacedSeat(at, seat.seat_id, seat.number, seat.label, f"s{at}") for at, seat in enumerate(seats, first)
        )
        first += len(placed)
        around = {_around(seat) for seat in placed}
        before, after = around.pop() if len(around) == 1 else (None, None)
        runs.append(Run(row.words, category, placed, before, after))
    return runs


def _around(seat: PlacedSeat) -> tuple[str | None, str | None]:
    """What a label says before and after the seat's number, so that a list of thousands need not repeat it."""
    before, found, after = seat.label.rpartition(seat.number)
    return (before, after) if found else (None, seat.seat_id)
