"""Each amount that a consumer reads is said to the letter once, so that another unit would be seen across versions."""

from typing import Any

import pytest

from contracts.pactfile import PACTS, Edge, edges, read
from contracts.promises.amounts import of_any_unit
from contracts.promises.declared import Declared

HEARS = Edge("reader", "hears", "library")


def a_fact(price: int, **rules: Any) -> dict[str, Any]:
    content = {"type": "events.library.book_priced.v1", "data": {"lines": [{"price_minor": price}]}}
    return {
        "description": "events.library.book_priced.v1",
        "contents": {"content": content, "contentType": "application/json"},
        "matchingRules": {"body": {path: {"matchers": [{"match": rule}]} for path, rule in rules.items()}},
    }


BY_TYPE = {"$.data.lines[*].price_minor": "integer"}


@pytest.mark.agreement
@pytest.mark.parametrize("edge", edges(), ids=str)
def test_every_amount_that_is_read_is_said_to_the_letter_once(edge: Edge) -> None:
    assert of_any_unit(edge, read(edge), Declared.read(PACTS.parent)) == []


def test_an_amount_that_is_read_by_its_type_alone_is_reported() -> None:
    (sentence,) = of_any_unit(HEARS, [a_fact(4250, **BY_TYPE)], Declared({}, {}))
    assert sentence.startswith(
        "reader hears library, events.library.book_priced.v1: price_minor would be read in another"
    )


@pytest.mark.parametrize(
    "facts",
    [[a_fact(4250)], [a_fact(4250, **BY_TYPE), a_fact(1725)], [a_fact(0, **BY_TYPE)]],
    ids=["to the letter", "to the letter once", "nothing in any unit"],
)
def test_an_amount_that_is_said_to_the_letter_once_is_enough(facts: list[dict[str, Any]]) -> None:
    assert of_any_unit(HEARS, facts, Declared({}, {})) == []
