"""Who calls whom, laid out as a drawing: callers left of those whom they call, few crossings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tracing.store.queries import Dependency

BOX_WIDTH, BOX_HEIGHT = 132, 34
COLUMN, ROW, MARGIN = 250, 74, 24
SWEEPS = 4


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
    columns = _columns(_ranks(dependencies), dependencies)
    tallest = max((len(column) for column in columns), default=0)
    boxes = {
        service: Box(service, MARGIN + number * COLUMN, MARGIN + (tallest - len(column)) * ROW / 2 + place * ROW)
        for number, column in enumerate(columns)
        for place, service in enumerate(column)
    }
    height = 2 * MARGIN + max(0, tallest - 1) * ROW + BOX_HEIGHT
    width = 2 * MARGIN + max(0, len(columns) - 1) * COLUMN + BOX_WIDTH
    arrows = tuple(_arrow(each, boxes[each.parent], boxes[each.child]) for each in dependencies)
    lowest = max((arrow.y + MARGIN for arrow in arrows), default=0)
    return Drawing(width, max(height, lowest), tuple(boxes.values()), arrows)


def _ranks(dependencies: Iterable[Dependency]) -> dict[str, int]:
    """For each service the length of the longest way to it from one that nobody calls; ways in a circle are cut."""
    children: dict[str, list[str]] = {}
    called = set()
    for each in dependencies:
        children.setdefault(each.parent, []).append(each.child)
        children.setdefault(each.child, [])
        called.add(each.child)
    search = _DepthFirst(children)
    for service in sorted(children, key=lambda name: (name in called, name)):
        search.visit(service)
    ranks = dict.fromkeys(children, 0)
    for service in reversed(search.ended):
        for child in children[service]:
            if (service, child) not in search.back:
                ranks[child] = max(ranks[child], ranks[service] + 1)
    return ranks


class _DepthFirst:
    """`ended` has callees before their callers; `back` are the calls that close a circle."""

    def __init__(self, children: Mapping[str, Sequence[str]]) -> None:
        self._children = children
        self._under_way: set[str] = set()
        self.ended: list[str] = []
        self.back: set[tuple[str, str]] = set()

    def visit(self, service: str) -> None:
        """A service and all that it reaches, unless that was done."""
        if service in self.ended:
            return
        self._under_way.add(service)
        for child in self._children[service]:
            if child in self._under_way:
                self.back.add((service, child))
            else:
                self.visit(child)
        self._under_way.remove(service)
        self.ended.append(service)


def _columns(ranks: Mapping[str, int], dependencies: Iterable[Dependency]) -> list[list[str]]:
    """Services by rank; within a column each beside the middle of those that it has to do with."""
    columns: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for service in sorted(ranks):
        columns[ranks[service]].append(service)
    neighbours: dict[str, list[str]] = {service: [] for service in ranks}
    for each in dependencies:
        neighbours[each.parent].append(each.child)
        neighbours[each.child].append(each.parent)
    for _ in range(SWEEPS):
        for column in columns:
            places = {name: place - len(names) / 2 for names in columns for place, name in enumerate(names)}
            column.sort(key=lambda name: sum(places[other] for other in neighbours[name]) / len(neighbours[name]))
    return columns


def _arrow(dependency: Dependency, start: Box, end: Box) -> Arrow:
    x1, y1 = start.x + BOX_WIDTH, start.y + BOX_HEIGHT / 2
    x2, y2 = end.x, end.y + BOX_HEIGHT / 2
    if x2 > x1:
        bend = (x2 - x1) / 2
        # Nearer to its end, where the arrows of different callers have come apart.
        at = 0.62
        x = _curve(at, x1, x1 + bend, x2 - bend, x2)
        y = _curve(at, y1, y1, y2, y2)
        return Arrow(
            dependency, f"M{x1:.0f},{y1:.0f} C{x1 + bend:.0f},{y1:.0f} {x2 - bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}", x, y
        )
    # Back to one that stands further left: beneath both.
    x1, x2 = start.x + BOX_WIDTH / 2, end.x + BOX_WIDTH / 2
    y1, y2 = start.y + BOX_HEIGHT, end.y + BOX_HEIGHT
    low = max(y1, y2) + ROW * 0.6
    middle = _curve(0.5, y1, low, low, y2)
    return Arrow(
        dependency,
        f"M{x1:.0f},{y1:.0f} C{x1:.0f},{low:.0f} {x2:.0f},{low:.0f} {x2:.0f},{y2:.0f}",
        (x1 + x2) / 2,
        middle,
    )


def _curve(at: float, *points: float) -> float:
    a, b, c, d = points
    rest = 1 - at
    return rest**3 * a + 3 * rest**2 * at * b + 3 * rest * at**2 * c + at**3 * d
