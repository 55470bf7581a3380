"""What `make contracts` shows: each pair when both sides are known, and what was left out."""

import subprocess
from pathlib import Path

import pytest

from contracts.journal import JOURNAL, Entry, Found, note
from contracts.pactfile import Edge, render
from contracts.run import SERVICES, Outcome, Progress, consumers_tests, run

ASKS = Edge("reader", "asks", "library")
HEARS = Edge("reader", "hears", "library")
OUTSIDE = Edge("school", "asks", "library")
HELD = Found("a shelf", "held")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for edge, name in ((ASKS, "pacts"), (HEARS, "pacts"), (OUTSIDE, "external")):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / edge.file_name).write_text(render(edge, []))
    monkeypatch.setenv(JOURNAL, str(tmp_path / "journal"))
    return tmp_path


def progress(folder: Path, service: str | None = None) -> Progress:
    return Progress(folder / "journal", service, folder / "pacts")


def test_a_pair_is_shown_once_when_both_of_its_sides_are_known(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = progress(folder)
    note(Entry("compared", ASKS, 2))
    seen.look()
    assert capsys.readouterr().out == ""
    note(Entry("verified", ASKS, 2, (HELD, HELD)))
    seen.look()
    seen.look()
    (line,) = capsys.readouterr().out.splitlines()
    assert " ".join(line.split()) == "1/3 reader asks library 2 written 2 verified"


def test_what_breaks_is_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = progress(folder)
    note(Entry("verified", OUTSIDE, 2, (HELD, Found("a book", "broken", "It is gone."))))
    seen.look()
    assert "from outside     1 verified   1 BROKEN" in capsys.readouterr().out
    assert (
        Outcome(ok=False, counts={}, pairs=list(seen.pairs.values()))
        .totals()
        .startswith("3 pairs: 0 interactions written as committed, 1 verified, 1 broken")
    )


def test_a_side_that_nobody_ran_is_reported(folder: Path) -> None:
    seen = progress(folder)
    note(Entry("compared", ASKS, 2))
    note(Entry("verified", OUTSIDE, 1, (HELD,)))
    seen.look()
    assert seen.all_missing() == [
        "library was not verified against the pact of reader asks library.",
        "What reader needs of library was not compared with its pact.",
        "library was not verified against the pact of reader hears library.",
    ]


def test_one_service_answers_only_for_its_own_sides(folder: Path) -> None:
    assert progress(folder, "stranger").pairs == {}
    assert (
        progress(folder, "reader").all_missing()
        == [
            "What reader needs of library was not compared with its pact.",
        ]
        * 2
    )


def test_what_a_service_has_just_written_is_verified_at_its_providers_too(folder: Path) -> None:
    seen = Progress(folder / "journal", "reader", folder / "pacts", written=True)
    note(Entry("compared", ASKS, 2))
    note(Entry("compared", HEARS, 2))
    note(Entry("verified", ASKS, 2, (HELD, HELD)))
    seen.look()
    assert seen.all_missing() == ["library was not verified against the pact of reader hears library."]


def test_what_others_need_of_a_service_that_was_just_written_is_compared_too(folder: Path) -> None:
    seen = Progress(folder / "journal", "library", folder / "pacts", written=True)
    note(Entry("verified", ASKS, 2, (HELD, HELD)))
    note(Entry("verified", HEARS, 1, (HELD,)))
    note(Entry("verified", OUTSIDE, 1, (HELD,)))
    seen.look()
    assert seen.all_missing() == ["What reader needs of library was not compared with its pact."] * 2


def test_the_pacts_of_one_service_are_what_it_needs_and_what_others_need_of_it() -> None:
    written = {str(path.relative_to(SERVICES)) for path in consumers_tests("tickets")}
    assert written == {
        "notifications/tests/contract/test_asks_tickets.py",
        "notifications/tests/contract/test_hears_tickets.py",
        "orders/tests/contract/test_hears_tickets.py",
        "tickets/tests/contract/test_asks_accounts.py",
        "tickets/tests/contract/test_hears_catalog.py",
        "tickets/tests/contract/test_hears_orders.py",
        "web/tests/contract/test_asks_tickets.py",
        "web/tests/contract/test_hears_tickets.py",
    }
    assert all({*consumers_tests(None)} >= {*consumers_tests(each)} for each in ("web", "orders"))


def test_documents_that_cannot_be_written_are_reported_and_nothing_is_verified(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def passing(_tests: object, pacts: str, _journal: Path, _progress: Progress | None) -> Outcome:
        asked.append(pacts)
        return Outcome(ok=True, counts={})

    failed = subprocess.CompletedProcess([], 1, stdout="There is no table.")
    monkeypatch.setattr("contracts.run._pytest", passing)
    monkeypatch.setattr("contracts.run.picture.main", lambda: None)
    monkeypatch.setattr("contracts.run.subprocess.run", lambda *_arguments, **_options: failed)
    assert run("orders", write=True).ok is False
    assert asked == ["write"]
    said = capsys.readouterr().out
    assert "There is no table." in said
    assert "`make documents` failed" in said


def test_a_broken_promise_is_red_even_if_its_test_is_expected_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_well(_tests: object, _pacts: str, journal: Path, progress: Progress | None) -> Outcome:
        assert progress is not None
        for pair in progress.pairs.values():
            pair.written, pair.verified = 1, 1
        pair.broken = 1
        return Outcome(ok=True, counts={})

    monkeypatch.setattr("contracts.run._pytest", all_well)
    assert run().ok is False


def test_what_the_tests_of_the_checks_make_up_is_no_pair(folder: Path) -> None:
    seen = progress(folder)
    note(Entry("verified", Edge("planted", "asks", "library"), 1, (HELD,)))
    seen.look()
    assert set(seen.pairs) == {ASKS, HEARS, OUTSIDE}
