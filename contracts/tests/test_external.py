"""Partners outside: the pact of the example is its program's own, the folder is in order, and each fault has its sentence."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.pactfile import is_writing
from contracts.partners.external import FOLDER, main, problems, problems_of

DOORMAN = "doorman-asks-tickets.json"
EVENT_ID = "0191f5a0-0000-7000-8000-0000000000e1"
Document = dict[str, Any]
Plant = Callable[[Document], Any]

not_while_writing = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")


def of_doorman() -> Document:
    document: Document = json.loads((FOLDER / DOORMAN).read_text(encoding="utf-8"))
    return document


def a_fact(**changes: Any) -> Document:
    """What a partner could need of orders' cancellations."""
    data = {"order_id": EVENT_ID, "event_id": EVENT_ID}
    interaction = {
        "type": "Asynchronous/Messages",
        "description": "events.orders.order_cancelled.v1 after money",
        "contents": {
            "content": {"type": "events.orders.order_cancelled.v1", "data": data},
            "contentType": "application/json",
        },
        "matchingRules": {
            "body": {f"$.data.{name}": {"combine": "AND", "matchers": [{"match": "type"}]} for name in data}
        },
    }
    return {
        "consumer": {"name": "resale"},
        "provider": {"name": "orders"},
        "interactions": [interaction | changes],
        "metadata": {"pactSpecification": {"version": "4.0"}, "contact": "https://resale.example/help"},
    }


@pytest.fixture
def submitted(tmp_path: Path) -> Callable[..., list[str]]:
    """What is said to a pact that somebody submits."""

    def submit(document: Any, name: str = DOORMAN) -> list[str]:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return problems_of(path)

    return submit


Submitted = Callable[..., list[str]]


@not_while_writing
@pytest.mark.agreement
def test_the_pacts_of_partners_are_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert problems() == []
    assert main([]) == 0
    assert "in order" in capsys.readouterr().out


@pytest.mark.agreement
def test_the_example_writes_its_pact_as_a_partner_would_and_that_is_the_committed_one(tmp_path: Path) -> None:
    program = FOLDER / "examples/doorman.py"
    environment = {"PATH": os.environ["PATH"], "PACT_DO_NOT_TRACK": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, str(program), str(tmp_path)], cwd=tmp_path, env=environment, check=True)
    (path,) = tmp_path.glob("*.json")
    made, committed = json.loads(path.read_text(encoding="utf-8")), of_doorman()
    for document in (made, committed):
        del document["metadata"]["pactRust"]  # the version of the library that wrote it
    assert made == committed, f"Run `python {program} FOLDER`, and put what it writes there into {FOLDER / DOORMAN}."


def code_of_a_seat(document: Document) -> Document:
    """The interaction about a code of a seat."""
    found: Document = next(each for each in document["interactions"] if each["description"] == "a code of a seat")
    return found


def _keys(document: Document) -> Document:
    found: Document = next(each for each in document["interactions"] if each["request"]["method"] == "GET")
    return found


def _rule(interaction: Document, path: str, **rule: Any) -> None:
    interaction["response"]["matchingRules"]["body"][path] = {"combine": "AND", "matchers": [rule]}


def _set(interaction: Document, value: Any, /, **rule: Any) -> None:
    """Another value under `message` of an answer, with a rule for it."""
    interaction["response"]["body"]["content"]["message"] = value
    if rule:
        _rule(interaction, "$.message", **rule)


