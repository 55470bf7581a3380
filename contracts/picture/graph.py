"""A picture of the contracts: who asks, hears and watches whom, and in how many interactions. `make contracts-graph` writes it.

It is drawn from the pacts alone, so that it cannot say anything else than they do.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

from contracts.pactfile import EXTERNAL, PACTS, Edge, edges, exit_code_of, read
from contracts.picture.layout import Bundle, Layout, Point, Rect, lay_out

PICTURE = Path(__file__).parents[2] / "docs/pictures/contracts.svg"
COMMAND = "`make contracts-graph`"

TITLE = "Who needs what from whom"
# What each kind is called in the legend, in the order of lines between two boxes.
KINDS = {
    "asks": ("asks over HTTP", "the arrow points to who is asked"),
    "hears": ("hears facts on the firehose", "the arrow points to who hears them"),
    "watches": ("watches messages on the bus", "the diamond is at who watches"),
}
MARGIN = 36
HEADER = 92
LEGEND_ROW = 27
LEGEND_GAP = 40
LEGEND_WIDTH = 780
BOX_WIDTH_MIN = 144
BOX_PADDING = 18
# The average width of a letter in a wide font.
NAME_LETTER_WIDTH = 9.6
LABEL_WIDTH = 28
LABEL_HEIGHT = 17
# Room for a head and a label at the left end of a line, for a head at the right end.
ROOM = (46, 20)
HEAD_ROOM = 13
# A line begins and ends a little before the box, where the tips of the heads are.
TIP = 2
LEGEND_LINE = 76

STYLE = """
  svg { --paper: #ffffff; --ink: #1c2430; --soft: #5b6675; --box: #f3f5f8; --rim: #b9c2ce;
        --asks: #1f5fd0; --hears: #b3480f; --watches: #7a3fb5;
        font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #12161c; --ink: #e8edf4; --soft: #9aa6b5; --box: #1e252f; --rim: #46525f;
          --asks: #78a9ff; --hears: #ff9d5c; --watches: #c59bff; }
  }
  .paper { fill: var(--paper); }
  .box { fill: var(--box); stroke: var(--rim); stroke-width: 1.5; }
  .partner .box { stroke-dasharray: 6 4; }
  text { fill: var(--ink); font-size: 13px; }
  .title { font-size: 22px; font-weight: 650; }
  .name { font-size: 16px; font-weight: 650; text-anchor: middle; }
  .soft { fill: var(--soft); font-size: 12.5px; }
  .note { text-anchor: middle; font-size: 11.5px; }
  .line { fill: none; stroke-width: 2; stroke-linecap: round; }
  .halo { fill: none; stroke: var(--paper); stroke-width: 6; }
  .label rect { fill: var(--paper); stroke-width: 1.5; }
  .label text { font-size: 12px; font-weight: 650; text-anchor: middle; }
  .head { stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  .asks .line, .asks .head, .asks .label rect { stroke: var(--asks); }
  .asks .head { fill: var(--asks); }
  .asks .label text { fill: var(--asks); }
  .hears .line, .hears .head, .hears .label rect { stroke: var(--hears); }
  .hears .line { stroke-dasharray: 9 6; }
  .hears .head { fill: none; }
  .hears .label text { fill: var(--hears); }
  .watches .line, .watches .head, .watches .label rect { stroke: var(--watches); }
  .watches .line { stroke-dasharray: 0.1 6; stroke-width: 3; }
  .watches .head { fill: var(--paper); }
  .watches .label text { fill: var(--watches); }
"""
# Heads that point to the right, with their tips at the origin.
HEADS = {
    "asks": '<path class="head" d="M -1.5 0 L -10 -4.5 L -10 4.5 Z"/>',
    "hears": '<path class="head" d="M -9 -5.5 L -1.5 0 L -9 5.5"/>',
    "watches": '<path class="head" d="M -1.5 0 L -7 -4.5 L -12.5 0 L -7 4.5 Z"/>',
}


@dataclass(frozen=True)
class Graph:
    """How many interactions each edge has, and which consumers are partners outside of the repository."""

    interactions: Mapping[Edge, int]
    partners: frozenset[str]

    @property
    def names(self) -> list[str]:
        """Everybody who is in it."""
        return sorted({name for edge in self.interactions for name in (edge.consumer, edge.provider)})


def graph_of(pacts: Path = PACTS, external: Path | None = None) -> Graph:
    """The graph of the pacts in a folder, and of those of partners in another. Raises ContractBroken if one is none."""
    external = external or pacts.parent / EXTERNAL
    inside = {edge: len(read(edge, pacts)) for edge in edges(pacts)}
    outside = {edge: len(read(edge, external)) for edge in edges(external)}
    return Graph(inside | outside, frozenset(edge.consumer for edge in outside))


def draw(graph: Graph) -> str:
    """The graph as the text of an SVG. The same pacts give the same bytes."""
    pairs = _pairs(graph.interactions)
    bundles = [Bundle(*pair, len(between)) for pair, between in pairs.items()]
    layout = lay_out(graph.names, bundles, box_width=_box_width(graph), room=ROOM)
    lines = "".join(
        _line(edge, graph.interactions[edge], path, layout.boxes)
        for between, paths in zip(pairs.values(), layout.paths, strict=True)
        for edge, path in zip(between, paths, strict=True)
    )
    boxes = "".join(_box(name, rect, graph) for name, rect in layout.boxes.items())
    width, height = _size(layout, graph)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{TITLE}</title>\n<desc id="desc">{escape(_in_words(graph))}</desc>\n<style>{STYLE}</style>\n'
        f'<rect class="paper" width="{width}" height="{height}" rx="10"/>\n'
        f'<text class="title" x="{MARGIN}" y="{MARGIN + 14}">{TITLE}</text>\n'
        f'<text class="soft totals" x="{MARGIN}" y="{MARGIN + 38}">{escape(_totals(graph))}</text>\n'
        f'<g transform="translate({MARGIN} {HEADER})">\n{lines}{boxes}</g>\n'
        f"{_legend(graph, HEADER + layout.height + LEGEND_GAP)}</svg>\n"
    )


def _box_width(graph: Graph) -> float:
    return max(BOX_WIDTH_MIN, BOX_PADDING + NAME_LETTER_WIDTH * max(len(name) for name in graph.names))


def _size(layout: Layout, graph: Graph) -> tuple[int, int]:
    rows = len(_kinds(graph)) + 2 + bool(graph.partners)
    width = max(layout.width, LEGEND_WIDTH) + 2 * MARGIN
    return round(width), round(HEADER + layout.height + LEGEND_GAP + rows * LEGEND_ROW + MARGIN / 2)


def _pairs(interactions: Iterable[Edge]) -> dict[tuple[str, str], list[Edge]]:
    """The edges between each two, in the order of kinds; the consumer of the first is to stand on the left."""
    pairs: dict[tuple[str, str], list[Edge]] = {}
    for edge in sorted(interactions, key=lambda each: (list(KINDS).index(each.kind), each)):
        turned = (edge.provider, edge.consumer)
        pairs.setdefault(turned if turned in pairs else (edge.consumer, edge.provider), []).append(edge)
    return pairs


def _line(edge: Edge, count: int, path: list[tuple[Point, Point]], boxes: Mapping[str, Rect]) -> str:
    """An edge: its line, the head at who is asked or who hears, and the number near the left end."""
    consumer_is_left = boxes[edge.consumer].x < boxes[edge.provider].x
    (start_x, start_y), (end_x, end_y) = path[0][0], path[-1][1]
    if consumer_is_left == (edge.kind == "asks"):
        head = f'<g transform="translate({end_x:g} {end_y:g})">{HEADS[edge.kind]}</g>'
    else:
        head = f'<g transform="translate({start_x:g} {start_y:g}) scale(-1 1)">{HEADS[edge.kind]}</g>'
    curve = _curve(path)
    return (
        f'<g class="edge {edge.kind}" id="{escape(edge.file_name.removesuffix(".json"))}">'
        f"<title>{escape(str(edge))}: {_counted(count, 'interaction')}</title>"
        f'<path class="halo" d="{curve}"/><path class="line" d="{curve}"/>{head}'
        f"{_label(start_x + HEAD_ROOM + 2, start_y, count)}</g>\n"
    )


def _label(x: float, y: float, count: int) -> str:
    return (
        f'<g class="label"><rect x="{x:g}" y="{y - LABEL_HEIGHT / 2:g}" width="{LABEL_WIDTH}" height="{LABEL_HEIGHT}"'
        f' rx="{LABEL_HEIGHT / 2:g}"/><text x="{x + LABEL_WIDTH / 2:g}" y="{y + 4.3:g}">{count}</text></g>'
    )


def _curve(path: list[tuple[Point, Point]]) -> str:
    """Level where the layout says so, and a smooth climb in between."""
    (x, y), end = path[0]
    parts = [f"M {x + TIP:g} {y:g} H {end[0]:g}"]
    for (_, (from_x, from_y)), ((to_x, to_y), (level_x, _)) in pairwise(path):
        middle = (from_x + to_x) / 2
        parts.append(f"C {middle:g} {from_y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g} H {level_x:g}")
    return " ".join(parts)


def _box(name: str, rect: Rect, graph: Graph) -> str:
    needs = sum(number for edge, number in graph.interactions.items() if edge.consumer == name)
    keeps = sum(number for edge, number in graph.interactions.items() if edge.provider == name)
    note = " · ".join(f"{word} {number}" for word, number in (("needs", needs), ("keeps", keeps)) if number)
    middle_x, middle_y = rect.x + rect.width / 2, rect.y + rect.height / 2
    return (
        f'<g class="{"partner" if name in graph.partners else "service"}" id="{escape(name)}">'
        f'<rect class="box" x="{rect.x:g}" y="{rect.y:g}" width="{rect.width:g}" height="{rect.height:g}" rx="9"/>'
        f'<text class="name" x="{middle_x:g}" y="{middle_y - 2:g}">{escape(name)}</text>'
        f'<text class="soft note" x="{middle_x:g}" y="{middle_y + 16:g}">{note}</text></g>\n'
    )


def _totals(graph: Graph) -> str:
    by_kind = Counter(dict.fromkeys(KINDS, 0))
    for edge, number in graph.interactions.items():
        by_kind[edge.kind] += number
    kinds = ", ".join(f"{number} {kind}" for kind, number in by_kind.items() if number)
    edges_ = _counted(len(graph.interactions), "contract")
    return f"{edges_}, {_counted(sum(by_kind.values()), 'interaction')}: {kinds}"


def _in_words(graph: Graph) -> str:
    """The whole picture for those who do not see it."""
    listed = "; ".join(f"{edge} ({number})" for edge, number in sorted(graph.interactions.items()))
    partners = f" Partners outside of the repository: {', '.join(sorted(graph.partners))}." if graph.partners else ""
    return f"{_totals(graph)}. With the number of interactions of each: {listed}.{partners}"


def _legend(graph: Graph, top: float) -> str:
    rows = []
    for kind in _kinds(graph):
        what, arrow = KINDS[kind]
        head = HEADS[kind]
        rows.append(
            f'<g class="key {kind}"><path class="line" d="M 0 0 H {LEGEND_LINE - HEAD_ROOM}"/>'
            f'<g transform="translate({LEGEND_LINE} 0)">{head}</g>{_text(what, arrow)}</g>'
        )
    counts = "interactions under contract", "each written by its consumer's tests, verified against the real provider"
    rows.append(f'<g class="key asks">{_label((LEGEND_LINE - LABEL_WIDTH) / 2, 0, 7)}{_text(*counts)}</g>')
    note = f'<text class="soft note" x="{LEGEND_LINE / 2:g}" y="4">needs · keeps</text>'
    sums = "both sides of a service", "interactions that it relies on, and interactions that others rely on"
    rows.append(f'<g class="key">{note}{_text(*sums)}</g>')
    if graph.partners:
        box = f'<rect class="box" x="14" y="-9" width="{LEGEND_LINE - 28}" height="18" rx="5"/>'
        outside = "a partner", "outside of this repository; its pacts are in contracts/external"
        rows.append(f'<g class="key partner">{box}{_text(*outside)}</g>')
    placed = "".join(
        f'<g transform="translate({MARGIN} {top + row * LEGEND_ROW:g})">{each}</g>\n' for row, each in enumerate(rows)
    )
    return f'<g class="legend">\n{placed}</g>\n'


def _text(what: str, more: str) -> str:
    return f'<text x="{LEGEND_LINE + 14}" y="4.5">{what}<tspan class="soft">: {more}</tspan></text>'


def _kinds(graph: Graph) -> list[str]:
    """The kinds that there are, in the order of the legend."""
    there = {edge.kind for edge in graph.interactions}
    return [kind for kind in KINDS if kind in there]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def main() -> None:
    """Writes the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(graph_of()), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
