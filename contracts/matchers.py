"""What a consumer may say about a value in a contract. Each one checks the type as well as the pattern.

Pact's own matchers let pass what breaks a consumer: a regular expression accepts the number 42, `bool` accepts "true",
`like(1)` accepts 1.5, a list of examples accepts the empty list, and within one any text for a plain text. A plain value in a
contract means: exactly this, everywhere. Regular expressions are Oniguruma's (no inline options).
"""

import re
from typing import Any
from uuid import UUID

from pact import match
from pact.match.matcher import AbstractMatcher

from contracts.moments import mark

NOT_BLANK_PATTERN = r"^[\s\S]*\S[\s\S]*$"
UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
TIMESTAMP_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$"

Matcher = AbstractMatcher[Any]


class _Both(AbstractMatcher[Any]):
    """Several rules at once. Pact's own combination loses the example, so that a type is compared with null."""

    def __init__(self, example: Any, *rules: AbstractMatcher[Any]) -> None:
        self.value = example
        self._rules = rules

    def to_integration_json(self) -> dict[str, Any]:
        return {"value": self.value, "pact:matcher:type": [rule.to_integration_json() for rule in self._rules]}

    def to_matching_rule(self) -> dict[str, Any]:
        return {"combine": "AND", "matchers": [rule.to_matching_rule() for rule in self._rules]}


class _Exactly(AbstractMatcher[Any]):
    """This value, below a list of examples: there Pact compares what has no rule of its own by its type alone."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def to_integration_json(self) -> dict[str, Any]:
        return {"value": self.value, "pact:matcher:type": "equality"}

    def to_matching_rule(self) -> dict[str, Any]:
        return {"match": "equality"}


def text(example: str, pattern: str = NOT_BLANK_PATTERN) -> Matcher:
    """A string that is not blank, or that fits a pattern as a whole. Raises ValueError if the example does not fit itself."""
    if not re.fullmatch(pattern, example):
        raise ValueError(f"The example {example!r} does not fit its own pattern {pattern}.")
    return _Both(example, match.str(example), match.regex(example, regex=pattern))


def identifier(example: UUID | str) -> Matcher:
    """A UUID as a string, in lower case with hyphens."""
    return text(str(example), UUID_PATTERN)


def timestamp(example: str = "2031-06-21T18:00:00Z") -> Matcher:
    """A moment in UTC that ends in Z."""
    return text(example, TIMESTAMP_PATTERN)


def from_now(seconds: int, example: str = "2031-06-21T18:00:00Z") -> Matcher:
    """A moment in UTC that is so far from when it is sent (before it, if below 0), give or take some minutes: contracts/moments.py."""
    return text(example, f"^{mark(seconds)}{TIMESTAMP_PATTERN.removeprefix('^')}")


def one_of(example: str, *others: str) -> Matcher:
    """One of some strings; the first is the example. Name only those that the consumer knows what to do with."""
    values = "|".join(re.escape(value) for value in (example, *others))
    return text(example, f"^({values})$")


def integer(example: int, digits_max: int | None = None) -> Matcher:
    """A whole number; not a string of digits, not 1.0. With `digits_max` of no other order of magnitude, as another unit would be."""
    if digits_max is None:
        return match.int(example)
    return _Both(example, match.int(example), match.regex(str(example), regex=rf"^-?\d{{1,{digits_max}}}$"))


def money(example_minor: int) -> Matcher:
    """An amount in minor units of a currency: a whole number, so that nobody rounds.

    In another unit it would pass as well. So one interaction of each operation and fact that tells an amount says it to the letter.
    """
    return match.int(example_minor)


def currency(example: str = "EUR") -> Matcher:
    """An ISO 4217 code."""
    return text(example, r"^[A-Z]{3}$")


def number(example: float) -> Matcher:
    """A number, whole or not."""
    return match.number(example)


def boolean(example: bool) -> Matcher:
    """True or false; not a string that says so."""
    return match.like(example)


def nothing() -> Matcher:
    """Null, present under its key."""
    return match.none()


def address(example: str) -> Matcher:
    """An absolute http(s) address."""
    return text(example, r"^https?://\S+$")


def several(example: Any) -> Matcher:
    """A list of at least one, all like the example. What is plain in it must be exactly so in each of them."""
    return match.each_like(_exactly(example), min=1)


def _exactly(example: Any) -> Any:
    match example:
        case dict():
            return {name: _exactly(value) for name, value in example.items()}
        case [_, *_] if any(isinstance(item, dict | AbstractMatcher) for item in example):
            return [_exactly(item) for item in example]
        case AbstractMatcher():
            return example
        case _:
            return _Exactly(example)
