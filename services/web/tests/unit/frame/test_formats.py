"""How money and moments read."""

from datetime import UTC, datetime

import pytest

from services.web.frame.formats import Moment, count, enumerate_names, money, price


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123450, "EUR", "€1,234.50"),
        (5, "EUR", "€0.05"),
        (2000, "CHF", "CHF\u00a020.00"),
        (900, "JPY", "¥900"),
        (1234, "KWD", "KWD\u00a01.234"),
        (-250, "GBP", "-£2.50"),
    ],
)
def test_money_has_the_digits_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert money(minor, currency) == text


def test_nothing_to_pay_is_free() -> None:
    assert price(0, "EUR") == "Free"
    assert price(1, "EUR") == "€0.01"


def test_a_moment_is_written_on_the_clock_of_its_place() -> None:
    moment = Moment(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "Europe/Berlin")

    assert moment.full == "Fri 1 Jan 2027, 00:30"
    assert moment.long_date == "Friday 1 January 2027"
    assert moment.zone_name == "CET"
    assert moment.iso == "2026-12-31T23:30:00Z"


def test_a_moment_of_an_unknown_zone_is_written_in_utc() -> None:
    moment = Moment(datetime(2026, 7, 1, 12, 0, tzinfo=UTC), "Middle/Earth")

    assert (moment.time, moment.zone_name) == ("12:00", "UTC")


def test_counts_and_names_read_like_sentences() -> None:
    assert [count(1, "place", "places"), count(2000, "place", "places")] == ["1 place", "2,000 places"]
    assert enumerate_names(["A"]) == "A"
    assert enumerate_names(["A", "B", "C"]) == "A, B and C"
    assert enumerate_names(list("ABCDEFGH")) == "A, B, C, D, E, F and 2 more"
