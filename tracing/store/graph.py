"""Who calls whom, laid out as a drawing: services on a ring, a call as an arc. Facts go back to callers, so there is no order
from left to right that would not be broken by half of the arrows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

from tracing.store.queries import Dependency

BOX_WIDTH, BOX_HEIGHT = 132, 34
MARGIN = 30
WIDTH_EACH, HEIGHT_EACH = 95, 62  # of the ring, for every service on it
SMALLEST = 260
BEND = 0.16  # of an arc, so that the two directions between a pair come apart
LABEL_AT = 0.42  # nearer to the caller, for the same reason


@dataclass(frozen=True)
class Box:
    """A service; `x` and `y` are the left upper corner, in pixels."""

    service: str
    x: float
    y: float


@dataclass(frozen=True)
class Arrow:
    """Calls from one service to another: `path` is that of an SVG, the label stands at `x`, `y`."""

    dependency: Dependency
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """Everything in its place, in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def drawing_of(dependencies: Sequence[Dependency]) -> Drawing:
    """The same calls give the same drawing."""
    ring = _ring(dependencies)
    width = max(SMALLEST, WIDTH_EACH * len(ring)) + BOX_WIDTH + 2 * MARGIN
    height = max(SMALLEST, HEIGHT_EACH * len(ring)) + BOX_HEIGHT + 2 * MARGIN
    across, down = (width - BOX_WIDTH) / 2 - MARGIN, (height - BOX_HEIGHT) / 2 - MARGIN
    middles = {}
    for number, service in enumerate(ring):
        angle = 2 * pi * number / len(ring) - pi / 2  # the first at the top, then clockwise
        middles[service] = (width / 2 + across * cos(angle), height / 2 + down * sin(angle))
    boxes = tuple(Box(service, x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2) for service, (x, y) in middles.items())
    arrows = tuple(_arrow(each, middles[each.parent], middles[each.child]) for each in dependencies)
    return Drawing(width, height, boxes, arrows)


def _ring(dependencies: Sequence[Dependency]) -> list[str]:
    """The services in the order of the ring: from the busiest one on, each is followed by the one that it calls most, of those left."""
    calls: dict[str, dict[str, int]] = {}
    for each in dependencies:
        for one, other in ((each.parent, each.child), (each.child, each.parent)):
            calls.setdefault(one, {}).setdefault(other, 0)
            calls[one][other] += each.calls
    left = sorted(calls, key=lambda name: (-sum(calls[name].values()), name))
    ring: list[str] = []
    while left:
        last = calls[ring[-1]] if ring else {}
        following = max(left, key=lambda name: last.get(name, 0))  # of equals, the first
        ring.append(following)
        left.remove(following)
    return ring


def _arrow(dependency: Dependency, start: tuple[float, float], end: tuple[float, float]) -> Arrow:
    """An arc that bends to its left, from the edge of one box to that of the other."""
    (x1, y1), (x2, y2) = start, end
    bend_x, bend_y = (x1 + x2) / 2 + (y2 - y1) * BEND, (y1 + y2) / 2 - (x2 - x1) * BEND
    x1, y1 = _edge(x1, y1, bend_x, bend_y)
    x2, y2 = _edge(x2, y2, bend_x, bend_y)
    near, far = (1 - LABEL_AT) ** 2, LABEL_AT**2
    x = near * x1 + 2 * LABEL_AT * (1 - LABEL_AT) * bend_x + far * x2
    y = near * y1 + 2 * LABEL_AT * (1 - LABEL_AT) * bend_y + far * y2
    return Arrow(dependency, f"M{x1:.0f},{y1:.0f} Q{bend_x:.0f},{bend_y:.0f} {x2:.0f},{y2:.0f}", x, y)


def _edge(x: float, y: float, towards_x: float, towards_y: float) -> tuple[float, float]:
    """The point at which the line from the middle of a box to somewhere else crosses the edge of the box."""
    dx, dy = towards_x - x, towards_y - y
    if not hypot(dx, dy):
        return x, y
    scale = min(BOX_WIDTH / 2 / abs(dx) if dx else 1e9, BOX_HEIGHT / 2 / abs(dy) if dy else 1e9, 1.0)
    return x + dx * scale, y + dy * scale
