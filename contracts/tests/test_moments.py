"""Moments that are given relative to now are compared with the clock, wherever they stand; their form is left to Pact."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from chassis.testing import Harness
from contracts import matchers, moments
from contracts.consumer import Answer, Ask, Asking, Book, a_state
from contracts.mutation.generated import recording
from contracts.pactfile import ContractBroken
from contracts.provider import verify_answers
from contracts.tests.library import A_SHELF, EDGE, SHELF, Library, Reader

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
A_LOAN = f"/shelves/{SHELF}"


def part(**rules: Any) -> dict[str, Any]:
    """A part of a pact whose paths must be so many seconds from now."""
    pattern = matchers.TIMESTAMP_PATTERN.removeprefix("^")
    marked = {path: {"matchers": [{"regex": f"^{moments.mark(seconds)}{pattern}"}]} for path, seconds in rules.items()}
    return {"matchingRules": {"body": marked}}


def unlike(rules: dict[str, int], document: Any) -> list[str]:
    return moments.unlike(part(**rules), json.dumps(document).encode(), NOW)


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [
        (0, "2026-11-29T20:00:00Z"),
        (600, "2026-11-29T20:10:00.25Z"),
        (-3600, "2026-11-29T19:00:00Z"),
        (600, "2026-11-29T20:15:00Z"),
        (600, "2026-11-29T20:05:00Z"),
    ],
    ids=["now", "later", "before", "as late as may be", "as early as may be"],
)
def test_a_moment_that_is_as_far_from_now_as_wanted_passes(seconds: int, sent: str) -> None:
    assert unlike({"$.at": seconds}, {"at": sent}) == []


@pytest.mark.parametrize(
    "sent",
    ["2026-11-29T22:10:00Z", "2026-11-29T20:15:01Z", "2026-11-29T20:00:00Z", "2026-11-29T19:50:00Z"],
    ids=["another zone", "too late", "now", "the other direction"],
)
def test_a_moment_that_is_not_is_reported_with_what_was_wanted(sent: str) -> None:
    (said,) = unlike({"$.at": 600}, {"at": sent})
    assert said == f"$.at: Expected '{sent}' to be +600 s from now, which is 2026-11-29T20:10:00Z"


def test_moments_are_found_in_each_item_in_one_item_and_in_the_data_of_a_fact() -> None:
    right, wrong = "2026-11-29T20:00:00Z", "2026-11-29T18:00:00Z"
    document = {"data": {"lines": [{"at": right}, {"at": wrong}]}}
    assert len(unlike({"$.data.lines[*].at": 0}, document)) == 1
    assert unlike({"$.data.lines[0].at": 0}, document) == []
    assert len(unlike({"$.data.lines[1].at": 0}, document)) == 1
    assert unlike({"$.data.lines[2].at": 0, "$.data.none.at": 0}, document) == []


@pytest.mark.parametrize("sent", [None, 1796155200, "tomorrow", "2026-11-29T20:00:00", {"at": "now"}])
def test_what_is_no_moment_is_left_to_pact(sent: Any) -> None:
    assert unlike({"$.at": 600}, {"at": sent}) == []


def test_what_asks_for_no_moment_is_not_looked_at() -> None:
    plain = {"matchingRules": {"body": {"$.at": {"matchers": [{"regex": matchers.TIMESTAMP_PATTERN}]}}}}
    assert moments.unlike(plain, b'{"at": "1999-01-01T00:00:00Z"}', NOW) == []
    assert moments.unlike({}, b"no JSON at all", NOW) == []


def test_an_interaction_says_whether_it_has_moments_and_its_pattern_can_be_read_without() -> None:
    assert moments.asks_for_moments({"response": part(**{"$.at": -90})})
    assert not moments.asks_for_moments({"response": {"body": {"content": {"at": "2026-11-29T20:00:00Z"}}}})
    assert moments.unmarked(f"^{moments.mark(-90)}abc$") == "^abc$"


@pytest.mark.parametrize(("late", "holds"), [(timedelta(), True), (timedelta(hours=2), False)], ids=["UTC", "local"])
async def test_a_providers_answers_are_compared_with_the_clock(
    harness: Harness, tmp_path: Path, late: timedelta, holds: bool
) -> None:
    book = Book(EDGE)
    answer = Answer(200, {"checked_at": matchers.from_now(600)})
    state = a_state(A_SHELF, shelf_id=SHELF)
    async with Asking(book, Reader).expects("a loan", state, Ask("GET", A_LOAN), answer) as client:
        await client.shelf(SHELF)
    book.close(complete=True, write=True, pacts=tmp_path)

    def checked(_answer: dict[str, Any]) -> JSONResponse:
        at = datetime.now(UTC) + timedelta(seconds=600) + late
        return JSONResponse({"checked_at": at.isoformat().replace("+00:00", "Z")})

    library = Library(checked)
    app = recording.Recorder(library.app)
    states = {A_SHELF: library.a_shelf_with_a_book}
    async with harness.serving(app) as url:
        recording.serve(url, app)
        if holds:
            assert await verify_answers("library", url, callers=["reader"], states=states, pacts=tmp_path) == 1
            return
        with pytest.raises(ContractBroken, match=r'in "a loan":\s+\$\.checked_at: Expected .* to be \+600 s from now'):
            await verify_answers("library", url, callers=["reader"], states=states, pacts=tmp_path)
