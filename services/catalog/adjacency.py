"""Which seats are beside each other: by where they stand in their row and how far apart, never by the numbers painted on them."""

from math import hypot
from statistics import median

from services.catalog.domain import Row, SeatingPlan

# An aisle is wider than this many usual distances between neighbours of the row.
AISLE = 1.6


def places_in_rows(plan: SeatingPlan) -> dict[str, tuple[str, int]]:
    """For each seat its row and its place in it. Places that follow each other are neighbours; at an aisle one is left out."""
    return {
        seat_id: (row.row_id, place)
        for zone in plan.zones
        for row in zone.rows
        for seat_id, place in _places(row).items()
    }


def _places(row: Row) -> dict[str, int]:
    steps = [
        hypot(after.x - before.x, after.y - before.y) for before, after in zip(row.seats, row.seats[1:], strict=False)
    ]
    usual = median(steps) if steps else 0.0
    places, place = {}, 0
    for seat, step in zip(row.seats, [0.0, *steps], strict=True):
        place += 2 if usual and step > AISLE * usual else 1
        places[seat.seat_id] = place
    return places
