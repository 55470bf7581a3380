"""Amounts of every currency: how many digits they have, how they are written, and that nothing of them is lost on the way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.languages import known, language_of
from chassis.money import MINOR_DIGITS, MOST_MINOR, Money, NotACurrency, Style, minor_digits, style_of

LANGUAGES = ("en", "de", "de_CH", "fr", "ar", "fa", "hi", "ja", "pt_PT", "sv")


@pytest.mark.parametrize(
    ("minor", "currency", "language", "text"),
    [
        (123450, "EUR", "en", "€1,234.50"),
        (123450, "EUR", "de", "1.234,50\u00a0€"),
        (2000, "CHF", "en", "CHF\u00a020.00"),
        (15000, "XOF", "en", "F\u202fCFA\u00a015,000"),
        (12500, "JOD", "en", "JOD\u00a012.500"),
        # CLDR writes no decimals of these; ISO 4217 counts them, and so they are money.
        (12500, "IQD", "en", "IQD\u00a012.500"),
        (150, "LBP", "en", "LBP\u00a01.50"),
        (12345, "CLF", "en", "CLF\u00a01.2345"),
        (123456789, "CHF", "de_CH", "CHF\u00a01'234'567.89"),
        (123456789, "INR", "hi", "₹12,34,567.89"),
        (-250, "GBP", "en", "-£2.50"),
    ],
)
def test_an_amount_is_written_with_all_its_digits_in_the_readers_way(
    minor: int, currency: str, language: str, text: str
) -> None:
    assert Money(minor, currency).written(language) == text


def test_the_table_of_minor_units_is_that_of_iso_4217() -> None:
    assert len(MINOR_DIGITS) > 160
    assert {code for code, digits in MINOR_DIGITS.items() if digits == 3} == {
        "BHD",
        "IQD",
        "JOD",
        "KWD",
        "LYD",
        "OMR",
        "TND",
    }
    assert [MINOR_DIGITS[code] for code in ("EUR", "JPY", "XOF", "CLF", "ISK")] == [2, 0, 0, 4, 0]
    assert not {"XAU", "XXX", "XTS"} & MINOR_DIGITS.keys()


def test_a_currency_that_was_retired_is_still_written_as_before() -> None:
    assert "BGN" not in MINOR_DIGITS, "choose another currency of the past for this test"
    assert minor_digits("BGN") == 2
    assert Money(1250, "BGN").written() == "BGN\u00a012.50"


def test_an_amount_that_turns_the_direction_of_a_line_keeps_to_itself() -> None:
    text = Money(123450, "EUR").written("ar")
    assert (text[0], text[-1]) == ("\u2068", "\u2069")


@given(
    minor=st.integers(min_value=-MOST_MINOR, max_value=MOST_MINOR),
    currency=st.sampled_from(sorted(MINOR_DIGITS)),
    language=st.sampled_from(LANGUAGES),
)
def test_what_is_written_can_be_read_back_to_the_last_minor_unit(minor: int, currency: str, language: str) -> None:
    money = Money(minor, currency)
    style = style_of(currency, language)
    assert Money.of(money.amount, currency) == money
    assert _read(money.written(language), style) == abs(money.amount)


def _read(text: str, style: Style) -> Decimal:
    """The number in a written amount, as a person of that language reads it."""
    inner = text.strip("\u2068\u2069").removeprefix(style.minus).removeprefix(style.before).removesuffix(style.after)
    whole, _, fraction = inner.partition(style.decimal) if style.digits else (inner, "", "")
    groups = whole.split(style.group)
    assert all(len(each) == style.primary for each in groups[-1:] if len(groups) > 1)
    assert all(len(each) == style.secondary for each in groups[1:-1])
    return Decimal(f"{''.join(groups)}.{fraction or 0}")


def test_too_many_decimals_and_unknown_currencies_are_refused() -> None:
    with pytest.raises(ValueError, match="more decimals than JPY"):
        Money.of(Decimal("12.5"), "JPY")
    with pytest.raises(NotACurrency, match="ISO 4217"):
        Money.of(Decimal(1), "XAU")
    assert Money.of(Decimal("12.50000"), "EUR") == Money(1250, "EUR")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de_AT"),
        ("en;q=0.4, fr;q=0.8", "fr"),
        ("xx, tlh;q=0.9, ja;q=0.1", "ja"),
        ("zh-TW", "zh_Hant"),
        ("pt-BR", "pt"),
        ("no", "nb"),
        ("sr-Latn-RS", "sr_Latn"),
        ("*", "en"),
        ("", "en"),
        ("de;q=0", "en"),
        ("de;q=much, fr", "fr"),
        ("\x00\xff, " + "a-" * 400, "en"),
    ],
)
def test_a_reader_gets_the_best_of_our_languages(header: str, language: str) -> None:
    assert language_of(header) == language


def test_a_language_that_this_version_does_not_write_is_written_as_english() -> None:
    assert [known(each) for each in ("de_CH", "zh_Hant_HK", "en", "xx", "de-CH", "")] == [
        "de_CH",
        "zh_Hant_HK",
        "en",
        "en",
        "en",
        "en",
    ]