FAULTS: dict[str, tuple[Plant, str]] = {
    "no interaction": (lambda it: it["interactions"].clear(), "$.interactions: [] should be non-empty"),
    "an answer without a status": (
        lambda it: code_of_a_seat(it)["response"].pop("status"),
        "'status' is a required property",
    ),
    "a state without a name": (
        lambda it: code_of_a_seat(it).update(providerStates=[{}]),
        ".providerStates[0]: 'name' is a required property",
    ),
    "a message among questions": (
        lambda it: code_of_a_seat(it).update(type="Asynchronous/Messages"),
        "'Synchronous/HTTP' was expected",
    ),
    "the third version": (
        lambda it: it["metadata"].update(pactSpecification={"version": "3.0.0"}),
        "this is a pact of version 3.0.0. Write version 4",
    ),
    "another partner's name": (
        lambda it: it["consumer"].update(name="porter"),
        "the consumer in it is 'porter', but in the file's name it is 'doorman'",
    ),
    "another provider's name": (lambda it: it["provider"].update(name="orders"), "the provider in it is 'orders'"),
    "no contact": (lambda it: it["metadata"].pop("contact"), "an e-mail address or a link into metadata.contact"),
    "a contact that is none": (lambda it: it["metadata"].update(contact={"email": "ask me"}), "metadata.contact"),
    "a plugin": (lambda it: it["metadata"].update(plugins=[{"name": "protobuf"}]), "needs plugins of Pact"),
    "an interaction of a plugin": (
        lambda it: code_of_a_seat(it).update(pluginConfiguration={"protobuf": {}}),
        '"a code of a seat": this needs a plugin',
    ),
    "a real token": (
        lambda it: code_of_a_seat(it)["request"]["headers"].update(Cookie=["s=eyJhbGciOi.eyJzdWIiOi.c2ln"]),
        "this holds a real token. Revoke it",
    ),
    "an opaque token": (
        lambda it: code_of_a_seat(it)["request"]["headers"].update(Authorization=["Bearer 8f14e45fceea167a"]),
        '"a code of a seat": the header Authorization is the placeholder `Bearer doorman`',
    ),
    "the same twice": (
        lambda it: it["interactions"].append(code_of_a_seat(it)),
        'there are 2 interactions "a code of a seat" in the same states',
    ),
    "a pending interaction": (
        lambda it: code_of_a_seat(it).update(pending=True),
        '"a code of a seat": this is pending',
    ),
    "an unknown state": (
        lambda it: code_of_a_seat(it)["providerStates"][0].update(name="a ticket on fire"),
        'tickets cannot set up "a ticket on fire". It can: "a cancelled ticket", ',
    ),
    "a state without its parameter": (
        lambda it: code_of_a_seat(it)["providerStates"][0].update(name="an order with tickets"),
        'the state "an order with tickets" needs the parameter order_id',
    ),
    "a route that nobody documents": (
        lambda it: code_of_a_seat(it)["request"].update(path="/validate"),
        '"a code of a seat": POST /validate is not documented by tickets',
    ),
    "a route that is for others": (
        lambda it: _keys(it)["request"].update(path="/tickets"),
        "lets in web, but not doorman",
    ),
    "a field that nobody promises": (
        lambda it: code_of_a_seat(it)["response"]["body"]["content"].update(gate="B"),
        "$.gate is not declared in the answer 200 of POST /verify",
    ),
    "a list that may be empty": (
        lambda it: _rule(_keys(it), "$.keys", match="type"),
        '"the keys that verify codes": $.keys accepts an empty list',
    ),
    "a list that may be empty by a rule above": (
        lambda it: _keys(it)["response"].update(matchingRules={"body": {"$": {"matchers": [{"match": "type"}]}}}),
        "$.keys accepts an empty list",
    ),
    "any object": (lambda it: _set(code_of_a_seat(it), {}), "$.message is empty, and so accepts any object"),
    "a text that is true": (lambda it: _set(code_of_a_seat(it), True, match="boolean"), 'accepts the text "true"'),
    "a whole number that is not": (lambda it: _set(code_of_a_seat(it), 7, match="type"), "$.message accepts 1.5"),
    "a pattern that fits no text only": (
        lambda it: _set(code_of_a_seat(it), "a", match="regex", regex=r"^.+$"),
        "$.message accepts true as well, which is no text",
    ),
    "a pattern that fits numbers": (
        lambda it: _set(code_of_a_seat(it), "9ad3f4a0", match="regex", regex=r"^[0-9a-f]{8}$"),
        "$.message accepts 12345678 as well",
    ),
    "not empty": (
        lambda it: _set(code_of_a_seat(it), "a", match="notEmpty"),
        "$.message accepts true as well, which is no text",
    ),
    "not empty, of a number": (
        lambda it: _set(code_of_a_seat(it), 7, match="notEmpty"),
        "$.message accepts true as well, which is no whole number",
    ),
    "not empty, of null": (
        lambda it: _set(code_of_a_seat(it), None, match="notEmpty"),
        "$.message accepts true as well, which is no null",
    ),
    "not empty, of a list": (
        lambda it: _set(code_of_a_seat(it), ["a"], match="notEmpty"),
        "$.message accepts true as well, which is no list",
    ),
    "a part that is none": (
        lambda it: _set(code_of_a_seat(it), "a", match="include", value=""),
        "$.message accepts true as well",
    ),
    "a pattern that fits nothing, too": (
        lambda it: _set(code_of_a_seat(it), "a", match="regex", regex="^[a-z]*$"),
        "$.message accepts true as well",
    ),
    "a pattern that fits null": (
        lambda it: _set(code_of_a_seat(it), "A", match="regex", regex="^[A-Z]*$"),
        "$.message accepts null as well, which is no text",
    ),
    "another type": (
        lambda it: _set(code_of_a_seat(it), "a", match="integer"),
        "$.message accepts -1 as well, which is no text",
    ),
    "at least none": (
        lambda it: _set(code_of_a_seat(it), ["a"], match="type", min=0),
        "$.message accepts an empty list",
    ),
    "at most three": (
        lambda it: _set(code_of_a_seat(it), ["a"], match="type", max=3),
        "$.message accepts an empty list",
    ),
    "any values": (
        lambda it: _set(code_of_a_seat(it), {"a": 1}, match="values"),
        "which is no object. Name the fields",
    ),
    "some of a list": (
        lambda it: _set(code_of_a_seat(it), ["a"], match="arrayContains", variants=[]),
        "$.message accepts true as well, which is no list",
    ),
    "a date that is a number": (
        lambda it: _set(code_of_a_seat(it), "2024", match="date", format="yyyy"),
        "$.message accepts 1 as well, which is no text",
    ),
    "a matcher that nobody knows": (
        lambda it: _set(code_of_a_seat(it), "a", match="vibes"),
        "$.message accepts true as well",
    ),
    "one of two rules": (
        lambda it: code_of_a_seat(it)["response"]["matchingRules"]["body"].update(
            {"$.message": {"combine": "OR", "matchers": [{"match": "type"}, {"match": "notEmpty"}]}}
        ),
        "of the rules of $.message one is enough (combine: OR)",
    ),
    "a rule about nothing": (
        lambda it: _rule(code_of_a_seat(it), "$.mesage", match="type"),
        "the rules of $.mesage are about nothing in the example",
    ),
    "a rule about no item": (
        lambda it: _rule(_keys(it), "$.keys[*].kidd", match="type"),
        "the rules of $.keys[*].kidd are about nothing in the example",
    ),
    "any status that is well": (
        lambda it: code_of_a_seat(it)["response"]["matchingRules"].update(
            status={"matchers": [{"match": "statusCode", "status": "success"}]}
        ),
        "its status is a class of statuses",
    ),
    "a part that is a number": (
        lambda it: _set(code_of_a_seat(it), "row 7", match="include", value="7"),
        "$.message accepts 1234567 as well",
    ),
}


