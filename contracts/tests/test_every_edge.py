"""Every edge has a pact, every pact two sides, and each operation and subject an interaction: nothing is forgotten.

What is compared are the services' own declarations and the pacts. Made-up services show that each comparison can fail.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import Field

from chassis.asking import NOTHING, Sent, Use
from contracts.completeness.edges import Need, apart, declared_needs, one_sided, under_contract, unsent
from contracts.completeness.services import System, real
from contracts.pactfile import ContractBroken, is_writing
from contracts.tests.made_up import (
    A_LOAN,
    A_SHELF,
    ASKS,
    BORROW,
    HEARS,
    REFUSALS,
    SHELF,
    WATCHES,
    asked,
    asking,
    change,
    changed,
    make_up,
    write_pact,
)

not_while_writing = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")


@not_while_writing
@pytest.mark.agreement
def test_every_declared_need_has_a_contract_and_every_contract_a_declared_need() -> None:
    problems = apart(declared_needs(real()), under_contract(real()))
    assert not problems, "\n".join(problems)


@not_while_writing
@pytest.mark.agreement
def test_every_parameter_and_field_that_a_client_sends_is_in_a_contract() -> None:
    problems = unsent(real())
    assert not problems, "\n".join(problems)


@not_while_writing
@pytest.mark.agreement
def test_every_pact_is_written_by_its_consumer_and_verified_by_its_provider() -> None:
    problems = one_sided(real())
    assert not problems, "\n".join(problems)


@pytest.fixture
def made_up(tmp_path: Path) -> System:
    return make_up(tmp_path)


def test_of_services_whose_contracts_are_complete_nothing_is_said(made_up: System) -> None:
    declared = declared_needs(made_up)
    assert set(declared) == {
        Need(ASKS, "GET /shelves/{shelf_id}"),
        Need(ASKS, "POST /shelves/{id}/lend"),
        Need(HEARS, "events.library.book_lent.v1"),
        Need(WATCHES, "bus.library.shelf_changed"),
    }
    assert apart(declared, under_contract(made_up)) == []
    assert one_sided(made_up) == []
    assert unsent(made_up) == []


def delete_pact(kind: str) -> Callable[[System], System]:
    def delete(made: System) -> System:
        (made.pacts / f"reader-{kind}-library.json").unlink()
        return made

    return delete


def delete_client(made: System) -> System:
    return changed(made, "reader", clients=())


def delete_call(made: System) -> System:
    return changed(made, "reader", clients=(asking(SHELF),))


def forget_interaction(made: System) -> System:
    write_pact(made, ASKS, A_LOAN)
    return made


def stop_hearing(made: System) -> System:
    return changed(made, "reader", hears=())


def tell_more(made: System) -> System:
    facts = ("events.library.book_lent.v1", "events.library.book_found.v1")
    return changed(made, "library", facts=facts)


def call_more(made: System) -> System:
    return changed(made, "reader", clients=(asking(SHELF, BORROW, Use("GET", "/shelves/all", reads=NOTHING)),))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            delete_pact("asks"),
            "but there is no pact of that edge. Write services/reader/tests/contract/test_asks_library.py.",
        ),
        (delete_pact("hears"), "reader hears events.library.book_lent.v1 of library ("),
        (delete_pact("watches"), "reader watches bus.library.shelf_changed of library ("),
        (delete_client, 'reader has a contract for GET /shelves/{shelf_id} of library ("a shelf" in'),
        (delete_call, "reader has a contract for POST /shelves/{id}/lend of library"),
        (forget_interaction, "reader asks GET /shelves/{shelf_id} of library ("),
        (call_more, "but no interaction of contracts/pacts/reader-asks-library.json is about it."),
        (stop_hearing, "reader has a contract for events.library.book_lent.v1 of library"),
        (tell_more, "reader hears events.library.book_found.v1 of library ("),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_need_without_a_contract_and_a_contract_without_a_need_are_reported(
    made_up: System, break_it: Callable[[System], System], said: str
) -> None:
    broken = break_it(made_up)
    assert said in "\n".join(apart(declared_needs(broken), under_contract(broken)))


def test_an_operation_that_nobody_offers_is_reported_with_the_client_that_asks_it(made_up: System) -> None:
    broken = changed(made_up, "reader", clients=(asking(Use("GET", "/books/{book_id}", reads=NOTHING)),))
    with pytest.raises(ContractBroken, match=r"LibraryClient: reader asks library for GET /books/\{book_id\}, but"):
        declared_needs(broken)


@pytest.mark.parametrize("subject", ["events.library.book_lost.v1", "bus.library.shelves_changed.>", "events.museum.>"])
def test_a_subject_that_nobody_says_is_reported(made_up: System, subject: str) -> None:
    with pytest.raises(ContractBroken, match="but no service says that"):
        declared_needs(changed(made_up, "reader", hears=(subject,)))


def test_one_of_us_is_not_asked_as_a_stranger_is(made_up: System) -> None:
    with pytest.raises(ContractBroken, match="reader speaks to library as to a stranger"):
        declared_needs(changed(made_up, "reader", strangers=("bank", "library")))


def test_an_interaction_about_what_nobody_offers_is_reported(made_up: System) -> None:
    write_pact(made_up, ASKS, asked("a book", "GET", "/books/7"))
    with pytest.raises(ContractBroken, match='"a book" is about GET /books/7, which library does not offer'):
        under_contract(made_up)


def test_a_path_belongs_to_the_route_that_says_most_of_it(made_up: System) -> None:
    write_pact(made_up, ASKS, asked("all shelves", "GET", "/shelves/all"))
    assert Need(ASKS, "GET /shelves/all") in under_contract(made_up)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("reader/tests/contract/test_hears_library.py", "Nobody writes reader-hears-library.json any more"),
        ("library/tests/contract/test_is_asked.py", 'calls verify_messages for "library"'),
    ],
)
def test_a_pact_with_one_side_is_reported(made_up: System, path: str, said: str) -> None:
    (made_up.folder / path).unlink()
    assert said in "\n".join(one_sided(made_up))


def test_a_verification_of_another_provider_does_not_count(made_up: System) -> None:
    change(made_up.folder / "library/tests/contract/test_is_asked.py", 'facts("library"', 'facts("archive"')
    (sentence,) = one_sided(made_up)
    assert "Nobody verifies reader-hears-library.json" in sentence


def test_a_consumers_test_that_declares_another_edge_is_reported(made_up: System) -> None:
    change(made_up.folder / "reader/tests/contract/test_asks_library.py", '"library", L', '"archive", L')
    (sentence,) = one_sided(made_up)
    assert 'does not declare its edge as asks("reader", "library"...)' in sentence


class Paged(Sent):
    order: str | None = None
    after: str | None = None


class Dated(Sent):
    name: str = Field(min_length=1)
    until: str | None = None


def test_a_parameter_that_a_client_may_send_and_no_interaction_has_is_reported(made_up: System) -> None:
    broken = changed(made_up, "reader", clients=(asking(replace(SHELF, query=Paged), BORROW),))
    (sentence,) = unsent(broken)
    assert "reader asks GET /shelves/{shelf_id} of library with the query parameter after, but" in sentence
    assert "no interaction of contracts/pacts/reader-asks-library.json sends it." in sentence


def test_a_field_of_a_body_that_a_client_may_send_and_no_interaction_has_is_reported(made_up: System) -> None:
    broken = changed(made_up, "reader", clients=(asking(SHELF, replace(BORROW, sends=Dated)),))
    (sentence,) = unsent(broken)
    assert "reader asks POST /shelves/{shelf_id}/lend of library with the field until, but" in sentence


def test_a_parameter_of_another_operation_does_not_count(made_up: System) -> None:
    shelf = asked("a shelf", "GET", "/shelves/7")
    loan = asked("a loan", "POST", "/shelves/7/lend", body={"name": "Ada"}, order="title")
    write_pact(made_up, ASKS, shelf, loan)
    (sentence,) = unsent(made_up)
    assert "GET /shelves/{shelf_id} of library with the query parameter order, but" in sentence


def test_what_the_made_up_pacts_have_is_what_is_declared(made_up: System) -> None:
    write_pact(made_up, ASKS, A_SHELF, A_LOAN, *REFUSALS)
    assert apart(declared_needs(made_up), under_contract(made_up)) == []
