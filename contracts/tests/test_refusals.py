"""Refusals that a consumer acts on are in its contract, and a code that it declares is one that its provider says."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.completeness.refusals import problems_of_refusals
from contracts.completeness.services import System, real
from contracts.pactfile import Interaction, is_writing
from contracts.tests.made_up import (
    A_LOAN,
    A_SHELF,
    ASKS,
    BORROW,
    REFUSALS,
    SHELF,
    asked,
    asking,
    changed,
    make_up,
    write_pact,
)


@pytest.mark.skipif(is_writing(), reason="Pacts are being written.")
@pytest.mark.agreement
def test_every_refusal_that_a_consumer_acts_on_is_under_contract() -> None:
    problems = problems_of_refusals(real())
    assert not problems, "\n".join(problems)


@pytest.fixture
def made_up(tmp_path: Path) -> System:
    return make_up(tmp_path)


def test_of_a_consumer_whose_refusals_are_under_contract_nothing_is_said(made_up: System) -> None:
    assert problems_of_refusals(made_up) == []


@pytest.mark.parametrize("missing", REFUSALS, ids=lambda each: each["response"]["body"]["content"]["code"])
def test_a_declared_code_and_not_now_without_an_interaction_are_reported(made_up: System, missing: Interaction) -> None:
    write_pact(made_up, ASKS, A_SHELF, A_LOAN, *(each for each in REFUSALS if each is not missing))
    (sentence,) = problems_of_refusals(made_up)
    refusal = missing["response"]["body"]["content"]
    assert f"reader asks library: reader acts on {refusal['code']} of " in sentence


def test_a_refusal_of_another_operation_does_not_count(made_up: System) -> None:
    elsewhere = asked("a shelf without books", "GET", "/shelves/9", 410, "shelf_empty")
    others = [each for each in REFUSALS if each["response"]["status"] != 410]
    write_pact(made_up, ASKS, A_SHELF, A_LOAN, elsewhere, *others)
    (sentence,) = problems_of_refusals(made_up)
    assert "shelf_empty of POST /shelves/{shelf_id}/lend" in sentence


def test_what_every_route_may_say_needs_a_contract_once_somebody_declares_it(made_up: System) -> None:
    borrow = replace(BORROW, refusals={**BORROW.refusals, "store_unavailable": None})
    (sentence,) = problems_of_refusals(changed(made_up, "reader", clients=(asking(SHELF, borrow),)))
    assert "reader acts on store_unavailable of POST /shelves/{shelf_id}/lend, but no interaction has it" in sentence


def test_a_code_that_no_operation_says_is_declared_in_vain(made_up: System) -> None:
    borrow = replace(BORROW, refusals={"shelf_emty": None})
    problems = problems_of_refusals(changed(made_up, "reader", clients=(asking(SHELF, borrow),)))
    assert any("LibraryClient declares shelf_emty among the refusals of POST" in each for each in problems)
