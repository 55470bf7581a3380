"""Days and times as feeds write them, on the clock of the place."""

from typing import Any

import pytest

from services.catalog.domain import EventDraft, ImportRefused
from services.catalog.importers.reading import read_file
from services.catalog.tests.examples import as_file, event


def read(**changes: Any) -> EventDraft:
    found = read_file(as_file(event(**changes)))
    assert isinstance(found, list)
    return found[0]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2031-06-20T20:00:00+02:00", "2031-06-20T18:00:00+00:00"),
        ("2031-06-20T20:00+0200", "2031-06-20T18:00:00+00:00"),
        ("2031-06-20T20:00+02", "2031-06-20T18:00:00+00:00"),
        ("2031-06-20 20:00:00", "2031-06-20T18:00:00+00:00"),
        ("2031-06-20T18:00:00Z", "2031-06-20T18:00:00+00:00"),
        ("2031-06-20T18:00:00.000Z", "2031-06-20T18:00:00+00:00"),
        ("2031-06-20T18:00:00.123456789Z", "2031-06-20T18:00:00.123456+00:00"),
        ("20310620T200000", "2031-06-20T18:00:00+00:00"),
        ("2031-06-20T24:00", "2031-06-20T22:00:00+00:00"),
        ("2031-06-20T24:00:00+02:00", "2031-06-20T22:00:00+00:00"),
        ("2031-06-20T20:00+02:00[Europe/Berlin]", "2031-06-20T18:00:00+00:00"),
        ("2031-01-20T20", "2031-01-20T19:00:00+00:00"),
    ],
)
def test_a_start_is_the_instant_that_is_meant(written: str, instant: str) -> None:
    assert read(startDate=written).starts_at.isoformat() == instant


@pytest.mark.parametrize(
    "written",
    ["2031-06-20T25:00", "2031-06-20T24:30", "2031-06-20T20:60", "2031-06-20T20:00+25:00", "2031-13-01T20:00"],
)
def test_what_is_not_on_the_clock_is_refused(written: str) -> None:
    with pytest.raises(ImportRefused, match="not on the calendar or the clock") as refused:
        read(startDate=written)
    assert refused.value.path == "startDate"


@pytest.mark.parametrize(
    ("end", "instant"),
    [
        ("2031-06-21", "2031-06-21T22:00:00+00:00"),
        ("2031-06-20", "2031-06-20T22:00:00+00:00"),
        ("2031-06-20T23:00", "2031-06-20T21:00:00+00:00"),
        ("2031-06-20T24:00", "2031-06-20T22:00:00+00:00"),
        ("2031-06-20T20:00:00+02:00", None),
        ("", None),
    ],
)
def test_an_end_is_a_moment_or_the_end_of_a_day(end: str, instant: str | None) -> None:
    ends_at = read(endDate=end).ends_at
    assert (ends_at and ends_at.isoformat()) == instant


def test_a_duration_says_the_end_too() -> None:
    assert read(duration="PT2H30M").ends_at == read(endDate="2031-06-20T22:30").ends_at


@pytest.mark.parametrize(
    ("start", "doors", "instant"),
    [
        ("2031-06-20T20:00", "19:00:00", "2031-06-20T17:00:00+00:00"),
        ("2031-06-20T20:00", "19:00", "2031-06-20T17:00:00+00:00"),
        ("2031-06-20T20:00", "T19:00+02:00", "2031-06-20T17:00:00+00:00"),
        ("2031-06-20T20:00", "17:00:00Z", "2031-06-20T17:00:00+00:00"),
        ("2031-06-21T00:30", "23:00", "2031-06-20T21:00:00+00:00"),
        ("2031-06-20T20:00", "2031-06-20T19:00", "2031-06-20T17:00:00+00:00"),
        ("2031-06-20T20:00", "2031-06-20", None),
    ],
)
def test_doors_open_at_a_time_of_that_evening(start: str, doors: str, instant: str | None) -> None:
    doors_at = read(startDate=start, doorTime=doors).doors_at
    assert (doors_at and doors_at.isoformat()) == instant


@pytest.mark.parametrize("doors", ["21:00", "2031-06-20T20:30"])
def test_doors_that_would_open_after_the_start_are_refused(doors: str) -> None:
    with pytest.raises(ImportRefused, match="after the start") as refused:
        read(doorTime=doors)
    assert refused.value.path == "doorTime"
