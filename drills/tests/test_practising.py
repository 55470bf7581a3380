"""An engineer practises: a drill is on until it is found, or given up."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drills import run
from drills.catalogue import all_drills
from drills.model import Answer, Drill
from drills.run import Practice
from local.control import Control
from local.errors import StartError
from local.running import Running

DRILL = all_drills()["slow-seat-map"]
ON: dict[str, dict[str, str]] = {"inventory": {"INVENTORY_DRILL": "join-without-a-condition"}}
OFF: dict[str, dict[str, str]] = {"inventory": {}}


class System:
    """Notes what a running system is asked to restart."""

    def __init__(self) -> None:
        self.restarted: list[dict[str, dict[str, str]]] = []
        self.fails = False

    def restart(self, environments: dict[str, dict[str, str]]) -> None:
        if self.fails:
            raise StartError("inventory does not start.")
        self.restarted.append(environments)


@pytest.fixture
def system() -> System:
    return System()


@pytest.fixture
def practice(tmp_path: Path, system: System) -> Iterator[Practice]:
    control = Control({"restart": system.restart})
    yield Practice(Running({"traces": "http://127.0.0.1:9", "web": "http://127.0.0.1:9"}, tmp_path, control.path))
    control.close()


@pytest.fixture
def complaint(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the next user says; None: nothing."""
    said: list[str | None] = ["The page came after 3.0 s."]

    async def provoke(_stage: Any, _drill: Drill) -> str | None:
        return said[0]

    monkeypatch.setattr(run, "provoke", provoke)
    return said


def test_a_drill_is_on_until_the_right_answer(
    practice: Practice, system: System, complaint: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.start(practice, DRILL.name) == 0
    printed = capsys.readouterr().out
    assert DRILL.report in printed
    assert "The page came after 3.0 s." in printed
    assert run.answer(practice, "web", "inventory.taken_seats") == 1
    assert "It is not that service." in capsys.readouterr().out
    assert run.answer(practice, "inventory", "inventory.availability") == 1
    assert "The service is right, the operation is not." in capsys.readouterr().out
    assert system.restarted == [ON]
    assert run.answer(practice, " Inventory", "inventory.taken_seats ") == 0
    assert system.restarted == [ON, OFF]
    assert run.answer(practice, "inventory", "inventory.taken_seats") == 2
    assert "No drill is on." in capsys.readouterr().err


def test_another_drill_takes_the_place_of_the_first(
    practice: Practice, system: System, complaint: list[str | None]
) -> None:
    run.start(practice, DRILL.name)
    run.start(practice, DRILL.name)
    assert system.restarted == [ON, OFF, ON]


def test_it_is_said_which_drill_another_one_ends_and_how_to_go_on_in_this_folder(
    practice: Practice, complaint: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    other = next(drill for name, drill in all_drills().items() if name != DRILL.name)
    practice.begin(other)
    run.start(practice, DRILL.name)
    said = capsys.readouterr().out
    assert f"{other.name} was on: it is switched off for this one." in said
    assert f"make drill-hint DATA={practice.running.data}" in said


def test_a_drill_can_be_given_up(practice: Practice, system: System, complaint: list[str | None]) -> None:
    run.start(practice, DRILL.name)
    assert run.stop(practice) == 0
    assert system.restarted == [ON, OFF]
    assert practice.drill is None


def test_a_system_that_was_started_anew_has_no_drill_on(practice: Practice, complaint: list[str | None]) -> None:
    run.start(practice, DRILL.name)
    file = practice.running.data / "drill.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"control": "another"}))
    assert practice.drill is None


def test_without_a_known_name_all_drills_are_listed_with_what_users_say(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.start(practice, "nonsense") == 2
    listed = capsys.readouterr().err
    assert listed.startswith("There is no drill 'nonsense'.")
    assert all(f"{drill.name} " in listed and drill.report in listed for drill in all_drills().values())


def test_nobody_complaining_is_no_success(
    practice: Practice, complaint: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    complaint[0] = None
    assert run.start(practice, DRILL.name) == 1
    assert "Nobody was unlucky this time" in capsys.readouterr().err


def test_what_cannot_be_switched_on_is_reported(
    practice: Practice, system: System, complaint: list[str | None]
) -> None:
    system.fails = True
    with pytest.raises(StartError, match="inventory does not start"):
        run.start(practice, DRILL.name)


def test_a_drill_that_this_system_cannot_have_leaves_the_way_free_for_another(
    practice: Practice, system: System, complaint: list[str | None]
) -> None:
    with pytest.raises(StartError, match="make up HOSTS=3"):
        run.start(practice, "slow-to-hold")
    assert practice.drill is None
    assert run.start(practice, DRILL.name) == 0
    assert system.restarted == [ON]


def test_an_answer_may_be_a_pattern_of_operations() -> None:
    answer = Answer("orders", ("orders.capture_payment", "POST /payments/*/capture"))
    assert answer.fits("orders", "POST /payments/{payment_id}/capture")
    assert not answer.fits("orders", "POST /payments/{payment_id}/void")
    assert not answer.fits("payments", "orders.capture_payment")


def test_hints_come_one_by_one_and_never_tell_the_answer(
    practice: Practice, complaint: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.hint(practice) == 2
    run.start(practice, DRILL.name)
    hints = run.hints_of(DRILL.name)
    capsys.readouterr()
    for number, hint in enumerate(hints, start=1):
        assert run.hint(practice) == 0
        assert capsys.readouterr().out == f"{number} of {len(hints)}: {hint}\n"
    assert run.hint(practice) == 1
    assert "docs/drills/slow-seat-map.md" in capsys.readouterr().out
    assert complaint


@pytest.mark.parametrize("drill", all_drills().values(), ids=lambda drill: drill.name)
def test_no_hint_holds_the_answer(drill: Drill) -> None:
    hints = run.hints_of(drill.name)
    assert len(hints) >= 2
    assert not any("Answer" in hint or "summary" in hint for hint in hints)
