"""The auditor itself: each number has a bug that it must find, findings are sentences, and what it cannot look at it says."""

from collections import Counter
from pathlib import Path

import pytest

from chassis.drills import Faults
from local.topology import ROOT, SERVICES
from rehearsal.audit import auditor
from rehearsal.audit.__main__ import main
from rehearsal.audit.auditor import INVARIANTS
from rehearsal.audit.copies import copies_of
from rehearsal.audit.model import LIVENESS, Audit, Broken, Invariant
from rehearsal.audit.report import render
from rehearsal.audit.sources import Sources
from rehearsal.bugs.code import CODE_BUGS, SWITCHES, TESTED_BUGS
from rehearsal.bugs.model import BANK, TOLD
from rehearsal.bugs.rows import ROW_BUGS, read_bugs

ASKED_FOR = {*range(1, 14), 16}
ONE = Invariant(4, "everything is paid", "Nobody has tickets for nothing.", "")


def test_every_invariant_that_the_system_has_is_there_and_has_a_bug_that_it_must_find() -> None:
    assert {each.number for each in INVARIANTS} == ASKED_FOR
    assert {each.number for each in ROW_BUGS} == ASKED_FOR
    assert {each.number for each in CODE_BUGS} <= {*ASKED_FOR, LIVENESS}


def test_names_are_used_once() -> None:
    bugs = [*(each.name for each in ROW_BUGS), *SWITCHES]
    for names in (bugs, [each.name for each in INVARIANTS]):
        assert [name for name, times in Counter(names).items() if times > 1] == []


def test_bugs_are_planted_where_something_is() -> None:
    assert {each.database for each in ROW_BUGS} <= {*SERVICES, BANK, TOLD}
    assert all(each.statements for each in ROW_BUGS)
    assert {each.name for each in CODE_BUGS} | {each.name for each in TESTED_BUGS} == SWITCHES.keys()
    assert {each.service for each in CODE_BUGS} <= SERVICES.keys()


def test_every_fault_replaces_something_that_is_there() -> None:
    for switch in SWITCHES.values():
        with Faults() as faults:
            switch(faults)


def test_the_tests_that_must_fail_are_there() -> None:
    for bug in TESTED_BUGS:
        path, _, name = bug.test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_at_least_twenty_five_bugs_are_planted_eight_of_them_in_code() -> None:
    assert len(ROW_BUGS) + len(CODE_BUGS) >= 25
    assert len(CODE_BUGS) >= 8


def test_a_bug_that_picks_by_an_unknown_name_is_no_bug() -> None:
    with pytest.raises(KeyError, match="NOBODY"):
        read_bugs("-- lost | 3 | tickets | a ticket is lost\nDELETE FROM ticket WHERE ticket_id = $NOBODY;\n")


def test_what_should_have_happened_by_now_is_not_asked_of_a_system_that_was_stopped() -> None:
    stopped, running = (Sources(str, Path("bank"), is_stopped=state) for state in (True, False))
    assert {each.number for each in INVARIANTS if auditor._is_moot(each, stopped)} == {12}
    assert not any(auditor._is_moot(each, running) for each in INVARIANTS)


def test_a_copy_is_named_after_its_service_and_no_two_are_alike() -> None:
    tables = [each.table for each in copies_of(tuple(SERVICES))]
    assert len(tables) == len(set(tables))
    assert {"orders_order", "payments_outbox", "web_inbox"} <= {*tables}


def test_a_finding_names_the_order_first_and_says_how_many_more_there_are() -> None:
    broken = Broken(ONE, ({"about": "G3D3-BGVZ", "total_minor": 500, "captured": None},), 3)
    assert broken.sentences == ["G3D3-BGVZ: total minor 500, captured nothing", "and 2 more"]


def test_the_report_says_what_was_promised_and_by_what_it_is_broken() -> None:
    broken = Broken(ONE, ({"about": "G3D3-BGVZ", "captured": 0},), 1)
    text = render(Audit((broken,), (), (), {"orders": 7}, 1.0, 2.0))
    assert "invariant 4: everything is paid. 1 row breaks it." in text
    assert "Nobody has tickets for nothing." in text
    assert text.endswith("1 of 1 promises is broken (1.0 s after 2.0 s until all was at rest).")


def test_a_system_elsewhere_has_its_databases_on_one_server() -> None:
    elsewhere = Sources.elsewhere("postgresql://admin:pw@127.0.0.1:5432/postgres?sslmode=disable", Path("bank.sqlite3"))
    assert elsewhere.url_of_database("onsale_web") == "postgresql://admin:pw@127.0.0.1:5432/onsale_web?sslmode=disable"
    assert elsewhere.nats is None


def test_who_names_a_server_names_the_banks_books_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--data", "x", "--postgres", "postgresql://127.0.0.1"])
    assert "POSTGRES= and BOOKS= belong together" in capsys.readouterr().err


def test_a_folder_without_a_system_cannot_be_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "make up" in capsys.readouterr().err
