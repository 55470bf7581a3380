"""The test cards and the sentences about a card that cannot be used."""

from datetime import date
from pathlib import Path

import pytest

from simulators.bank.cards import (
    TEST_CARDS,
    Behaviour,
    CardDetails,
    behaviour_of,
    check,
    check_expiry,
    check_number,
    passes_luhn,
)

TODAY = date(2026, 11, 22)


def test_every_behaviour_has_one_card_and_every_card_is_a_valid_number() -> None:
    assert sorted(card.behaviour for card in TEST_CARDS) == sorted(Behaviour)
    assert all(passes_luhn(card.number) and len(card.number) == 16 for card in TEST_CARDS)


def test_the_readme_lists_every_card_with_what_it_does() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for card in TEST_CARDS:
        assert f"| {card.grouped} | {card.title} | {card.effect} |" in readme


def test_a_card_number_may_be_typed_with_spaces_or_dashes() -> None:
    assert check_number("4242 4242 4242 4242") is None
    assert check_number("4242-4242-4242-4242") is None


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("", "Enter the card number."),
        ("4242", "12 to 19 digits"),
        ("4242 4242 4242 424x", "12 to 19 digits"),
        ("4242 4242 4242 4241", "last digit does not fit"),
        ("5555 5555 5555 4444", "knows only its test cards"),
    ],
)
def test_a_number_that_cannot_be_used_is_explained(number: str, sentence: str) -> None:
    assert sentence in (check_number(number) or "")


def test_a_card_is_good_to_the_end_of_its_month() -> None:
    assert check_expiry("11/26", TODAY) is None
    assert "has expired" in (check_expiry("10/26", TODAY) or "")


@pytest.mark.parametrize(
    ("expiry", "sentence"),
    [("", "like 09/31"), ("13/30", "from 01 to 12"), ("12/20300", "like 09/31"), ("12/60", "too far away")],
)
def test_an_expiry_date_that_cannot_be_used_is_explained(expiry: str, sentence: str) -> None:
    assert sentence in (check_expiry(expiry, TODAY) or "")


def test_each_bad_field_gets_its_own_sentence() -> None:
    assert set(check(CardDetails("1", "x", "12"), TODAY)) == {"number", "expiry", "cvc"}
    assert check(CardDetails("4242424242424242", "1/30", "123"), TODAY) == {}


@pytest.mark.parametrize(
    "expiry", ["12/2039", "12 / 2039", "\uff11\uff12\uff0f\uff13\uff19", "12-39", "1239", "122039"]
)
def test_an_expiry_date_may_have_four_digits_of_the_year_and_digits_of_any_script(expiry: str) -> None:
    assert check_expiry(expiry, TODAY) is None


@pytest.mark.parametrize(
    "number",
    [
        "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢",
        "\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12",
        "4242\u20134242\u20134242\u20134242",
    ],
)
def test_a_card_number_may_have_digits_of_any_script_and_any_dash(number: str) -> None:
    assert check_number(number) is None
    assert behaviour_of(CardDetails(number, "12/39", "123")) is Behaviour.APPROVED
