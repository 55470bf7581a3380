"""Each matcher accepts what it says, and nothing that would break a consumer."""

import json
from pathlib import Path
from typing import Any

import pytest
from pact import Pact, Verifier

from contracts import matchers

A_UUID = "0191f5a0-0000-7000-8000-000000000001"
# matcher, what it accepts, what it refuses
CASES: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "text": (matchers.text("Box A"), ["x", "two\nlines"], ["", "  ", 7, None, True, ["a"], {}]),
    "identifier": (matchers.identifier(A_UUID), [A_UUID], [A_UUID.upper(), A_UUID.replace("-", ""), 7, None, ""]),
    "timestamp": (
        matchers.timestamp(),
        ["2026-12-31T19:00:00Z", "2026-12-31T19:00:00.123456Z"],
        ["2026-12-31T19:00:00", "2026-12-31T19:00:00+00:00", "2026-12-31", 1798743600, None],
    ),
    "from_now": (
        matchers.from_now(600),
        ["2026-12-31T19:00:00Z", "2026-12-31T19:00:00.123456Z"],
        ["2026-12-31T19:00:00", "2026-12-31T19:00:00+00:00", "2026-12-31", 1798743600, None],
    ),
    "one_of": (matchers.one_of("held", "sold"), ["held", "sold"], ["HELD", "held ", "free", "", 1, None]),
    "integer": (matchers.integer(2), [0, -3, 12], ["2", 2.5, True, None]),
    "integer of at most three digits": (
        matchers.integer(840, digits_max=3),
        [0, -3, 999],
        [1000, 840000, "840", 2.5, True, None],
    ),
    "money": (matchers.money(4200), [0, 4200], ["4200", "42.00", 42.5, None]),
    "currency": (matchers.currency(), ["CHF"], ["chf", "EURO", 978, None]),
    "number": (matchers.number(1.5), [1, 2.5, -1], ["1.5", True, None]),
    "boolean": (matchers.boolean(True), [True, False], ["true", 1, 0, None]),
    "nothing": (matchers.nothing(), [None], ["", 0, False]),
    "address": (matchers.address("http://bank.test/pay/1"), ["https://b.test/x"], ["/pay/1", "javascript:x", 1, None]),
    "several": (
        matchers.several({"n": matchers.integer(1)}),
        [[{"n": 1}], [{"n": 1}, {"n": 2}]],
        [[], [{}], [{"n": "1"}]],
    ),
    "several, with what is plain": (
        matchers.several({"state": "held", "n": 2, "tags": ["a"], "of": {"kind": "x"}, "gone": None}),
        [[{"state": "held", "n": 2, "tags": ["a"], "of": {"kind": "x", "more": 1}, "gone": None, "more": 1}]],
        [
            [{"state": "HELD", "n": 2, "tags": ["a"], "of": {"kind": "x"}, "gone": None}],
            [{"state": "held", "n": 3, "tags": ["a"], "of": {"kind": "x"}, "gone": None}],
            [{"state": "held", "n": 2, "tags": ["a", "b"], "of": {"kind": "x"}, "gone": None}],
            [{"state": "held", "n": 2, "tags": ["a"], "of": {"kind": "y"}, "gone": None}],
            [{"state": "held", "n": 2, "tags": ["a"], "of": {"kind": "x"}, "gone": "now"}],
        ],
    ),
    "several plain ones": (matchers.several("a"), [["a"], ["a", "a"]], [["b"], ["a", "b"], []]),
    "a plain value": ("valid", ["valid"], ["void", 1, None]),
}


def test_matchers_accept_what_they_say_and_nothing_else(tmp_path: Path) -> None:
    """One run of the verifier over all cases: each message is one value under one matcher."""
    pact = Pact("reader", "writer")
    messages: dict[str, dict[str, Any]] = {}
    expected: dict[str, bool] = {}
    for name, (matcher, accepted, refused) in CASES.items():
        for value, is_accepted in [*((value, True) for value in accepted), *((value, False) for value in refused)]:
            description = f"{name}: {json.dumps(value)}"
            pact.upon_receiving(description, "Async").with_body({"value": matcher}, "application/json")
            messages[description] = _message(value)
            expected[description] = is_accepted
    pact.write_file(tmp_path)
    verifier = Verifier("writer", host="127.0.0.1").add_source(tmp_path).message_handler(messages)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        verifier.verify()
    found = {result["description"]: result["result"] == "OK" for result in verifier.results["interactionResults"]}
    assert found == expected


def test_an_example_that_does_not_fit_its_own_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit its own pattern"):
        matchers.identifier("not-a-uuid")


def _message(value: Any) -> dict[str, Any]:
    return {
        "contents": json.dumps({"value": value}).encode(),
        "metadata": {"contentType": "application/json"},
        "content_type": "application/json",
    }
