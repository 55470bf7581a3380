"""What is said of Pact's matchers is what the verifier does: it is asked, each rule with values of every kind."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pact import Verifier

from contracts.partners.leniency import besides, lets_pass

VALUES: tuple[Any, ...] = (True, None, 1, 1.5, -1, 2024, [], {}, ["a"], {"a": 1}, "", "a", "true", "2024")
Rules = list[dict[str, Any]]

RULES: dict[str, tuple[Any, Rules]] = {
    "not empty, of a text": ("x", [{"match": "notEmpty"}]),
    "not empty, of a number": (1, [{"match": "notEmpty"}]),
    "not empty, of yes or no": (True, [{"match": "notEmpty"}]),
    "not empty, of null": (None, [{"match": "notEmpty"}]),
    "not empty, of its type": ("x", [{"match": "type"}, {"match": "notEmpty"}]),
    "a part that is none": ("x", [{"match": "include", "value": ""}]),
    "a part": ("row 1", [{"match": "include", "value": "1"}]),
    "any pattern": ("x", [{"match": "regex", "regex": ".*"}]),
    "a pattern with an end": ("x", [{"match": "regex", "regex": "^[a-z]*$"}]),
    "a pattern without ends": ("x", [{"match": "regex", "regex": "[a-z]"}]),
    "the type of a text": ("x", [{"match": "type"}]),
    "the type of a whole number": (1, [{"match": "type"}]),
    "the type of a number": (1.5, [{"match": "type"}]),
    "the type of yes or no": (True, [{"match": "type"}]),
    "the type of null": (None, [{"match": "type"}]),
    "exactly": ("a", [{"match": "equality"}]),
    "a number, of a text": ("x", [{"match": "number"}]),
    "a number": (1, [{"match": "number"}]),
    "a whole number": (1, [{"match": "integer"}]),
    "a decimal": (1.5, [{"match": "decimal"}]),
    "yes or no": (True, [{"match": "boolean"}]),
    "null": (None, [{"match": "null"}]),
    "null, of a text": ("x", [{"match": "null"}]),
    "a year": ("2024", [{"match": "date", "format": "yyyy"}]),
    "a version": ("1.2.3", [{"match": "semver"}]),
}


@pytest.mark.agreement
@pytest.mark.parametrize(("example", "rules"), RULES.values(), ids=RULES.keys())
def test_the_verifier_lets_pass_what_we_say(tmp_path: Path, example: Any, rules: Rules) -> None:
    passing = verified(tmp_path, example, rules)
    said = [json.dumps(each) for each in VALUES if all(lets_pass(rule, example, each) for rule in rules)]
    # Whether a text has the form of a date or a version is not distinguished: it is a text.
    assert set(passing) <= set(said)
    assert {each for each in said if not each.startswith('"')} <= set(passing)


def verified(folder: Path, example: Any, rules: Rules) -> list[str]:
    """The values, in JSON, that the verifier lets pass."""
    names = {str(number): value for number, value in enumerate(VALUES)}
    interactions = [
        {
            "type": "Asynchronous/Messages",
            "description": name,
            "contents": {"content": {"v": example}, "contentType": "application/json", "encoded": False},
            "matchingRules": {"body": {"$.v": {"combine": "AND", "matchers": rules}}},
        }
        for name in names
    ]
    document = {
        "consumer": {"name": "reader"},
        "provider": {"name": "library"},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    path = folder / "reader-library.json"
    path.write_text(json.dumps(document))
    answers: dict[str, Any] = {
        name: {
            "contents": json.dumps({"v": value}).encode(),
            "metadata": {"contentType": "application/json"},
            "content_type": "application/json",
        }
        for name, value in names.items()
    }
    verifier = Verifier("library", host="127.0.0.1").message_handler(answers).add_source(str(path))
    with suppress(RuntimeError):  # what failed is in the results
        verifier.verify()
    results = verifier.results["interactionResults"]
    assert len(results) == len(names)
    return [json.dumps(names[each["description"]]) for each in results if each["result"] == "OK"]


@pytest.mark.parametrize("kind", ["values", "eachKey", "eachValue", "arrayContains", "contentType", "of tomorrow"])
def test_a_matcher_whose_leniency_nobody_has_looked_at_is_taken_to_let_everything_pass(kind: str) -> None:
    assert list(besides([{"match": kind}], "x"))[:2] == ["true", "null"]
