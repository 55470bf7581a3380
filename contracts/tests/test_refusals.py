"""Refusals that a consumer handles are in its contract, and a code that it handles is one that its provider says."""

from pathlib import Path

import pytest

from contracts.completeness.offers import Folders
from contracts.completeness.refusals import problems_of_refusals
from contracts.pactfile import Interaction, is_writing
from contracts.tests.made_up import ASKS, REFUSALS, asked, change, make_up, write, write_pact

SHELF, LOAN = asked("a shelf", "GET", "/shelves/7"), asked("a loan", "POST", "/shelves/7/lend")


@pytest.mark.skipif(is_writing(), reason="Pacts are being written.")
@pytest.mark.agreement
def test_every_refusal_that_a_consumer_handles_is_under_contract() -> None:
    problems = problems_of_refusals(Folders())
    assert not problems, "\n".join(problems)


@pytest.fixture
def made_up(tmp_path: Path) -> Folders:
    return make_up(tmp_path)


def test_of_a_consumer_whose_refusals_are_under_contract_nothing_is_said(made_up: Folders) -> None:
    assert problems_of_refusals(made_up) == []


@pytest.mark.parametrize("missing", REFUSALS, ids=lambda each: each["response"]["body"]["content"]["code"])
def test_a_code_a_status_and_not_now_without_an_interaction_are_told(made_up: Folders, missing: Interaction) -> None:
    write_pact(made_up, ASKS, SHELF, LOAN, *(each for each in REFUSALS if each is not missing))
    (sentence,) = problems_of_refusals(made_up)
    refusal = missing["response"]["body"]["content"]
    assert f"reader asks library: reader handles {refusal['status']} {refusal['code']} of " in sentence


def test_a_refusal_of_another_operation_does_not_count(made_up: Folders) -> None:
    elsewhere = asked("a shelf without books", "GET", "/shelves/9", 410, "shelf_empty")
    others = [each for each in REFUSALS if each["response"]["status"] != 410]
    write_pact(made_up, ASKS, SHELF, LOAN, elsewhere, *others)
    (sentence,) = problems_of_refusals(made_up)
    assert "410 shelf_empty of POST /shelves/{id}/lend" in sentence


@pytest.mark.parametrize(
    "handles",
    [
        'if problem.problem_code == "store_unavailable":\n    wait()',
        'if problem.problem_code in {"store_unavailable"}:\n    wait()',
        'match problem.problem_code:\n    case "store_unavailable":\n        wait()',
    ],
    ids=["==", "in", "match"],
)
def test_what_every_route_may_say_needs_a_contract_once_somebody_names_it(made_up: Folders, handles: str) -> None:
    write(made_up.services / "reader/pages.py", handles)
    (sentence,) = problems_of_refusals(made_up)
    assert "reader handles 503 store_unavailable of POST /shelves/{id}/lend, but no interaction has it" in sentence


@pytest.mark.parametrize("status", ["410", "GONE", "httpx.codes.GONE"])
def test_a_status_is_handled_by_its_number_and_by_its_name(made_up: Folders, status: str) -> None:
    client = made_up.services / "reader/clients/library.py"
    change(client, 'problem.problem_code == "shelf_empty" or problem.status == 410', f"problem.status == {status}")
    change(client, 'SHELF = "', 'GONE = 410\nSHELF = "')
    write_pact(made_up, ASKS, SHELF, LOAN, *(each for each in REFUSALS if each["response"]["status"] != 410))
    (sentence,) = problems_of_refusals(made_up)
    assert "reader handles 410 shelf_empty" in sentence


def test_a_code_that_no_operation_says_is_handled_in_vain(made_up: Folders) -> None:
    change(made_up.services / "reader/clients/library.py", '"shelf_empty"', '"shelf_emty"')
    assert any(
        "library.py handles shelf_emty, but no operation that reader asks" in each
        for each in problems_of_refusals(made_up)
    )
