"""The test cards and the sentences about a card that cannot be used."""

from datetime import date
from pathlib import Path

import pytest

from simulators.bank.cards import TEST_CARDS, Behaviour, CardDetails, check, check_expiry, check_number, passes_luhn

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
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "12 to 19 digits"),  # digits, but not the ones on a card
    ],
)
def test_a_number_that_cannot_be_used_is_explained(number: str, sentence: str) -> None:
    assert sentence in (check_number(number) or "")


def test_a_card_is_good_to_the_end_of_its_month() -> None:
    assert check_expiry("11/26", TODAY) is None
    assert "has expired" in (check_expiry("10/26", TODAY) or "")


@pytest.mark.parametrize(
    ("expiry", "sentence"),
    [("", "like 09/31"), ("13/30", "from 01 to 12"), ("12/2030", "like 09/31"), ("12/60", "too far away")],
)
def test_an_expiry_date_that_cannot_be_used_is_explained(expiry: str, sentence: str) -> None:
    assert sentence in (check_expiry(expiry, TODAY) or "")


def test_each_bad_field_gets_its_own_sentence() -> None:
    assert set(check(CardDetails("1", "x", "12"), TODAY)) == {"number", "expiry", "cvc"}
    assert check(CardDetails("4242424242424242", "1/30", "123"), TODAY) == {}
