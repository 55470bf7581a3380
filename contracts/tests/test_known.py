"""What a provider's test knows of a fact is compared with it, by the fields' names, wherever they stand."""

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

from contracts.known import unlike_known

BOOK, SHELF = UUID("0191f5a0-0000-7000-8000-000000000001"), UUID("0191f5a0-0000-7000-8000-000000000002")


class Cover(Enum):
    """How a book is bound."""

    CLOTH = "cloth"


def of_fact(known: dict[str, Any], data: dict[str, Any], subject: Any = BOOK) -> list[str]:
    body = {"subject": str(subject), "data": {"book_id": str(BOOK), **data}}
    return unlike_known(json.dumps(body).encode(), known, "book_id")


@pytest.mark.parametrize(
    ("known", "published"),
    [
        (SHELF, str(SHELF)),
        (4250, 4250),
        ("Emma", "Emma"),
        (None, None),
        (Cover.CLOTH, "cloth"),
        (datetime(2031, 6, 21, 20, tzinfo=timezone(timedelta(hours=2))), "2031-06-21T18:00:00.000Z"),
        ("2031-06-21T18:00:00Z", "2031-06-21T18:00:00.000000Z"),
        (("a", SHELF), ["a", str(SHELF)]),
        (
            [{"id": SHELF, "at": datetime(2031, 6, 21, 18, tzinfo=UTC)}],
            [{"id": str(SHELF), "at": "2031-06-21T18:00:00Z"}],
        ),
        ("1984Z", "1984Z"),
    ],
    ids=[
        "an id",
        "an amount",
        "text",
        "null",
        "a word",
        "a moment",
        "written otherwise",
        "a list",
        "objects",
        "no moment",
    ],
)
def test_a_value_that_is_as_known_passes(known: Any, published: Any) -> None:
    assert of_fact({"what": known}, {"what": published}) == []


@pytest.mark.parametrize(
    ("known", "published"),
    [
        (SHELF, str(BOOK)),
        (4250, 42),
        ("Emma", None),
        (None, "Emma"),
        ("2031-06-21T18:00:00Z", "2031-06-21T20:00:00Z"),
        ("2031-06-21T18:00:00Z", "2031-06-21T18:00:00+00:00"),
        ("2031-06-21T18:00:00Z", 1939831200),
        (["a", "b"], ["b", "a"]),
        (["a", "b"], ["a"]),
        ([{"id": 1, "name": "Stalls"}], [{"id": 1, "name": "Circle"}]),
    ],
    ids=["an id", "a unit", "null", "a value", "a zone", "a form", "seconds", "an order", "too few", "in an object"],
)
def test_a_value_that_is_not_is_reported_by_its_path(known: Any, published: Any) -> None:
    (said,) = of_fact({"what": known}, {"what": published})
    assert said.startswith("$.data.what: Expected ")
    assert said.endswith("with which it was made")


def test_a_name_is_found_wherever_it_stands() -> None:
    lines = [{"pages": 474}, {"pages": 475}]
    assert of_fact({"pages": 474}, {"of": {"pages": 474}, "lines": lines}) == [
        "$.data.lines[1].pages: Expected 475 to be 474, with which it was made"
    ]


def test_what_is_known_as_a_whole_is_not_looked_into_again() -> None:
    """A name may stand at two places with two values: the list under its own name says what is in it."""
    known = {"name": "Emma", "classes": [{"name": "Stalls"}, {"name": "Circle"}]}
    published = {"name": "Emma", "classes": [{"name": "Stalls"}, {"name": "Circle"}]}
    assert of_fact(known, published) == []
    assert len(of_fact(known, published | {"classes": published["classes"][::-1]})) == 1


def test_what_nobody_knows_is_not_compared() -> None:
    assert of_fact({}, {"pages": 1}) == []


def test_the_subject_of_a_fact_is_what_it_is_about() -> None:
    (said,) = of_fact({}, {}, subject=SHELF)
    assert said == f"$.subject: Expected '{SHELF}' to be its book_id, '{BOOK}'"


def test_a_message_has_no_envelope() -> None:
    body = json.dumps({"book_id": str(BOOK), "subject": "anything"}).encode()
    assert unlike_known(body, {"book_id": BOOK}, None) == []
    assert unlike_known(body, {"book_id": SHELF}, None) == [
        f"$.book_id: Expected '{BOOK}' to be '{SHELF}', with which it was made"
    ]
