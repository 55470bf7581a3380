"""A hall of 2,000 seats as a seating plan: `python -m services.catalog.samples.hall > hall.json`.

Three levels of three blocks; rows are arcs around a point behind the stage. Generated, since the file would be 200 KB.
"""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NAME = "Harbour Hall"
_WIDTH = 1_620
_HEIGHT = 1_420
_FOCUS_Y = -1_750
_SEAT_PITCH = 23
_ROW_PITCH = 28
_AISLE = 46
_LETTERS = "ABCDEFGHJKLMNOPQRSTUV"  # no I: it is read as 1
_PREMIUM_ROWS = 10


@dataclass(frozen=True)
class Level:
    """A level: its blocks from left to right with their seats per row, and how far its first row is from the focus."""

    name: str
    rows: int
    blocks: tuple[tuple[str, int], ...]
    first_radius: int


LEVELS = (
    Level("Stalls", 20, (("left", 12), ("centre", 24), ("right", 12)), 1_920),
    Level("Circle", 10, (("left", 14), ("centre", 28), ("right", 14)), 2_550),
    Level("Balcony", 8, (("left", 16), ("centre", 28), ("right", 16)), 2_900),
)


def hall_plan() -> dict[str, Any]:
    """The plan in the public seating-plan format."""
    stage = {
        "shape": "rectangle",
        "position": {"x": -300, "y": 40},
        "rectangle": {"width": 600, "height": 70},
        "color": "#d0d4dc",
        "border_color": "#868e96",
        "text": {"text": "STAGE", "position": {"x": 300, "y": 35}},
    }
    zones = [zone for level in LEVELS for zone in _zones(level)]
    zones[0]["areas"] = [stage]
    return {
        "name": NAME,
        "size": {"width": _WIDTH, "height": _HEIGHT},
        "categories": [
            {"name": "Premium", "color": "#c2255c"},
            {"name": "Stalls", "color": "#4263eb"},
            {"name": "Circle", "color": "#2b8a3e"},
            {"name": "Balcony", "color": "#e67700"},
        ],
        "zones": zones,
    }


def _zones(level: Level) -> Iterator[dict[str, Any]]:
    first = 1
    for block, width in level.blocks:
        rows = [_row(level, block, row, first, width) for row in range(level.rows)]
        yield {"name": f"{level.name} {block}", "position": {"x": _WIDTH // 2, "y": 0}, "rows": rows}
        first += width


def _row(level: Level, block: str, row: int, first: int, width: int) -> dict[str, Any]:
    letter = _LETTERS[row]
    category = "Premium" if (level.name, block) == ("Stalls", "centre") and row < _PREMIUM_ROWS else level.name
    seats = [
        {
            "seat_guid": f"{level.name.lower()}-{letter}-{number}",
            "seat_number": str(number),
            "position": _position(level, row, number),
            "category": category,
        }
        for number in range(first, first + width)
    ]
    return {"row_number": letter, "seats": seats}


def _position(level: Level, row: int, number: int) -> dict[str, float]:
    """Where a seat is, seen from the middle of the top edge."""
    left, centre, right = (width for _, width in level.blocks)
    aisles = _AISLE if number > left + centre else 0 if number > left else -_AISLE
    along = (number - (left + centre + right + 1) / 2) * _SEAT_PITCH + aisles
    radius = level.first_radius + row * _ROW_PITCH
    angle = along / radius
    return {"x": round(radius * math.sin(angle), 1), "y": round(_FOCUS_Y + radius * math.cos(angle), 1)}


if __name__ == "__main__":
    json.dump(hall_plan(), sys.stdout, separators=(",", ":"))
