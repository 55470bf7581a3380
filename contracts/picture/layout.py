"""Where boxes and lines of a picture go, so that no line crosses a box: columns, from those who need to those who are needed.

A line that passes a column keeps a place of its own there, like a small box. Between two columns there are only lines. The
same boxes and bundles give the same picture every time.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]
# An item of a column: a box by its name, or a bundle that passes, by its number and the column.
Item = str | tuple[int, int]

LINE_GAP = 23
BOX_HEIGHT_MIN = 58
BOX_PADDING = 8
CHANNEL_WIDTH = 148
BETWEEN_BOXES = 30
BETWEEN_LINES = 14
ORDER_STARTS = 40
ORDER_SWEEPS = 6
HEIGHT_ROUNDS = 120
CLIMB_WEIGHT = 0.01
TINY = 1e-9
# How much lines want to be straight, by how many of their ends only pass.
STRAIGHTNESS = (1, 2, 8)


@dataclass(frozen=True)
class Bundle:
    """Lines between two boxes that stay together; `source` is to stand on the left."""

    source: str
    target: str
    lines: int


@dataclass(frozen=True)
class Rect:
    """A box; `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Boxes by name and, for each bundle, a path for each of its lines: (left end, right end) of every level stretch."""

    boxes: dict[str, Rect]
    paths: list[list[list[tuple[Point, Point]]]]
    width: float
    height: float


@dataclass
class _Grid:
    """The items of each column from top to bottom, and what joins the items of neighbouring columns."""

    columns: list[list[Item]]
    chains: list[list[Item]]
    lines: list[int]
    box_width: float
    heights: dict[Item, float] = field(default_factory=dict)
    # The middle of each item.
    middles: dict[Item, float] = field(default_factory=dict)
    # The bundles at an item's right (1) or left (-1), each with the item where it goes.
    near: dict[tuple[Item, int], list[tuple[int, Item]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for number, chain in enumerate(self.chains):
            for left, right in pairwise(chain):
                self.near[left, 1].append((number, right))
                self.near[right, -1].append((number, left))


def lay_out(names: Iterable[str], bundles: Sequence[Bundle], *, box_width: float, room: tuple[float, float]) -> Layout:
    """A place for everything. `room`: how long lines stay level at their left and right ends, for labels and heads."""
    columns = _columns(sorted(names), _without_circles(bundles))
    grid = _grid(columns, bundles, box_width)
    _order(grid)
    _set_heights(grid)
    _set_middles(grid)
    top = min(grid.middles[item] - grid.heights[item] / 2 for column in grid.columns for item in column)
    bottom = max(grid.middles[item] + grid.heights[item] / 2 for column in grid.columns for item in column)
    left = {item: number * (box_width + CHANNEL_WIDTH) for number, items in enumerate(grid.columns) for item in items}
    boxes = {
        name: Rect(left[name], grid.middles[name] - grid.heights[name] / 2 - top, box_width, grid.heights[name])
        for name in columns
    }
    width = len(grid.columns) * (box_width + CHANNEL_WIDTH) - CHANNEL_WIDTH
    paths = [
        [_path(grid, number, line, left, top, room) for line in range(count)] for number, count in enumerate(grid.lines)
    ]
    return Layout(boxes, paths, width, bottom - top)


def _without_circles(bundles: Sequence[Bundle]) -> list[tuple[str, str]]:
    """The bundles as arrows from left to right; one that would close a circle is turned, the earlier ones have their way."""
    right_of: dict[str, set[str]] = {}
    arrows = []
    for bundle in bundles:
        source, target = bundle.source, bundle.target
        if source in _reached(target, right_of):
            source, target = target, source
        right_of.setdefault(source, set()).add(target)
        arrows.append((source, target))
    return arrows


def _reached(name: str, right_of: Mapping[str, set[str]]) -> set[str]:
    found, left = set(), [name]
    while left:
        here = left.pop()
        if here not in found:
            found.add(here)
            left.extend(right_of.get(here, ()))
    return found


def _columns(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The column of each box: right of all that need it, and then as near as possible to most of its neighbours."""
    column = dict.fromkeys(names, 0)
    for _ in names:
        for source, target in arrows:
            column[target] = max(column[target], column[source] + 1)
    for _ in names:
        for name in names:
            before = [column[source] + 1 for source, target in arrows if target == name]
            after = [column[target] - 1 for source, target in arrows if source == name]
            if after and len(after) > len(before):
                column[name] = min(after)
            elif before and len(before) > len(after):
                column[name] = max(before)
    first = min(column.values())
    return {name: number - first for name, number in column.items()}


def _grid(columns: Mapping[str, int], bundles: Sequence[Bundle], box_width: float) -> _Grid:
    chains: list[list[Item]] = []
    for number, bundle in enumerate(bundles):
        left, right = sorted((bundle.source, bundle.target), key=lambda name: columns[name])
        chains.append([left, *((number, column) for column in range(columns[left] + 1, columns[right])), right])
    items: list[list[Item]] = [[] for _ in range(max(columns.values()) + 1)]
    for name, column in columns.items():
        items[column].append(name)
    for chain in chains:
        for item in chain[1:-1]:
            items[int(item[1])].append(item)
    return _Grid(items, chains, [bundle.lines for bundle in bundles], box_width)


def _order(grid: _Grid) -> None:
    """Sorts each column by where its neighbours are, from both sides in turn, then swaps as long as that helps.

    This finds a hollow, not the deepest one: so it starts from several orders, shuffled alike every time.
    """
    best, least = grid.columns, math.inf
    shuffled = random.Random(ORDER_STARTS)  # noqa: S311  # no secret: the same picture every time
    for _ in range(ORDER_STARTS):
        for number in range(ORDER_SWEEPS):
            step = -1 if number % 2 == 0 else 1
            for column in grid.columns[::-step]:
                _sort_by_neighbours(grid, column, step)
        _swap_while_it_helps(grid)
        if (now := sum(_cost(grid, gap) for gap in range(len(grid.columns) - 1))) < least - TINY:
            best, least = [list(column) for column in grid.columns], now
        for column in grid.columns:
            shuffled.shuffle(column)
    grid.columns = best


def _sort_by_neighbours(grid: _Grid, column: list[Item], step: int) -> None:
    place = {item: (row + 0.5) / len(each) for each in grid.columns for row, item in enumerate(each)}
    means = {}
    for item in column:
        near = [place[other] for _, other in grid.near[item, step]]
        # Rounded, as Pythons differ in the last digit of a sum.
        means[item] = round(sum(near) / len(near), 6) if near else place[item]
    column.sort(key=lambda item: means[item])


def _swap_while_it_helps(grid: _Grid) -> None:
    helped = True
    while helped:
        helped = False
        for number, column in enumerate(grid.columns):
            gaps = [gap for gap in (number - 1, number) if 0 <= gap < len(grid.columns) - 1]
            least = sum(_cost(grid, gap) for gap in gaps)
            for upper, lower in pairwise(range(len(column))):
                column[upper], column[lower] = column[lower], column[upper]
                if (now := sum(_cost(grid, gap) for gap in gaps)) < least - TINY:
                    least, helped = now, True
                else:
                    column[upper], column[lower] = column[lower], column[upper]


def _cost(grid: _Grid, gap: int) -> float:
    """How many lines cross others between a column and the next; and, far less important, how much they climb."""
    left, right = grid.columns[gap], grid.columns[gap + 1]
    rows = {item: row for row, item in enumerate(right)}
    joined = [
        (row, rows[other], grid.lines[each]) for row, item in enumerate(left) for each, other in grid.near[item, 1]
    ]
    crossings = sum(
        lines * other_lines
        for number, (begin, end, lines) in enumerate(joined)
        for other_begin, other_end, other_lines in joined[number + 1 :]
        if (begin - other_begin) * (end - other_end) < 0
    )
    climbs = sum(abs((begin + 0.5) / len(left) - (end + 0.5) / len(right)) for begin, end, _ in joined)
    return crossings + CLIMB_WEIGHT * climbs


def _set_heights(grid: _Grid) -> None:
    for column in grid.columns:
        for item in column:
            sides = [sum(grid.lines[number] for number, _ in grid.near[item, step]) for step in (-1, 1)]
            least = BOX_HEIGHT_MIN if isinstance(item, str) else 0
            padding = 2 * BOX_PADDING if isinstance(item, str) else 0
            grid.heights[item] = max(least, max(sides) * LINE_GAP + padding)


def _set_middles(grid: _Grid) -> None:
    """Moves items towards their neighbours, each column as a whole, until lines are as straight as the order allows."""
    for column in grid.columns:
        y = 0.0
        for item in column:
            grid.middles[item] = y + grid.heights[item] / 2
            y += grid.heights[item] + BETWEEN_BOXES
    for _ in range(HEIGHT_ROUNDS):
        for column in (*grid.columns, *grid.columns[::-1]):
            wanted = [_wanted(grid, item) for item in column]
            for item, middle in zip(column, _apart(grid, column, wanted), strict=True):
                grid.middles[item] = middle
    for item, middle in grid.middles.items():
        grid.middles[item] = float(round(middle))


def _wanted(grid: _Grid, item: Item) -> tuple[float, float]:
    """Where an item would like its middle to be, and how much."""
    total = weights = 0.0
    for step in (-1, 1):
        for number, other in grid.near[item, step]:
            weight = grid.lines[number] * STRAIGHTNESS[isinstance(item, tuple) + isinstance(other, tuple)]
            difference = _slot(grid, other, number, 0, -step) - _slot(grid, item, number, 0, step)
            total += weight * (grid.middles[item] + difference)
            weights += weight
    return (total / weights, weights) if weights else (grid.middles[item], 1.0)


def _apart(grid: _Grid, column: Sequence[Item], wanted: Sequence[tuple[float, float]]) -> list[float]:
    """The middles nearest to the wanted ones that keep order and distances (pooled averages of what would overlap)."""
    offsets = [0.0]
    for upper, lower in pairwise(column):
        gap = BETWEEN_LINES if isinstance(upper, tuple) or isinstance(lower, tuple) else BETWEEN_BOXES
        offsets.append(offsets[-1] + gap + (grid.heights[upper] + grid.heights[lower]) / 2)
    pools: list[tuple[float, float, int]] = []
    for (middle, weight), offset in zip(wanted, offsets, strict=True):
        pool = (middle - offset, weight, 1)
        while pools and pools[-1][0] >= pool[0]:
            above, above_weight, count = pools.pop()
            both = above_weight + pool[1]
            pool = ((above * above_weight + pool[0] * pool[1]) / both, both, count + pool[2])
        pools.append(pool)
    flat = [middle for middle, _, count in pools for _ in range(count)]
    return [middle + offset for middle, offset in zip(flat, offsets, strict=True)]


def _slot(grid: _Grid, item: Item, number: int, line: int, step: int) -> float:
    """The height at which a line of a bundle leaves an item to its right (step 1) or left (-1)."""
    near = sorted(grid.near[item, step], key=lambda each: (grid.middles[each[1]], each[0]))
    before = sum(grid.lines[each] for each, _ in near[: [each for each, _ in near].index(number)])
    total = sum(grid.lines[each] for each, _ in near)
    return grid.middles[item] + (before + line - (total - 1) / 2) * LINE_GAP


def _path(
    grid: _Grid, number: int, line: int, left: Mapping[Item, float], top: float, room: tuple[float, float]
) -> list[tuple[Point, Point]]:
    chain = grid.chains[number]
    stretches = []
    for place, item in enumerate(chain):
        begins = left[item] if place else left[item] + grid.box_width
        ends = left[item] + grid.box_width if place < len(chain) - 1 else left[item]
        y = _slot(grid, item, number, line, 1 if place == 0 else -1) - top
        stretches.append(((begins - room[1] * (place > 0), y), (ends + room[0] * (place < len(chain) - 1), y)))
    return stretches
