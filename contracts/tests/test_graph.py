"""The picture shows every contract once, with its number, and nothing in it covers anything else."""

import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from contracts.pactfile import Edge, Kind, is_writing
from contracts.picture import graph as module
from contracts.picture.graph import COMMAND, KINDS, PICTURE, Graph, draw, graph_of
from contracts.tests.library import EDGE, write_pact

SVG = "{http://www.w3.org/2000/svg}"
SAMPLES = 40
NEAR = 2.0
Box = tuple[float, float, float, float]
Point = tuple[float, float]

# As it may be one day: twelve services, two of them partners, edges in circles and several between two.
GROWN: dict[tuple[str, Kind], dict[str, int]] = {
    ("web", "asks"): {
        "accounts": 14,
        "catalog": 7,
        "inventory": 5,
        "orders": 24,
        "tickets": 7,
        "waitingroom": 5,
        "insights": 12,
    },
    ("web", "hears"): {"catalog": 1, "orders": 2, "tickets": 1},
    ("web", "watches"): {"inventory": 2, "orders": 1},
    ("orders", "asks"): {"catalog": 3, "inventory": 14, "payments": 115, "waitingroom": 2},
    ("orders", "hears"): {"inventory": 1, "payments": 2},
    ("inventory", "hears"): {"catalog": 2, "orders": 1},
    ("catalog", "hears"): {"insights": 1},
    ("waitingroom", "hears"): {"catalog": 1},
    ("waitingroom", "watches"): {"inventory": 1},
    ("insights", "hears"): {"orders": 4, "payments": 3, "catalog": 2, "inventory": 2, "tickets": 1, "waitingroom": 2},
    ("notifications", "asks"): {"accounts": 3, "tickets": 2},
    ("notifications", "hears"): {"orders": 2, "tickets": 2},
    ("tickets", "hears"): {"orders": 2},
    ("doorman", "asks"): {"tickets": 6},
    ("boxoffice", "hears"): {"orders": 2},
}


def grown() -> Graph:
    interactions = {
        Edge(consumer, kind, provider): number
        for (consumer, kind), providers in GROWN.items()
        for provider, number in providers.items()
    }
    return Graph(interactions, frozenset({"doorman", "boxoffice"}))


def of_two() -> Graph:
    edges = {Edge("correspondentsdesk", "watches", "archive"): 1, Edge("archive", "asks", "correspondentsdesk"): 3}
    return Graph(edges, frozenset())


def in_a_circle() -> Graph:
    names = ("archive", "library", "museum", "archive")
    return Graph({Edge(consumer, "asks", provider): 1 for consumer, provider in pairwise(names)}, frozenset())


