"""Plots as SVG, small enough to be written by hand: lines over time, with axes that people can read."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 136, 26, 34
STEPS = (1, 2, 5, 10)
ABOUT_TICKS = 5
LABEL_GAP = 13.0
COLOURS = ("var(--line-1)", "var(--line-2)", "var(--line-3)")

Points = Sequence[tuple[float, float]]


def line_plot(label: str, lines: Mapping[str, Points], *, unit: str, limit: tuple[str, float] | None = None) -> str:
    """Lines over seconds; `limit` is a level with its name. `label` says to who cannot see it what it shows."""
    ends = max((x for points in lines.values() for x, _ in points), default=1.0) or 1.0
    top = max([y for points in lines.values() for _, y in points] + ([limit[1]] if limit else []), default=1.0) or 1.0
    ticks = ticks_up_to(top)
    scale = _Scale(ends, ticks[-1])
    parts = [_axes(scale, ticks, ends, unit)]
    if limit:
        y = scale.y(limit[1])
        parts.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="limit-name" x="{LEFT + 6}" y="{y - 4:.1f}">{escape(limit[0])}</text>')
    drawn = [(name, points) for name, points in lines.items() if points]
    for number, (_, points) in enumerate(drawn):
        path = " ".join(
            f"{'L' if index else 'M'}{scale.x(x):.1f},{scale.y(y):.1f}" for index, (x, y) in enumerate(points)
        )
        parts.append(f'<path d="{path}" style="stroke:{COLOURS[number % len(COLOURS)]}"/>')
    parts += _names(scale, drawn)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'


def ticks_up_to(top: float) -> list[float]:
    """Round numbers from zero to at least `top`."""
    rough = top / ABOUT_TICKS
    power = 10 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(each * power for each in STEPS if each * power >= rough * 0.999)
    return [number * step for number in range(math.ceil(top / step - 1e-9) + 1)]


class _Scale:
    def __init__(self, ends: float, top: float) -> None:
        self._ends = ends
        self._top = top

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self._ends

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self._top


def _axes(scale: _Scale, ticks: Sequence[float], ends: float, unit: str) -> str:
    parts = []
    for value in ticks:
        y = scale.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,.10g}</text>')
    below = HEIGHT - BOTTOM + 18
    parts += [
        f'<text class="tick" x="{scale.x(value):.1f}" y="{below}" text-anchor="middle">{value:,.10g} s</text>'
        for value in ticks_up_to(ends)
        if value <= ends
    ]
    parts.append(f'<text class="tick" x="{LEFT - 8}" y="{TOP - 12}" text-anchor="end">{escape(unit)}</text>')
    return "".join(parts)


def _names(scale: _Scale, drawn: Sequence[tuple[str, Points]]) -> list[str]:
    """Each line's name at its end; names that would lie on each other move apart."""
    wanted = sorted((scale.y(points[-1][1]), number, name) for number, (name, points) in enumerate(drawn))
    parts, last = [], -math.inf
    for y, number, name in wanted:
        last = max(y, last + LABEL_GAP)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(
            f'<text class="name" x="{WIDTH - RIGHT + 8}" y="{last + 4:.1f}" style="fill:{colour}">{escape(name)}</text>'
        )
    return parts
