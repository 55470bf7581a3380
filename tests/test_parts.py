"""`make test` forgets no test: each part finds those of its kind where it looks for them."""

import re

import pytest

from local.topology import ROOT
from tests.run import LANES, PARTS, STARTING, WITH_BROWSER, WITH_SYSTEM


@pytest.mark.parametrize(("mark", "arguments"), [("system", WITH_SYSTEM + STARTING[2:]), ("browser", WITH_BROWSER)])
def test_tests_with_a_mark_lie_where_their_part_looks(mark: str, arguments: tuple[str, ...]) -> None:
    places = [ROOT / argument for argument in arguments[2:]]
    marked = [
        path
        for folder in (
            "chassis",
            "contracts",
            "drills",
            "local",
            "rehearsal",
            "services",
            "simulators",
            "tests",
            "tracing",
        )
        for path in (ROOT / folder).rglob("test_*.py")
        if re.search(rf"\bmark\.{mark}\b", path.read_text(encoding="utf-8"))
    ]
    assert marked
    assert [path for path in marked if not any(path.is_relative_to(place) for place in places)] == []


def test_each_part_is_in_one_lane() -> None:
    assert sorted(part for lane in LANES for part in lane) == sorted(PARTS)
