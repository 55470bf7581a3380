"""The runner of planted breaks: what survives is reported, and a crash, a misfit or a failure about something else is not a catch."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from contracts.forks import CHECKOUT
from contracts.mutation.breaks import Break, Change, Delete, Document, DoesNotFit, Edit, Everywhere
from contracts.mutation.checks import Runner
from contracts.mutation.planted import BREAKS
from contracts.mutation.scratch import copy_of_checkout, mend
from contracts.mutation.suite import run

CODE = """
SHELF = {"place": "Hall 2", "books": 3}
"""
CHECK = """
from contracts.pactfile import ContractBroken
from shelves import SHELF

def test_the_place_of_a_shelf_is_what_its_reader_needs():
    if SHELF["books"] is None:
        raise LookupError("the shelf fell over")
    if "place" not in SHELF:
        raise ContractBroken("library breaks what reader relies on: there is no $.place")
"""
LENIENT = """
def test_that_looks_at_nothing():
    assert True
"""
STRANGER = """
from shelves import SHELF

def test_of_something_else():
    assert "place" in SHELF, "$.place"
"""
RENAMES = (Edit("shelves.py", '"place"', '"location"'),)
CAUGHT = Break("the place is renamed", RENAMES, ("contracts/test_check.py",), ("library", "$.place"))
HARMLESS = Break(
    "a shelf gets a field",
    (Edit("shelves.py", "{", '{"colour": "red", '),),
    ("contracts/test_check.py",),
    harmless=True,
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with a promise, a check of it, one that looks at nothing, and a test about something else."""
    root = tmp_path / "small"
    (root / "contracts").mkdir(parents=True)
    files = {
        "shelves.py": CODE,
        "contracts/__init__.py": "",
        "contracts/pactfile.py": "class ContractBroken(AssertionError):\n    pass\n",
        "contracts/test_check.py": CHECK,
        "contracts/test_lenient.py": LENIENT,
        "test_stranger.py": STRANGER,
        "pytest.ini": "[pytest]\naddopts = --import-mode=importlib\npythonpath = .\n",
        "ignored.txt": "not part of it",
        ".gitignore": "ignored.txt\n",
    }
    for name, text in files.items():
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


Score = Callable[..., tuple[int, str]]