@pytest.mark.parametrize(("plant", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_in_a_pact_is_reported_with_its_file_and_place(submitted: Submitted, plant: Plant, said: str) -> None:
    document = of_doorman()
    assert submitted(document) == []
    plant(document)
    found = submitted(document)
    assert [each for each in found if said in each] != [], found
    assert all(each.startswith(f"{DOORMAN}: ") for each in found)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("doorman-tickets.json", "is not a pact: pacts are called"),
        ("door man-asks-tickets.json", "a partner's name is lower-case letters and digits"),
        ("orders-asks-tickets.json", "orders is a service of this repository"),
        ("doorman-asks-doors.json", "there is no service 'doors'. There are: accounts, "),
        ("doorman-watches-inventory.json", "partners cannot watch the bus"),
    ],
)
def test_a_name_that_is_none_is_reported(submitted: Submitted, name: str, said: str) -> None:
    (first, *_) = submitted(of_doorman(), name)
    assert said in first


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"metadata": 7}', '{"metadata": {"pactSpecification": {"version": "4.0"}}}']
)
def test_what_is_no_pact_at_all_is_reported_and_nothing_falls_over(submitted: Submitted, text: str) -> None:
    assert len(submitted(text)) >= 1


def test_a_pact_whose_texts_may_be_anything_that_is_not_empty_is_reported_field_by_field(submitted: Submitted) -> None:
    """As a turnstile's makers wrote it: the verifier takes 1, true and ["a"] for each of its texts."""
    text = (Path(__file__).parent / "turnstile-asks-tickets.json").read_text(encoding="utf-8")
    found = submitted(text, "turnstile-asks-tickets.json")
    fields = [f"$.keys[0].{name} accepts true as well, which is no text" for name in ("crv", "kid", "x")]
    assert [[field in each for each in found] for field in fields] == [
        [number == place for number in range(len(found))] for place in range(3)
    ]
    assert submitted(text.replace('"notEmpty"', '"type"'), "turnstile-asks-tickets.json") == []


def test_rules_that_are_strict_enough_are_let_pass(submitted: Submitted) -> None:
    document = of_doorman()
    patterned = {"combine": "AND", "matchers": [{"match": "type"}, {"match": "regex", "regex": r"^[0-9a-f]{8}$"}]}
    _keys(document)["response"]["matchingRules"]["body"]["$.keys[*].kid"] = patterned
    assert submitted(document) == []


def test_a_partner_may_hear_facts_whose_schema_says_them(submitted: Submitted) -> None:
    name = "resale-hears-orders.json"
    assert submitted(a_fact(), name) == []
    coloured = a_fact()
    coloured["interactions"][0]["contents"]["content"]["data"]["colour"] = "red"
    assert "$.data.colour is not declared" in str(submitted(coloured, name))
    assert "begins with its subject" in str(submitted(a_fact(description="a cancellation"), name))
    assert "a fact has no states" in str(submitted(a_fact(providerStates=[{"name": "a held order"}]), name))
