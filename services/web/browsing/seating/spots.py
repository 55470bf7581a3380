"""Where the circles of seats stand, and how large: none covers another, and a close pair does not shrink the rest."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from services.web.clients.catalog import Row, SeatMap

# Parts of a distance between the middles of neighbours: usual circles leave a gap, the closest still do not touch.
_USUAL, _CLOSEST = 0.43, 0.48
# Nearer than this part of what is usual two seats are one spot on the plan; they are drawn beside each other.
_SAME_SPOT = 0.15
# A row of so many seats or more has a spacing of its own; a shorter one has that of its zone.
_OWN_SPACING = 5
# A seat far from all others is not larger than so many usual ones.
_MOST_SPACING = 3.0
# How far neighbours are looked for, in usual spacings, and among how many in each square of that size.
_FAR, _MOST_IN_SQUARE = 4, 64


@dataclass(frozen=True, slots=True)
class Spot:
    """The circle of a seat, in the map's units."""

    x: float
    y: float
    radius: float


class Squares:
    """Points by where they are, to find those near another."""

    def __init__(self, points: Sequence[tuple[float, float]], side: float) -> None:
        self._points = points
        self._side = side
        self._squares: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, (x, y) in enumerate(points):
            self._squares[int(x // side), int(y // side)].append(index)

    def near(self, x: float, y: float, squares: int) -> Iterator[int]:
        """The indexes of points at most so many squares away, and of some farther ones."""
        column, row = int(x // self._side), int(y // self._side)
        for dx in range(-squares, squares + 1):
            for dy in range(-squares, squares + 1):
                yield from self._squares.get((column + dx, row + dy), [])[:_MOST_IN_SQUARE]

    def nearest(self, index: int) -> tuple[float, int]:
        """The distance to the nearest other point and its index; infinite if there is none nearby."""
        x, y = self._points[index]
        best, found = math.inf, index
        for reach in range(_FAR + 1):
            for other in self.near(x, y, reach):
                if other != index and (distance := math.dist((x, y), self._points[other])) < best:
                    best, found = distance, other
            # Seats in the squares that were not searched are farther away than this.
            if best <= reach * self._side:
                break
        return best, found


def spots_of(seat_map: SeatMap) -> dict[str, Spot]:
    """The circle of every seat, by its id."""
    rows = [(at, row) for at, zone in enumerate(seat_map.zones) for row in zone.rows]
    seats = [(zone, number, seat) for number, (zone, row) in enumerate(rows) for seat in row.seats]
    if not seats:
        return {}
    usual = _usual_spacing(seat_map, [row for _, row in rows])
    points = [(seat.x, seat.y) for _, _, seat in seats]
    distances = _nearest(points, usual)
    by_zone = _medians([zone for zone, _, _ in seats], [distance for distance, _ in distances], usual)
    apart = _apart(points, distances, [by_zone[zone] for zone, _, _ in seats])
    if apart != points:
        distances = _nearest(apart, usual)
    by_row = _medians([number for _, number, _ in seats], [distance for distance, _ in distances], usual)
    found: dict[str, Spot] = {}
    for (zone, number, seat), (x, y), (distance, _) in zip(seats, apart, distances, strict=True):
        typical = by_row[number] if len(rows[number][1].seats) >= _OWN_SPACING else by_zone[zone]
        found[seat.seat_id] = Spot(x, y, min(typical * _USUAL, distance * _CLOSEST))
    return found


def _usual_spacing(seat_map: SeatMap, rows: Sequence[Row]) -> float:
    """What lies between neighbours of a row, usually, in the whole house."""
    steps = [math.dist((a.x, a.y), (b.x, b.y)) for row in rows for a, b in pairwise(row.seats)]
    steps = [step for step in steps if step > 0]
    return median(steps) if steps else min(seat_map.width, seat_map.height) / 10


def _nearest(points: Sequence[tuple[float, float]], usual: float) -> list[tuple[float, int]]:
    squares = Squares(points, usual)
    return [squares.nearest(index) for index in range(len(points))]


def _medians(groups: Sequence[int], distances: Sequence[float], usual: float) -> dict[int, float]:
    """The usual distance to the nearest neighbour, by group; never much more than in the whole house."""
    of_group: dict[int, list[float]] = defaultdict(list)
    for group, distance in zip(groups, distances, strict=True):
        of_group[group].append(distance)
    found = {group: median(some) for group, some in of_group.items()}
    return {group: min(some, usual * _MOST_SPACING) if some > 0 else usual for group, some in found.items()}


def _apart(
    points: Sequence[tuple[float, float]], distances: Sequence[tuple[float, int]], usual: Sequence[float]
) -> list[tuple[float, float]]:
    """The points, with those that share one spot moved beside each other around its middle."""
    together = list(range(len(points)))

    def root(index: int) -> int:
        while together[index] != index:
            together[index] = together[together[index]]
            index = together[index]
        return index

    for index, (distance, other) in enumerate(distances):
        if distance < usual[index] * _SAME_SPOT:
            together[root(index)] = root(other)
    sharing: dict[int, list[int]] = defaultdict(list)
    for index in range(len(points)):
        sharing[root(index)].append(index)
    moved = list(points)
    for members in sharing.values():
        if len(members) > 1:
            members.sort(key=lambda index: points[index])
            x, y = (sum(axis) / len(members) for axis in zip(*(points[index] for index in members), strict=True))
            step = usual[members[0]] * 2 * _USUAL / len(members)
            for place, index in enumerate(members):
                moved[index] = (round(x + (place - (len(members) - 1) / 2) * step, 2), y)
    return moved