@pytest.fixture
def score(small: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Score:
    """The exit code, and what was printed."""
    monkeypatch.setattr("contracts.mutation.suite.PostgresServer", NoServer)

    def plant(*breaks: Break) -> tuple[int, str]:
        code = run(breaks, small)
        return code, capfd.readouterr().out

    return plant


class NoServer:
    """In place of Postgres, which these checks do not need."""

    def __init__(self, *, durable: bool) -> None:
        assert not durable

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def url(self) -> str:
        """Where nothing is."""
        return "postgresql://nowhere"


def test_what_is_caught_and_what_is_harmless_make_the_score(score: Score) -> None:
    code, said = score(CAUGHT, HARMLESS)
    assert code == 0
    assert "caught     the place is renamed" in said
    assert "library breaks what reader relies on: there is no $.place" in said
    assert "passes     a shelf gets a field" in said
    assert said.endswith("caught 1 of 1\n")


@pytest.mark.parametrize(
    ("checks", "says", "changes", "why"),
    [
        (("contracts/test_lenient.py",), ("$.place",), RENAMES, "All is green"),
        (("contracts/test_check.py",), ("$.books",), RENAMES, "Nothing says ('$.books',)"),
        (
            ("contracts/test_check.py",),
            ("fell over",),
            (Edit("shelves.py", '"books": 3', '"books": None'),),
            "It fails, but not as a broken contract",
        ),
        (
            ("contracts/test_check.py",),
            ("place",),
            (Edit("shelves.py", "SHELF", "raise RuntimeError('place'); SHELF"),),
            "It fails, but not as a broken contract",
        ),
        (
            ("contracts/test_check.py",),
            ("place",),
            (Edit("shelves.py", "Hall 9", "Hall 3"),),
            "no longer fits the code",
        ),
        (("test_stranger.py",), ("$.place",), RENAMES, "It fails, but not as a broken contract"),
        (
            ("contracts/test_check.py",),
            ("place",),
            (Edit("shelves.py", "SHELF", "import os; os._exit(3); SHELF"),),
            "The checks did not come to an end (exit code 3)",
        ),
        (
            ("contracts/test_check.py", "test_stranger.py"),
            ("$.place",),
            RENAMES,
            "It fails, but not as a broken contract:\n    test_stranger.py::",
        ),
    ],
    ids=[
        "nothing looks",
        "the message does not name it",
        "a crash",
        "no import",
        "a misfit",
        "a test about something else",
        "an end in the middle",
        "one of two is about something else",
    ],
)
def test_a_break_that_is_not_caught_as_a_broken_contract_survives(
    score: Score, checks: tuple[str, ...], says: tuple[str, ...], changes: tuple[Change, ...], why: str
) -> None:
    code, said = score(CAUGHT, Break("the other one", changes, checks, says))
    assert code == 1
    assert "SURVIVED   the other one" in said
    assert why in said
    assert said.endswith("caught 1 of 2\n")


def test_a_check_that_refuses_what_is_harmless_is_too_strict(score: Score) -> None:
    code, said = score(Break("a rename", RENAMES, ("contracts/test_check.py",), harmless=True))
    assert code == 1
    assert "TOO STRICT a rename" in said


def test_a_check_that_is_red_without_a_break_catches_nothing(score: Score, small: Path) -> None:
    (small / "shelves.py").write_text(CODE.replace("place", "location"))
    code, said = score(CAUGHT)
    assert code == 1
    assert "RED without any break:\n    contracts/test_check.py::test_the_place" in said
    assert "caught" not in said


def test_a_check_without_tests_is_red(score: Score, small: Path) -> None:
    (small / "contracts/test_check.py").write_text("")
    code, said = score(CAUGHT, Break("the other one", RENAMES, ("contracts/test_lenient.py",), ("$.place",)))
    assert code == 1
    assert "RED without any break: contracts/test_check.py has no test that passes." in said


def test_checks_that_ought_to_be_blind_and_are_not_are_reported(score: Score) -> None:
    check = "contracts/test_check.py"
    code, said = score(Break("a rename", RENAMES, (check,), ("$.place",), blind=(check,)))
    assert code == 1
    assert f"These must pass: {check}" in said


def test_the_checkout_is_not_changed_and_the_copies_are_mended_after_each_break(score: Score, small: Path) -> None:
    before = {path: path.read_text() for path in small.rglob("*.*") if path.is_file() and ".git/" not in str(path)}
    code, said = score(
        CAUGHT, Break("gone", (Delete("shelves.py"),), ("contracts/test_lenient.py",), harmless=True), *[HARMLESS] * 8
    )
    assert (code, said.count("passes")) == (0, 9)
    assert {path: path.read_text() for path in small.rglob("*.*") if path in before} == before


def test_a_copy_has_what_git_does_not_ignore_also_when_it_is_not_committed(small: Path, tmp_path: Path) -> None:
    copy_of_checkout(small, copy := tmp_path / "copy")
    assert (copy / "shelves.py").read_text() == CODE
    assert not (copy / "ignored.txt").exists()
    with pytest.raises(RuntimeError, match="Git does not say what belongs to"):
        copy_of_checkout(tmp_path / "nowhere", copy)


def test_a_mended_copy_is_as_the_sound_one(small: Path, tmp_path: Path) -> None:
    copy_of_checkout(small, copy := tmp_path / "copy")
    copy_of_checkout(small, broken := tmp_path / "broken")
    (broken / "shelves.py").write_text("SHELF = None")
    (broken / "contracts/test_check.py").unlink()
    (broken / "left behind").write_text("...")
    mend(broken, copy)
    assert {path.relative_to(broken) for path in broken.rglob("*")} == {
        path.relative_to(copy) for path in copy.rglob("*")
    }
    assert (broken / "shelves.py").read_text() == CODE


@pytest.mark.parametrize(
    "change",
    [
        Edit("shelves.py", "Hall 9", "Hall 3"),
        Edit("shelves.py", '"', "'"),
        Edit("nowhere.py", "a", "b"),
        Everywhere("shelves.py", "Hall 9", "Hall 3"),
        Delete("nowhere.py"),
        Document("shelf.json", lambda document: document["books"].clear()),
        Document("shelf.json", lambda document: document["place"].strip()),
    ],
    ids=[
        "no such text",
        "a text that is not alone",
        "no such file",
        "nowhere",
        "nothing to delete",
        "no such key",
        "no change",
    ],
)
def test_a_change_that_no_longer_fits_is_reported(tmp_path: Path, change: Change) -> None:
    (tmp_path / "shelves.py").write_text(CODE)
    (tmp_path / "shelf.json").write_text('{"place": "Hall 2"}')
    with pytest.raises(DoesNotFit, match="Write the break anew"):
        change.apply(tmp_path)


def test_a_run_knows_nothing_of_the_checkout(small: Path) -> None:
    (small / "contracts/test_where.py").write_text(
        "import sys, contracts.pactfile\n\ndef test_where():\n"
        f"    assert {str(CHECKOUT)!r} not in sys.path\n    assert not hasattr(contracts.pactfile, 'PACTS')\n"
    )
    assert Runner({}).run(small, ["contracts/test_where.py"]).is_green


def test_breaks_have_names_of_their_own_and_words_to_look_for_and_leave_the_shared_databases_alone() -> None:
    assert len({each.name for each in BREAKS}) == len(BREAKS)
    assert all(each.harmless or (all(each.says) and each.says) for each in BREAKS)
    changed = {path for each in BREAKS for change in each.changes if (path := getattr(change, "path", None))}
    # Databases are copied from templates that all runs share, each made by the migrations of whoever came first.
    assert not any("migrations" in path or path.endswith("tables.py") for path in changed)


def test_every_planted_break_fits_the_code_as_it_is() -> None:
    """Only a sixth of them is planted for each commit, so whoever changes code would learn it from somebody else's commit."""
    edits = [(each.name, change) for each in BREAKS for change in each.changes if isinstance(change, Edit)]
    texts = {path: (CHECKOUT / path).read_text(encoding="utf-8") for path in {edit.path for _, edit in edits}}
    assert [(name, edit.path, edit.old) for name, edit in edits if texts[edit.path].count(edit.old) != 1] == []
