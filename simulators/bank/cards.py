"""The test cards: what each number makes the bank do. Pure; published on the payment page and in README.md."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Behaviour(StrEnum):
    """What a card makes the bank do."""

    APPROVED = "approved"
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    CONFIRM = "confirm"
    SLOW = "slow"
    CAPTURE_500 = "capture_500"
    CAPTURE_DROPPED = "capture_dropped"
    CAPTURE_REFUSED = "capture_refused"
    WEBHOOK_TWICE = "webhook_twice"
    WEBHOOK_LATE = "webhook_late"
    WEBHOOK_NEVER = "webhook_never"


@dataclass(frozen=True)
class TestCard:
    """A card number and the sentence that says what it does."""

    __test__ = False  # pytest: not a test class

    number: str
    behaviour: Behaviour
    title: str
    effect: str

    @property
    def grouped(self) -> str:
        """The number in groups of four, as it stands on a card."""
        return " ".join(self.number[i : i + 4] for i in range(0, len(self.number), 4))


TEST_CARDS = (
    TestCard("4242424242424242", Behaviour.APPROVED, "Approved", "The payment goes through."),
    TestCard("4000000000000002", Behaviour.DECLINED, "Declined", "The bank says no."),
    TestCard("4000000000009995", Behaviour.INSUFFICIENT_FUNDS, "Insufficient funds", "There is not enough money."),
    TestCard("4000000000003220", Behaviour.CONFIRM, "Needs confirmation", "A second page asks to confirm or refuse."),
    TestCard("4000000000001018", Behaviour.SLOW, "Slow", "Approval and capture each take some seconds."),
    TestCard(
        "4000000000001026", Behaviour.CAPTURE_500, "Broken for a while", "Capture answers 500 at first, then works."
    ),
    TestCard(
        "4000000000001034",
        Behaviour.CAPTURE_DROPPED,
        "Charges, then silence",
        "Capture is booked, then the connection is closed without an answer.",
    ),
    TestCard(
        "4000000000001042", Behaviour.CAPTURE_REFUSED, "Capture refused", "Approved, but the money is refused later."
    ),
    TestCard("4000000000001059", Behaviour.WEBHOOK_TWICE, "Tells twice", "Every webhook is sent twice."),
    TestCard("4000000000001067", Behaviour.WEBHOOK_LATE, "Tells late", "Webhooks come after the payer is back."),
    TestCard("4000000000001075", Behaviour.WEBHOOK_NEVER, "Never tells", "No webhook is sent at all."),
)

_BY_NUMBER = {card.number: card for card in TEST_CARDS}
_BY_BEHAVIOUR = {card.behaviour.value: card for card in TEST_CARDS}


@dataclass(frozen=True)
class CardDetails:
    """What a payer typed into the form, unchecked."""

    number: str
    expiry: str
    cvc: str


def card_for(behaviour: str) -> TestCard | None:
    """The test card with that behaviour, to fill the form in."""
    return _BY_BEHAVIOUR.get(behaviour)


def passes_luhn(digits: str) -> bool:
    """Whether the last digit of a card number is the right check digit."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def in_ascii(typed: str) -> str:
    """Digits of every script as 0 to 9, and signs of another width as the usual ones."""
    return "".join(
        str(digit) if (digit := unicodedata.decimal(character, None)) is not None else character
        for character in unicodedata.normalize("NFKC", typed)
    )


def _digits_of(number: str) -> str:
    """A card number without the blanks and dashes that people put between its digits."""
    return re.sub(r"[\s\u2010-\u2015-]", "", in_ascii(number))


def check_number(number: str) -> str | None:
    """The sentence for the payer if the number cannot be used, else None."""
    digits = _digits_of(number)
    if not digits:
        return "Enter the card number."
    if not re.fullmatch(r"[0-9]{12,19}", digits):
        return "A card number has 12 to 19 digits. Check the number."
    if not passes_luhn(digits):
        return "This is not a card number: its last digit does not fit. Check for a typing mistake."
    if digits not in _BY_NUMBER:
        return "This bank is a simulator and knows only its test cards. Choose one from the list."
    return None


def check_expiry(expiry: str, today: date) -> str | None:
    """The sentence for the payer if the expiry date (MM/YY) cannot be used, else None. A card is good to the end of its month."""
    # Browsers and password managers fill in two digits of the year, or four.
    match = re.fullmatch(r"\s*([0-9]{1,2})\s*[/.\- ]?\s*(?:20)?([0-9]{2})\s*", in_ascii(expiry))
    if match is None:
        return "Enter the expiry date as month and year, like 09/31."
    month, year = int(match[1]), 2000 + int(match[2])
    if not 1 <= month <= 12:
        return "The month of the expiry date is a number from 01 to 12."
    if (year, month) < (today.year, today.month):
        return "This card has expired. Use a later expiry date."
    if year > today.year + 20:
        return "The expiry date is too far away. Check the year."
    return None


def check_cvc(cvc: str) -> str | None:
    """The sentence for the payer if the security code cannot be used, else None."""
    if not re.fullmatch(r"[0-9]{3,4}", in_ascii(cvc).strip()):
        return "Enter the security code: 3 or 4 digits. Any will do here."
    return None


def check(details: CardDetails, today: date) -> dict[str, str]:
    """Sentences by form field (`number`, `expiry`, `cvc`); empty when the card can be used."""
    found = {
        "number": check_number(details.number),
        "expiry": check_expiry(details.expiry, today),
        "cvc": check_cvc(details.cvc),
    }
    return {field: sentence for field, sentence in found.items() if sentence is not None}


def behaviour_of(details: CardDetails) -> Behaviour:
    """The behaviour of a checked card."""
    return _BY_NUMBER[_digits_of(details.number)].behaviour
