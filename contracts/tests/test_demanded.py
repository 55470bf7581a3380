"""What a client reads and what its contract demands are the same: each difference is reported, on either side."""

from typing import Any

import pytest

from chassis.asking import NOTHING, Read, Use
from contracts.demanded import Demanded
from contracts.pactfile import ContractBroken, Edge, Interaction

EDGE = Edge("reader", "asks", "library")


class Book(Read):
    title: str
    pages: int | None = None


class Shelf(Read):
    books: list[Book]


class Left(Read):
    shelves: int


class Anything(Read):
    books: list[dict[str, Any]]


SHELF = Use("GET", "/shelves/{shelf_id}", reads=Shelf, refusals={"shelf_unknown": None, "library_full": Left})
WHOLE = {"books": [{"title": "Emma", "pages": 474}]}
UNKNOWN = {"code": "shelf_unknown", "status": 404, "detail": "There is none."}
FULL = {"code": "library_full", "status": 409, "detail": "Come later.", "shelves": 0}


def answered(body: Any, status: int = 200) -> Interaction:
    return {"description": "a shelf", "response": {"status": status, "body": {"content": body}}}


def demanded(*interactions: Interaction, use: Use[Any] = SHELF) -> Demanded:
    found = Demanded(EDGE)
    found.uses = (use,)
    for each in interactions:
        found.add(use, each)
    return found


def test_of_a_contract_that_demands_what_is_read_nothing_is_said() -> None:
    demanded(answered(WHOLE), answered(UNKNOWN, 404), answered(FULL, 409)).refuse_undemanded()


@pytest.mark.parametrize(
    ("interactions", "said"),
    [
        (
            (answered({"books": [{"title": "Emma"}]}), answered(UNKNOWN, 404), answered(FULL, 409)),
            r"\$\.books\[\]\.pages is read, but no interaction has it",
        ),
        ((answered(WHOLE), answered(FULL, 409)), "no interaction is refused with shelf_unknown"),
        ((answered(UNKNOWN, 404), answered(FULL, 409)), "no interaction has an answer of it"),
    ],
)
def test_what_is_read_and_not_demanded_is_reported(interactions: tuple[Interaction, ...], said: str) -> None:
    with pytest.raises(ContractBroken, match=said):
        demanded(*interactions).refuse_undemanded()


def test_a_field_that_one_of_several_interactions_demands_is_demanded() -> None:
    bare = answered({"books": [{"title": "Emma"}]})
    demanded(bare, answered(WHOLE), answered(UNKNOWN, 404), answered(FULL, 409)).refuse_undemanded()


@pytest.mark.parametrize(
    ("interaction", "use", "said"),
    [
        (answered(WHOLE | {"colour": "red"}), SHELF, r"Shelf does not read \$\.colour"),
        (answered(UNKNOWN | {"near": "Hall 2"}, 404), SHELF, "nothing reads near of shelf_unknown"),
        (answered(FULL | {"near": "Hall 2"}, 409), SHELF, r"Left does not read \$\.near"),
        (answered(WHOLE), Use("GET", "/shelves", reads=NOTHING), "reads nothing of the answer"),
        (answered({"books": [{}]}), SHELF, r"Shelf does not understand .*books\.0\.title \(Field required\)"),
        (answered(WHOLE), Use("GET", "/shelves", reads=Anything), "Anything.books may be anything"),
    ],
)
def test_what_is_demanded_and_not_read_is_reported(interaction: Interaction, use: Use[Any], said: str) -> None:
    with pytest.raises(ContractBroken, match=said):
        demanded(interaction, use=use)
