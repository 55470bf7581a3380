"""What every drill must have; that it works is proved on a running system (`make drills`)."""

import re
from pathlib import Path

import pytest

from chassis.drills import Faults, switches_of
from drills.catalogue import all_drills
from drills.model import Drill
from local.topology import ROOT, SERVICES

PAGES = ROOT / "docs" / "drills"
DRILLS = all_drills()

each_drill = pytest.mark.parametrize("drill", DRILLS.values(), ids=DRILLS)


def page_of(drill: Drill) -> str:
    return (PAGES / f"{drill.name}.md").read_text(encoding="utf-8")


def switches(drill: Drill) -> list[tuple[str, str]]:
    """(service, switch) of a drill's own faults."""
    return [
        (service, values[f"{service.upper()}_DRILL"])
        for service, values in drill.environments.items()
        if f"{service.upper()}_DRILL" in values
    ]


@each_drill
def test_a_drill_switches_on_a_fault_that_there_is(drill: Drill) -> None:
    assert drill.environments or drill.links
    for service, switch in switches(drill):
        assert switch in switches_of(service)
        with Faults() as faults:
            switches_of(service)[switch](faults)  # also that what it replaces is still there


def test_no_fault_is_without_a_drill() -> None:
    practised = {pair for drill in DRILLS.values() for pair in switches(drill)}
    assert {(service, switch) for service in SERVICES for switch in switches_of(service)} == practised


@each_drill
def test_a_drill_has_a_page_with_report_hints_and_a_folded_walk(drill: Drill) -> None:
    page = page_of(drill)
    assert page.startswith(f"# {drill.name}\n")
    assert " ".join(line.removeprefix("> ") for line in page.splitlines() if line.startswith("> ")) == drill.report
    assert f"make drill NAME={drill.name}" in page
    open_part, _, folded = page.partition("<details>")
    assert "## Hints" in open_part
    assert "**Answer**" in folded
    assert folded.rstrip().endswith("</details>")
    answered = re.search(r"\*\*Answer\*\*: `([^`]+)`, `([^`]+)`", folded)
    assert answered is not None
    assert drill.answer.fits(answered[1], answered[2])


@each_drill
def test_nothing_gives_the_fault_away_before_the_page_is_unfolded(drill: Drill) -> None:
    open_part = page_of(drill).partition("<details>")[0] + drill.report
    for operation in drill.answer.operations:
        assert operation not in open_part
    for _service, switch in switches(drill):
        assert switch not in open_part
        assert switch != drill.name


def test_the_index_names_every_drill_and_no_other() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([a-z0-9-]+)\.md\)", index))
    assert linked == set(DRILLS) == {path.stem for path in Path(PAGES).glob("*.md")} - {"README"}
