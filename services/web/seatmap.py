"""A house as a picture and as a list of the same seats.

Geometry never changes, what is taken changes all the time. So both are drawn once per event and kept: the picture
as an SVG document with an immutable address, the list as fixed text with a gap per seat and per zone. A page view
only fills the gaps.
"""

import gzip
import hashlib
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, pairwise
from uuid import UUID

from jinja2 import Environment
from markupsafe import Markup, escape

from services.web import formats, reader
from services.web.clients.catalog import Event, Row, Seat, SeatMap, TicketClass

_COLOUR = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?")
_PALETTE = ("#7c5cff", "#e4572e", "#0f9d8a", "#d99a00", "#c2418f", "#3a7bd5")
_TAKEN = {state: f' disabled data-state="{state}"' for state in ("held", "sold", "own")}
_NOT_FOR_SALE = "#9a93a6"
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
        """As whoever looks at the page writes it."""
        return formats.price(self.price_minor, self.currency)


@dataclass(frozen=True)
class PlacedSeat:
    """A seat that is for sale, numbered through the house: the list and the picture agree on `index`."""

    index: int
    seat_id: str
    number: str
    x: float
    y: float
    gap: str


@dataclass(frozen=True)
class Run:
    """Seats of one row and one category, beside each other."""

    place: str
    row: str
    category: Category
    seats: tuple[PlacedSeat, ...]


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
        """A seat as people call it: `Stalls, row A, seat 12`."""
        found = self.by_seat_id.get(seat_id)
        return f"{found[0].place}, seat {found[1].number}" if found else "a seat of another plan"

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
        """The list as HTML, with what is taken switched off, what is chosen ticked, and what this visitor holds marked so.

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
            for run in _runs(zone.name, row, categories, counter):
                counter += len(run.seats)
                runs.append(run)
        zones.append(HouseZone(zone.name or _NAMELESS_ZONE, tuple(runs), f"z{at}"))
    picture = _picture(seat_map, zones, categories).encode()
    house = House(
        event_id=event.event_id,
        drawing_key=hashlib.sha256(picture).hexdigest()[:12],
        width=seat_map.width,
        height=seat_map.height,
        categories=[one for one in categories.values() if one is not None],
        zones=[zone for zone in zones if zone.runs],
        by_seat_id={seat.seat_id: (run, seat) for zone in zones for run in zone.runs for seat in run.seats},
        picture=picture,
        compressed_picture=gzip.compress(picture, 9, mtime=0),
    )
    house.cut(templates.get_template("parts/seat_list.html").render(house=house, gap=_gap))
    return house


_GAP = re.compile("\x00([psz][0-9]+)\x00")


def _gap(name: str) -> Markup:
    return Markup(f"\x00{name}\x00")  # noqa: S704 - a marker of our own, cut out again before anything is sent


def _categories(event: Event, seat_map: SeatMap) -> dict[str, Category | None]:
    """By name. None for a kind of seat that no class of the event sells."""
    classes: dict[str, TicketClass] = {one.name: one for one in event.classes if one.kind == "seated"}
    found: dict[str, Category | None] = {}
    for at, category in enumerate(seat_map.categories):
        ticket_class = classes.get(category.name)
        if ticket_class is None:
            found[category.name] = None
            continue
        given = [one for one in (ticket_class.colour, category.colour) if one and _COLOUR.fullmatch(one)]
        colour = given[0] if given else _PALETTE[at % len(_PALETTE)]
        found[category.name] = Category(
            index=at,
            name=category.name,
            colour=colour,
            price_minor=ticket_class.price_minor,
            currency=event.currency,
        )
    return found


def _runs(zone_name: str, row: Row, categories: dict[str, Category | None], first: int) -> list[Run]:
    runs: list[Run] = []
    words = [zone_name, f"row {row.label}" if row.label else ""]
    place = ", ".join(word for word in words if word) or _NAMELESS_ZONE
    place = place[0].upper() + place[1:]
    for name, seats in groupby(row.seats, key=lambda seat: seat.category):
        category = categories.get(name)
        if category is None:
            continue
        placed = tuple(
            PlacedSeat(at, seat.seat_id, seat.number, seat.x, seat.y, f"s{at}") for at, seat in enumerate(seats, first)
        )
        first += len(placed)
        runs.append(Run(place, row.label, category, placed))
    return runs


def seat_radius(seat_map: SeatMap) -> float:
    """A radius that leaves a gap between the nearest neighbours, in the map's units."""
    nearest = math.inf
    for zone in seat_map.zones:
        for row in zone.rows:
            for left, right in pairwise(row.seats):
                nearest = min(nearest, _distance(left, right) or math.inf)
        for above, below in pairwise(zone.rows):
            for seat in above.seats[:: max(1, len(above.seats) // 4)]:
                for other in below.seats:
                    nearest = min(nearest, _distance(seat, other) or math.inf)
    if nearest is math.inf:
        nearest = min(seat_map.width, seat_map.height) / 10
    return nearest * 0.43


def _distance(left: Seat, right: Seat) -> float:
    return math.hypot(left.x - right.x, left.y - right.y)


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _picture(seat_map: SeatMap, zones: list[HouseZone], categories: dict[str, Category | None]) -> str:
    """The SVG document. Attributes only, no style: it is shown as an image and inside pages with a strict policy."""
    radius = seat_radius(seat_map)
    size = f"{_number(seat_map.width)} {_number(seat_map.height)}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">']
    for source in seat_map.zones:
        out.extend(_area(area) for area in source.areas)
    out.append('<g class="plan__labels" font-family="system-ui,sans-serif" fill="#857d92" text-anchor="middle">')
    for zone in zones:
        out.extend(_row_labels(zone, radius))
    out.append("</g>")
    unsold = [
        seat
        for source in seat_map.zones
        for row in source.rows
        for seat in row.seats
        if categories.get(seat.category) is None
    ]
    out.append(f'<g fill="{_NOT_FOR_SALE}" fill-opacity=".35">')
    out.extend(f'<circle cx="{_number(s.x)}" cy="{_number(s.y)}" r="{_number(radius * 0.5)}"/>' for s in unsold)
    out.append('</g><g class="plan__seats">')
    for zone in zones:
        for run in zone.runs:
            out.append(f'<g fill="{run.category.colour}">')
            out.extend(
                f'<circle id="p{seat.index}" cx="{_number(seat.x)}" cy="{_number(seat.y)}" r="{_number(radius)}"/>'
                for seat in run.seats
            )
            out.append("</g>")
    out.append("</g></svg>")
    return "".join(out)


def _row_labels(zone: HouseZone, radius: float) -> list[str]:
    labels: list[str] = []
    size = _number(radius * 1.3)
    for _, group in groupby(zone.runs, key=lambda run: run.place):
        runs = list(group)
        seats = [seat for run in runs for seat in run.seats]
        left, right = min(seats, key=lambda seat: seat.x), max(seats, key=lambda seat: seat.x)
        labels.extend(
            f'<text x="{_number(seat.x + side * radius * 2.6)}" y="{_number(seat.y + radius * 0.45)}" '
            f'font-size="{size}">{escape(runs[0].row)}</text>'
            for seat, side in ((left, -1), (right, 1))
        )
    return labels


def _area(area: Mapping[str, object]) -> str:
    """A drawing of the plan (stage, bar, block): a rectangle with words, turned by its rotation in degrees."""

    def number(name: str) -> float:
        value = area.get(name)
        if value is None and isinstance(position := area.get("position"), Mapping):
            value = position.get(name)
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0

    x, y, width, height = (number(name) for name in ("x", "y", "width", "height"))
    turn = number("rotation")
    middle_x, middle_y = x + width / 2, y + height / 2
    rotate = f' transform="rotate({_number(turn)} {_number(middle_x)} {_number(middle_y)})"' if turn else ""
    text = area.get("text")
    words = text if isinstance(text, str) else ""
    size = min(height * 0.5, width / max(len(words), 1) * 1.3)
    label = (
        f'<text x="{_number(middle_x)}" y="{_number(middle_y + size * 0.35)}" font-size="{_number(size)}" '
        f'font-family="system-ui,sans-serif" font-weight="600" letter-spacing="{_number(size * 0.12)}" '
        f'text-anchor="middle" fill="#857d92">{escape(words)}</text>'
        if words
        else ""
    )
    return (
        f'<g class="plan__area"{rotate}><rect x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" '
        f'height="{_number(height)}" rx="{_number(min(width, height) * 0.12)}" fill="#857d92" fill-opacity=".16"/>'
        f"{label}</g>"
    )