class Drawn:
    """What is to be seen in a picture, in its own coordinates."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.root = ET.fromstring(draw(graph))  # noqa: S314  # made a moment ago
        self.size = (float(self.root.attrib["width"]), float(self.root.attrib["height"]))
        self.body = self.root.find(f"{SVG}g")
        assert self.body is not None
        self.offset = _numbers(self.body.attrib["transform"])

    def groups(self, kind: str) -> list[ET.Element]:
        assert self.body is not None
        return [each for each in self.body if kind in each.attrib["class"].split()]

    def boxes(self) -> dict[str, Box]:
        groups = (*self.groups("service"), *self.groups("partner"))
        return {each.attrib["id"]: _box_of(each) for each in groups}

    def edges(self) -> dict[str, ET.Element]:
        return {each.findtext(f"{SVG}title") or "": each for each in self.groups("edge")}

    def labels(self) -> dict[str, Box]:
        return {name: _box_of(_found(edge, "label")) for name, edge in self.edges().items()}

    def head(self, edge: Edge) -> Point:
        (element,) = [each for name, each in self.edges().items() if name.startswith(f"{edge}:")]
        (x, y) = _numbers(next(each for each in element if "transform" in each.attrib).attrib["transform"])[:2]
        return x, y


def _found(element: ET.Element, kind: str) -> ET.Element:
    return next(each for each in element.iter() if kind in each.attrib.get("class", "").split())


def _numbers(text: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", text)]


def _box_of(element: ET.Element) -> Box:
    rect = element.find(f"{SVG}rect")
    assert rect is not None
    x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _points(edge: ET.Element) -> Iterator[Point]:
    """Points along a line, close to each other."""
    here = (0.0, 0.0)
    for command, text in re.findall(r"([MHC])([^MHC]*)", _found(edge, "line").attrib["d"]):
        numbers = _numbers(text)
        if command == "M":
            here = (numbers[0], numbers[1])
            continue
        controls = [here, *zip(numbers[::2], numbers[1::2], strict=True)] if command == "C" else []
        ends = (numbers[0], here[1]) if command == "H" else controls[-1]
        controls = controls or [here, here, ends, ends]
        for step in range(SAMPLES + 1):
            t = step / SAMPLES
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x = sum(weight * point[0] for weight, point in zip(weights, controls, strict=True))
            y = sum(weight * point[1] for weight, point in zip(weights, controls, strict=True))
            yield x, y
        here = ends


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _inside(point: Point, box: Box) -> bool:
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


@pytest.fixture(
    scope="module", params=[graph_of, grown, of_two, in_a_circle], ids=["today", "grown", "of two", "in a circle"]
)
def drawn(request: pytest.FixtureRequest) -> Drawn:
    return Drawn(request.param())


@pytest.mark.skipif(is_writing(), reason="Pacts are being written.")
@pytest.mark.agreement
def test_the_committed_picture_is_what_the_pacts_say() -> None:
    assert PICTURE.is_file(), f"{PICTURE} is missing. Run {COMMAND}, and commit it."
    assert PICTURE.read_text(encoding="utf-8") == draw(graph_of()), (
        f"{PICTURE.name} does not show the contracts that there are. Run {COMMAND}, look at it, and commit it."
    )


async def test_one_more_contract_is_another_picture_and_the_command_draws_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pacts := tmp_path / "pacts").mkdir()
    (external := tmp_path / "external").mkdir()
    await write_pact(pacts)
    before = graph_of(pacts)
    assert before == Graph({EDGE: 2}, frozenset())
    (pacts / EDGE.file_name).rename(external / EDGE.file_name)
    assert graph_of(pacts) == Graph({EDGE: 2}, frozenset({"reader"}))
    monkeypatch.setattr(module, "PICTURE", tmp_path / "pictures/drawn.svg")
    monkeypatch.setattr(module, "graph_of", lambda: before)
    module.main()
    assert (tmp_path / "pictures/drawn.svg").read_text(encoding="utf-8") == draw(before) != draw(graph_of(pacts))


def test_every_contract_is_drawn_once_with_its_number_of_interactions(drawn: Drawn) -> None:
    shown = [(each.findtext(f"{SVG}title"), "".join(_found(each, "label").itertext())) for each in drawn.groups("edge")]
    assert sorted(shown) == sorted(
        (f"{edge}: {number} interaction{'s' if number > 1 else ''}", str(number))
        for edge, number in drawn.graph.interactions.items()
    )


def test_the_head_is_at_who_is_asked_and_at_who_hears_or_watches(drawn: Drawn) -> None:
    boxes = drawn.boxes()
    for edge in drawn.graph.interactions:
        left, top, right, bottom = boxes[edge.provider if edge.kind == "asks" else edge.consumer]
        x, y = drawn.head(edge)
        assert x in (left, right), f"The head of {edge} is at {x}, but the box reaches from {left} to {right}."
        assert top < y < bottom


def test_totals_are_sums_and_each_box_says_what_it_needs_and_keeps(drawn: Drawn) -> None:
    total = sum(drawn.graph.interactions.values())
    said = _found(drawn.root, "totals").text or ""
    contracts, interactions, *kinds = (int(each) for each in re.findall(r"\d+", said))
    assert (contracts, interactions, sum(kinds)) == (len(drawn.graph.interactions), total, total)
    for box in (*drawn.groups("service"), *drawn.groups("partner")):
        note = dict(re.findall(r"(\w+) (\d+)", _found(box, "note").text or ""))
        edges = drawn.graph.interactions.items()
        needs = sum(number for edge, number in edges if edge.consumer == box.attrib["id"])
        keeps = sum(number for edge, number in edges if edge.provider == box.attrib["id"])
        assert (int(note.get("needs", 0)), int(note.get("keeps", 0))) == (needs, keeps)


def test_boxes_are_apart_and_in_the_picture_and_wide_enough_for_their_names(drawn: Drawn) -> None:
    boxes = drawn.boxes()
    assert boxes.keys() == set(drawn.graph.names)
    for one, other in combinations(boxes.values(), 2):
        assert not _overlap(one, other)
    for name, box in boxes.items():
        assert drawn.offset[0] + box[2] < drawn.size[0]
        assert drawn.offset[1] + box[3] < drawn.size[1]
        assert box[2] - box[0] > 9.5 * len(name)
    columns = sorted({box[0] for box in boxes.values()})
    assert len({round(right - left) for left, right in pairwise(columns)}) == 1, "There is an empty column."


def test_no_line_crosses_a_box(drawn: Drawn) -> None:
    for name, edge in drawn.edges().items():
        for point in _points(edge):
            crossed = [box for box, where in drawn.boxes().items() if _inside(point, where)]
            assert crossed == [], f"{name} crosses {crossed}."


def test_numbers_cover_neither_each_other_nor_a_box_nor_the_line_of_another(drawn: Drawn) -> None:
    labels = drawn.labels()
    for one, other in combinations(labels.values(), 2):
        assert not _overlap(one, other)
    for label in labels.values():
        assert not any(_overlap(label, box) for box in drawn.boxes().values())
        assert 0 < drawn.offset[0] + label[0] < drawn.offset[0] + label[2] < drawn.size[0]
        assert 0 < drawn.offset[1] + label[1] < drawn.offset[1] + label[3] < drawn.size[1]
    for name, edge in drawn.edges().items():
        for point in _points(edge):
            hidden = [other for other, label in labels.items() if other != name and _inside(point, label)]
            assert hidden == [], f"{name} runs under the number of {hidden}."


def test_lines_between_the_same_two_are_apart(drawn: Drawn) -> None:
    by_pair: dict[frozenset[str], list[list[Point]]] = {}
    for edge in drawn.graph.interactions:
        element = next(each for name, each in drawn.edges().items() if name.startswith(f"{edge}:"))
        by_pair.setdefault(frozenset((edge.consumer, edge.provider)), []).append(list(_points(element)))
    for lines in by_pair.values():
        for one, other in pairwise(lines):
            assert min(abs(a[1] - b[1]) for a, b in zip(one, other, strict=True)) > module.LABEL_HEIGHT + NEAR


def test_the_legend_names_the_kinds_that_there_are_below_everything(drawn: Drawn) -> None:
    legend = _found(drawn.root, "legend")
    said = " ".join(legend.itertext())
    there = {edge.kind for edge in drawn.graph.interactions}
    assert {kind for kind, (what, _) in KINDS.items() if what in said} == there
    assert ("a partner" in said) == bool(drawn.graph.partners)
    heights = [_numbers(each.attrib["transform"])[1] for each in legend]
    assert min(heights) > drawn.offset[1] + max(box[3] for box in drawn.boxes().values())
    assert max(heights) + module.LEGEND_ROW < drawn.size[1]


def test_kinds_are_distinguished_without_colour() -> None:
    drawn = Drawn(grown())
    style = drawn.root.findtext(f"{SVG}style") or ""
    dashes = {kind: re.findall(rf"\.{kind} \.line {{ stroke-dasharray: ([^;]+);", style) for kind in KINDS}
    heads = {kind: _found(drawn.groups(kind)[0], "head").attrib["d"] for kind in KINDS}
    assert len({str(dash) for dash in dashes.values()}) == len(KINDS)
    assert len(set(heads.values())) == len(KINDS)


def test_who_does_not_see_it_reads_every_contract(drawn: Drawn) -> None:
    assert drawn.root.attrib["role"] == "img"
    said = drawn.root.findtext(f"{SVG}desc") or ""
    assert drawn.root.findtext(f"{SVG}title")
    for edge, number in drawn.graph.interactions.items():
        assert f"{edge} ({number})" in said


def test_partners_have_a_box_of_their_own_kind() -> None:
    assert {each.attrib["id"] for each in Drawn(grown()).groups("partner")} == {"doorman", "boxoffice"}


def test_it_is_readable_in_the_dark() -> None:
    style = Drawn(grown()).root.findtext(f"{SVG}style") or ""
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    assert set(re.findall(r"--\w+(?=:)", light)) == set(re.findall(r"--\w+(?=:)", dark))


def test_the_order_in_which_pacts_are_found_does_not_matter() -> None:
    graph = grown()
    turned = Graph(dict(reversed(list(graph.interactions.items()))), graph.partners)
    assert draw(turned) == draw(graph)
