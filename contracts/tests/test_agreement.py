"""What a consumer declares fits what its provider declares: bounds, callers, keys, and what may be repeated."""

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from chassis.asking import Sent
from contracts.completeness.agreement import disagreements
from contracts.completeness.services import System, real
from contracts.tests.made_up import (
    BORROW,
    GET_ALL,
    GET_SHELF,
    LEND,
    SHELF,
    asking,
    change,
    changed,
    make_up,
    write,
)


@pytest.mark.agreement
def test_consumers_and_providers_agree_on_what_may_be_asked() -> None:
    problems = disagreements(real())
    assert not problems, "\n".join(problems)


@pytest.fixture
def made_up(tmp_path: Path) -> System:
    return make_up(tmp_path)


def test_of_declarations_that_fit_nothing_is_said(made_up: System) -> None:
    assert disagreements(made_up) == []


class AnyName(Sent):
    name: str


class LongName(Sent):
    name: str = Field(min_length=1, max_length=101)


class EmptyName(Sent):
    name: str = Field(max_length=100)


class LongOrder(Sent):
    order: str | None = Field(default=None, max_length=21)


class OtherOrder(Sent):
    sorted_by: str | None = None


@pytest.mark.parametrize(
    ("sends", "said"),
    [
        (AnyName, "name may have any number (maxLength, letters), and library takes 100."),
        (LongName, "name may have 101 (maxLength, letters), and library takes 100."),
        (EmptyName, "name may have any number (minLength, letters), and library takes 1."),
    ],
)
def test_a_body_with_more_than_is_taken_is_reported(made_up: System, sends: type[Sent], said: str) -> None:
    broken = changed(made_up, "reader", clients=(asking(SHELF, replace(BORROW, sends=sends)),))
    assert said in "\n".join(disagreements(broken))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (LongOrder, "order may have 21 (maxLength, letters), and library takes 20."),
        (OtherOrder, "library does not look at the query parameter sorted_by."),
    ],
)
def test_a_query_with_more_than_is_taken_is_reported(made_up: System, query: type[Sent], said: str) -> None:
    broken = changed(made_up, "reader", clients=(asking(replace(SHELF, query=query), BORROW),))
    assert said in "\n".join(disagreements(broken))


class Language(StrEnum):
    GERMAN = "de"
    FRENCH = "fr"


class Wish(Sent):
    languages: list[Language] = Field(max_length=5)
    pages: Annotated[int, Field(ge=1, le=10)]


def test_lists_numbers_and_values_are_compared_too(made_up: System) -> None:
    path = made_up.documents / "openapi/library.json"
    document = json.loads(path.read_text())
    document["components"]["schemas"]["Loan"]["properties"] = {
        "languages": {"type": "array", "maxItems": 3, "items": {"type": "string", "enum": ["de"]}},
        "pages": {"type": "integer", "minimum": 2, "maximum": 9},
    }
    write(path, json.dumps(document))
    found = "\n".join(disagreements(changed(made_up, "reader", clients=(asking(SHELF, replace(BORROW, sends=Wish)),))))
    for sentence in (
        "languages may have 5 (maxItems, items), and library takes 3.",
        "languages[] may be fr, and library takes de.",
        "pages may have 10 (maximum, at most), and library takes 9.",
        "pages may have 1 (minimum, at least), and library takes 2.",
    ):
        assert sentence in found


def test_a_caller_that_is_not_let_in_is_reported(made_up: System) -> None:
    operations = (replace(GET_SHELF, callers=("archive",)), LEND, GET_ALL)
    found = disagreements(changed(made_up, "library", operations=operations))
    assert any("library lets in archive, but not reader." in sentence for sentence in found)


def test_a_caller_that_is_let_in_and_never_asks_is_reported(made_up: System) -> None:
    operations = (replace(GET_SHELF, callers=("reader", "archive")), LEND)
    (sentence,) = disagreements(changed(made_up, "library", operations=operations))
    assert sentence == (
        "library lets archive in to GET /shelves/{shelf_id}, but archive never asks that. Take it out of `callers`."
    )


def test_what_is_tried_again_may_be_repeated(made_up: System) -> None:
    broken = changed(made_up, "reader", clients=(asking(SHELF, replace(BORROW, repeatable=True)),))
    (sentence,) = disagreements(broken)
    assert "library does not declare that it may be repeated" in sentence
    assert disagreements(changed(broken, "library", operations=(GET_SHELF, replace(LEND, repeatable=True)))) == []


def test_a_key_is_sent_where_it_is_needed_and_nowhere_else(made_up: System) -> None:
    needed = changed(made_up, "library", operations=(GET_SHELF, replace(LEND, keyed=True)))
    assert "library needs an Idempotency-Key" in "\n".join(disagreements(needed))
    sent = changed(made_up, "reader", clients=(asking(SHELF, replace(BORROW, keyed=True)),))
    assert "library does not look at an Idempotency-Key" in "\n".join(disagreements(sent))


def test_a_bound_that_the_provider_tightens_is_reported(made_up: System) -> None:
    change(made_up.documents / "openapi/library.json", '"maxLength": 100', '"maxLength": 49')
    (sentence,) = disagreements(made_up)
    assert "name may have 50 (maxLength, letters), and library takes 49." in sentence
