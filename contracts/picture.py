"""A picture of the contracts: who asks, hears and watches whom, and in how many interactions. `make contracts-graph` writes it.

It is made from the pacts alone, so that it cannot say anything else than they do, and as text for Mermaid, which lays it out
wherever the pages are shown. It stands in them between `<!-- picture: contracts -->` and `<!-- end of picture -->`.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.pactfile import EXTERNAL, PACTS, Edge, Kind, edges, exit_code_of, read

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs/guides/contracts.md")
COMMAND = "`make contracts-graph`"
TITLE = "Who needs what from whom"
# Arrows point to who is asked, and to who hears or watches.
ARROWS: Mapping[Kind, str] = {"asks": "-->", "hears": "==>", "watches": "-.->"}
_PLACE = re.compile(r"(?<=<!-- picture: contracts -->\n).*?(?=<!-- end of picture -->)", re.DOTALL)


@dataclass(frozen=True)
class Graph:
    """How many interactions each edge has, and which consumers are partners outside of the repository."""

    interactions: Mapping[Edge, int]
    partners: frozenset[str]


def graph_of(pacts: Path = PACTS, external: Path | None = None) -> Graph:
    """The graph of the pacts in a folder, and of those of partners in another. Raises ContractBroken if one is none."""
    external = external or pacts.parent / EXTERNAL
    inside = {edge: len(read(edge, pacts)) for edge in edges(pacts)}
    outside = {edge: len(read(edge, external)) for edge in edges(external)}
    return Graph(inside | outside, frozenset(edge.consumer for edge in outside))


def drawn(graph: Graph) -> str:
    """The graph as text for Mermaid. The same pacts give the same text."""
    partners = [f"    {name}([{name}])" for name in sorted(graph.partners)]
    lines = [_line(edge, number) for edge, number in sorted(graph.interactions.items())]
    head = ["```mermaid", "flowchart LR", f"    accTitle: {TITLE}", f"    accDescr: {_totals(graph)}"]
    return "\n".join([*head, *partners, *lines, "```", ""])


def _line(edge: Edge, number: int) -> str:
    ends = (edge.consumer, edge.provider) if edge.kind == "asks" else (edge.provider, edge.consumer)
    return f"    {ends[0]} {ARROWS[edge.kind]}|{number}| {ends[1]}"


def _totals(graph: Graph) -> str:
    by_kind: Counter[str] = Counter()
    for edge, number in graph.interactions.items():
        by_kind[edge.kind] += number
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(by_kind.items()))
    return f"{len(graph.interactions)} contracts with {sum(by_kind.values())} interactions ({kinds})"


def stale_pages(graph: Graph, pages: Iterable[Path] = PAGES) -> list[str]:
    """The names of pages that do not show the contracts that there are."""
    return [page.name for page in pages if drawn(graph) not in _PLACE.findall(page.read_text(encoding="utf-8"))]


def main() -> None:
    """Writes the picture into its pages."""
    text = drawn(graph_of())
    for page in PAGES:
        page.write_text(_PLACE.sub(lambda _: text, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
