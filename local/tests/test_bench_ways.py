"""What `make bench-ways` says of what it has measured."""

from pathlib import Path

from local.bench.contest import Contestant
from local.bench.ways import WAYS, report


def test_each_way_has_its_column_and_its_ratio_to_a_process_for_each_service() -> None:
    found = {"services": [6.0, 4.0, 5.0], "monolith": [2.0, 1.0, 3.0]}
    contestants = [Contestant(name, Path(), Path(), 0, {"start, s": found[name]}) for name in WAYS]
    head, row = report(contestants).splitlines()
    assert head.split() == ["services", "monolith"]
    assert row.split() == ["start,", "s", "5", "(4-6)", "2", "(1-3)", "0.40"]
