"""The clock of a place is found by its name; a name that is none costs nobody a page, a ticket or a mail."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.clock import zone_of


def test_a_place_has_its_own_clock() -> None:
    assert datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(zone_of("Europe/Berlin")).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "America", "x" * 300])
def test_a_name_that_is_none_is_utc(name: str) -> None:
    assert zone_of(name) is UTC
