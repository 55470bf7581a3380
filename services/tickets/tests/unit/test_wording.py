"""Money and times as people read them."""

from datetime import UTC, datetime

from services.tickets.wording import clock, country_code_of, day, grouped, local_time, money


def test_money_has_the_digits_of_its_currency() -> None:
    assert money(4250, "EUR") == "€42.50"
    assert money(5, "EUR") == "€0.05"
    assert money(4250, "JPY") == "¥4,250"
    assert money(4250, "KWD") == "KWD\u00a04.250"
    assert money(0, "EUR") == "Free"


def test_money_is_written_in_the_way_of_the_holders_language() -> None:
    assert money(123450, "EUR", "de") == "1.234,50\u00a0€"
    assert money(123450, "CHF", "de_CH") == "CHF\u00a01'234.50"
    assert money(0, "EUR", "de") == "Free"


def test_a_moment_is_written_by_the_clock_of_the_place() -> None:
    summer = local_time(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "Europe/Berlin")
    assert (day(summer), clock(summer)) == ("Thursday 2 July 2026", "00:30 CEST")


def test_an_unknown_zone_is_written_in_utc() -> None:
    for zone in ("Mars/Olympus", "", "../etc/passwd"):
        assert clock(local_time(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), zone)) == "22:30 UTC"


def test_groups_add_spaces_only() -> None:
    assert grouped("ABCDEFGHIJKL") == "ABCDE FGHIJ KL"


def test_a_country_is_known_by_its_code_and_by_its_name() -> None:
    countries = ("JP", "jp", "Japan", "hong kong sar china", "Nowhere", "", None)
    assert [country_code_of(country) for country in countries] == ["JP", "JP", "JP", "HK", None, None, None]
