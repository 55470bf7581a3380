"""What Pact's matchers let pass beside what a consumer means: an emptiness, a number for a text, a text for a number.

As the verifier of pact-python 4.2 has it; contracts/tests/test_leniency.py asks it. Three things surprise: most matchers compare a value's
text (that of null is empty), `notEmpty` asks for no type, and a matcher that the verifier does not know lets everything pass or nothing.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

DIGITS = "1234567890123456789"
# In the order in which they are named. A pattern may fit some number and not others.
PROBES: tuple[Any, ...] = (
    *(True, None, 1.5, -1, [], {}, ["a"], {"a": 1}, "true", "a", ""),
    *(int(DIGITS[:end]) for end in range(1, 20)),
)
_LETTERS = re.compile(r"[A-Za-z]+")


def besides(rules: list[dict[str, Any]], example: Any) -> Iterator[str]:
    """What these rules let pass together that is of another kind than the example, in JSON."""
    kind = kind_of(example)
    for probe in PROBES:
        is_other = kind_of(probe) != kind and not (kind == "number" and kind_of(probe) == "whole number")
        if (is_other or probe == []) and all(lets_pass(rule, example, probe) for rule in rules):
            yield json.dumps(probe, separators=(",", ":"))


def kind_of(value: Any) -> str:
    """What a person would call it."""
    match value:
        case None:
            return "null"
        case bool():
            return "yes or no"
        case int():
            return "whole number"
        case float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"


def text_of(value: Any) -> str:
    """The text that Pact compares in place of a value."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def lets_pass(rule: dict[str, Any], example: Any, value: Any) -> bool:
    """Whether the verifier accepts a value by this rule."""
    judge = _JUDGES.get(str(rule.get("match")))
    return judge is None or judge(rule, example, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_type(rule: dict[str, Any], example: Any, value: Any) -> bool:
    if _is_number(example):
        return _is_number(value)
    if kind_of(example) != kind_of(value):
        return False
    return not isinstance(value, list) or len(value) >= rule.get("min", 0)


def _of_a_form(rule: dict[str, Any], _example: Any, value: Any) -> bool:
    """A date or a time. One without anything between its parts is a number, too."""
    if isinstance(value, str):
        return True
    return kind_of(value) == "whole number" and value > 0 and _LETTERS.fullmatch(rule.get("format", "")) is not None


Judge = Callable[[dict[str, Any], Any, Any], bool]
_JUDGES: dict[str, Judge] = {
    "equality": lambda _, example, value: kind_of(example) == kind_of(value) and bool(example == value),
    "type": _of_type,
    "min": _of_type,
    "max": _of_type,
    # As a whole, also without ^ and $.
    "regex": lambda rule, _, value: re.fullmatch(rule.get("regex", ""), text_of(value)) is not None,
    "include": lambda rule, _, value: str(rule.get("value", "")) in text_of(value),
    "notEmpty": lambda _rule, _example, value: text_of(value) not in {"", "[]", "{}"},
    "integer": lambda _rule, _example, value: kind_of(value) == "whole number",
    "decimal": lambda _rule, _example, value: kind_of(value) == "number",
    "number": lambda _rule, _example, value: _is_number(value),
    "boolean": lambda _rule, _example, value: value in ("true", "false") or isinstance(value, bool),
    "null": lambda _rule, _example, value: value is None,
    "semver": lambda _rule, _example, value: isinstance(value, str),
    "date": _of_a_form,
    "time": _of_a_form,
    "timestamp": _of_a_form,
}
