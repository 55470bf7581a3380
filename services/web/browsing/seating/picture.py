"""The picture of a house as an SVG document: areas, the numbers of rows, seats.

Attributes only, no style: it is shown as an image and inside pages with a strict policy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import escape

from services.web.browsing.seating.areas import FONT, corners_of, ground_at, lettering_of, number, shape_of, words_of
from services.web.browsing.seating.colours import INK, readable_on
from services.web.browsing.seating.spots import Spot, Squares
from services.web.clients.catalog import Area, Row, SeatMap, Zone

_NOT_FOR_SALE = "#9a93a6"
# The colour of the numbers of rows: quieter than ink, and readable on paper.
_LABEL = "#62596c"
# In radii of a seat: how large the numbers of rows are, and how far from the middle of their seat they begin.
_LABEL_SIZE, _LABEL_DISTANCE = 1.3, 1.7


@dataclass(frozen=True)
class Box:
    """What a picture shows, in the map's units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Circles:
    """Seats of one colour: the id of each circle, and where it is."""

    colour: str
    spots: Sequence[tuple[str, Spot]]


def frame(seat_map: SeatMap, spots: Mapping[str, Spot]) -> Box:
    """The size that the plan gives and whatever stands outside of it: nobody can choose a seat that is cut off."""
    corners = [(0.0, 0.0), (seat_map.width, seat_map.height)]
    for spot in spots.values():
        corners += [(spot.x - spot.radius, spot.y - spot.radius), (spot.x + spot.radius, spot.y + spot.radius)]
    for zone in seat_map.zones:
        for area in zone.areas:
            corners += corners_of(area)
    left, top = (min(axis) for axis in zip(*corners, strict=True))
    right, bottom = (max(axis) for axis in zip(*corners, strict=True))
    return Box(left, top, right - left, bottom - top)


def picture(seat_map: SeatMap, spots: Mapping[str, Spot], for_sale: Sequence[Circles], unsold: Sequence[str]) -> str:
    """The document. Seats that nobody sells here are small and grey."""
    box = frame(seat_map, spots)
    areas = [area for zone in seat_map.zones for area in zone.areas]
    view = " ".join(number(value) for value in (box.x, box.y, box.width, box.height))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">', '<g class="plan__areas">']
    out.extend(shape_of(area) for area in areas)
    # After all shapes: a bar that is drawn later does not cover the name of the stage.
    out.extend(words_of(area, areas) for area in areas)
    out.append(f'</g><g class="plan__labels" {FONT}>')
    out.extend(_RowLabels(spots, areas).of_zones(seat_map.zones))
    out.append(f'</g><g fill="{_NOT_FOR_SALE}" fill-opacity=".35">')
    out.extend(_circle(spots[seat_id], 0.5) for seat_id in unsold)
    # A thin rim, so that a seat in the colour of its ground is still seen.
    out.append(f'</g><g class="plan__seats" stroke="{INK}" stroke-opacity=".55" stroke-width=".8">')
    for circles in for_sale:
        out.append(f'<g fill="{circles.colour}">')
        out.extend(_circle(spot, 1.0, name) for name, spot in circles.spots)
        out.append("</g>")
    out.append("</g></svg>")
    return "".join(out)


def _circle(spot: Spot, share: float, name: str = "") -> str:
    named = f'id="{name}" ' if name else ""
    return f'<circle {named}cx="{_fine(spot.x)}" cy="{_fine(spot.y)}" r="{_fine(spot.radius * share)}"/>'


def _fine(value: float) -> str:
    """A coordinate of a circle: rounded so little that close pairs still do not touch."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 else f"{value:.2g}"  # two digits


class _RowLabels:
    """Writes the numbers of rows beside their first and last seats, or amid the seats of a table."""

    def __init__(self, spots: Mapping[str, Spot], areas: Sequence[Area]) -> None:
        self._spots = spots
        self._areas = areas
        self._all = list(spots.values())
        widest = max((spot.radius for spot in self._all), default=1.0)
        self._squares = Squares([(spot.x, spot.y) for spot in self._all], widest * 4)

    def of_zones(self, zones: Sequence[Zone]) -> list[str]:
        return [label for zone in zones for row in zone.rows if row.seats and row.label for label in self._of_row(row)]

    def _of_row(self, row: Row) -> list[str]:
        place = row.label_at or "both"
        if place == "nowhere":
            return []
        spots = [self._spots[seat.seat_id] for seat in row.seats]
        if (middle := _amid(spots)) is not None:
            x, y, room = middle
            is_written = any(
                area.text and math.dist((lettering_of(area).x, lettering_of(area).y), (x, y)) < room
                for area in self._areas
            )
            size = min(spots[0].radius * _LABEL_SIZE, room * 2.6 / max(len(row.label), 1))
            return [] if is_written else [self._text(row.label, x, y, size, "middle")]
        ends = []
        if place in ("start", "both"):
            ends.append(self._beside(row.label, spots[0], spots[1] if len(spots) > 1 else None, -1.0))
        if place in ("end", "both"):
            ends.append(self._beside(row.label, spots[-1], spots[-2] if len(spots) > 1 else None, 1.0))
        return ends

    def _beside(self, words: str, end: Spot, neighbour: Spot | None, side: float) -> str:
        """Outside of an end of the row, in its direction; around the corner if another seat is there."""
        away = (end.x - neighbour.x, end.y - neighbour.y) if neighbour else (side, 0.0)
        length = math.hypot(*away) or 1.0
        dx, dy = away[0] / length, away[1] / length
        size = end.radius * _LABEL_SIZE
        for x, y in ((dx, dy), (dy, -dx), (-dy, dx)):
            at = (end.x + x * end.radius * _LABEL_DISTANCE * 1.5, end.y + y * end.radius * _LABEL_DISTANCE * 1.5)
            if self._is_free(*at, size * 0.5):
                dx, dy = x, y
                break
        sideways = abs(dx) > 0.5  # nearer to the horizontal
        anchor = ("start" if dx > 0 else "end") if sideways else "middle"
        distance = end.radius * (_LABEL_DISTANCE if sideways else _LABEL_DISTANCE * 1.3)
        return self._text(words, end.x + dx * distance, end.y + dy * distance, size, anchor)

    def _is_free(self, x: float, y: float, around: float) -> bool:
        near = (self._all[index] for index in self._squares.near(x, y, 1))
        return all(math.dist((spot.x, spot.y), (x, y)) >= spot.radius + around for spot in near)

    def _text(self, words: str, x: float, y: float, size: float, anchor: str) -> str:
        colour = readable_on(ground_at(self._areas, x, y), _LABEL)
        return (
            f'<text x="{number(x)}" y="{number(y)}" dy=".35em" font-size="{number(size)}" text-anchor="{anchor}" '
            f'fill="{colour}">{escape(words)}</text>'
        )


def _amid(spots: Sequence[Spot]) -> tuple[float, float, float] | None:
    """The middle of seats that stand around something, and how much room there is; None if they stand in a line."""
    if len(spots) < 3:  # two are always a line
        return None
    x, y = sum(spot.x for spot in spots) / len(spots), sum(spot.y for spot in spots) / len(spots)
    away = [math.dist((x, y), (spot.x, spot.y)) for spot in spots]
    room = min(away) - max(spot.radius for spot in spots)
    angles = sorted(math.atan2(spot.y - y, spot.x - x) for spot in spots)
    widest = max((b - a) % math.tau for a, b in zip(angles, [*angles[1:], angles[0]], strict=True))
    is_around = min(away) >= 0.5 * max(away) and widest <= math.radians(150)
    return (x, y, room) if is_around and room > 0 else None
