"""The picture shows every contract once, with its number of interactions and an arrow of its kind."""

import re
from pathlib import Path

import pytest

from contracts import picture
from contracts.pactfile import Edge, is_writing
from contracts.picture import COMMAND, Graph, drawn, graph_of, stale_pages
from contracts.tests.library import EDGE, write_pact

PAGE = "before\n<!-- picture: contracts -->\nold\n<!-- end of picture -->\nafter\n"
SMALL = Graph(
    {
        Edge("web", "asks", "orders"): 24,
        Edge("web", "watches", "orders"): 1,
        Edge("tickets", "hears", "orders"): 2,
        Edge("doorman", "asks", "tickets"): 6,
    },
    frozenset({"doorman"}),
)


@pytest.mark.skipif(is_writing(), reason="Pacts are being written.")
@pytest.mark.agreement
def test_the_committed_picture_is_what_the_pacts_say() -> None:
    stale = ", ".join(stale_pages(graph_of()))
    assert not stale, (
        f"The picture in {stale} does not show the contracts that there are. Run {COMMAND}, and commit it."
    )


def test_the_arrow_points_to_who_is_asked_and_to_who_hears_or_watches() -> None:
    lines = drawn(SMALL).splitlines()
    for line in ("web -->|24| orders", "orders -.->|1| web", "orders ==>|2| tickets", "doorman -->|6| tickets"):
        assert lines.count(f"    {line}") == 1


def test_partners_have_a_shape_of_their_own_and_the_sums_are_told_to_who_does_not_see_it() -> None:
    assert re.findall(r"(\w+)\(\[\1\]\)", drawn(SMALL)) == ["doorman"]
    assert "accDescr: 4 contracts with 33 interactions (30 asks, 2 hears, 1 watches)" in drawn(SMALL)


def test_the_order_in_which_pacts_are_found_does_not_matter() -> None:
    assert drawn(Graph(dict(reversed(list(SMALL.interactions.items()))), SMALL.partners)) == drawn(SMALL)


async def test_one_more_contract_is_another_picture_and_the_command_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pacts := tmp_path / "pacts").mkdir()
    (external := tmp_path / "external").mkdir()
    await write_pact(pacts)
    before = graph_of(pacts)
    assert before == Graph({EDGE: 2}, frozenset())
    (pacts / EDGE.file_name).rename(external / EDGE.file_name)
    assert graph_of(pacts) == Graph({EDGE: 2}, frozenset({"reader"}))
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    monkeypatch.setattr(picture, "PAGES", (page,))
    monkeypatch.setattr(picture, "graph_of", lambda: before)
    picture.main()
    assert page.read_text() == PAGE.replace("old\n", drawn(before))
    assert (stale_pages(before, [page]), stale_pages(graph_of(pacts), [page])) == ([], ["page.md"])
