"""Within a version facts only grow: each way to lose something, or to surprise an old reader, is reported by its path."""

from copy import deepcopy

import pytest

from contracts.pactfile import is_writing
from contracts.promises.growth import problems_of
from contracts.tests.growing import CONFIRMED, Document, Plant, add, document_of, properties

pytestmark = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")


def line(document: Document) -> Document:
    found: Document = document["$defs"]["ConfirmedLine"]
    return found


GROWN: list[tuple[str, Plant]] = [
    ("nothing", lambda _fact: None),
    ("a new field", lambda fact: add(fact, "colour")),
    ("a new optional field in a list", lambda fact: add(line(fact), "colour", required=False)),
    ("a field that is never null now", lambda fact: properties(line(fact)).update(seat_id={"type": "string"})),
    ("text of fewer values", lambda fact: properties(fact)["currency"].update(enum=["EUR"])),
    ("a form for any text", lambda fact: properties(fact)["number"].update(format="uuid")),
    ("a title", lambda fact: properties(fact)["number"].update(title="The number")),
]
BROKEN: list[tuple[str, Plant, list[str]]] = [
    ("a removed field", lambda fact: properties(fact).pop("number"), ["$.number is gone."]),
    ("a field that became optional", lambda fact: fact["required"].remove("number"), ["$.number may be left out now."]),
    (
        "a retyped field",
        lambda fact: properties(fact)["total_minor"].update(type="string"),
        ["$.total_minor may be string now."],
    ),
    (
        "a whole number that became any",
        lambda fact: properties(fact)["total_minor"].update(type="number"),
        ["$.total_minor may be number now."],
    ),
    (
        "a field that may be null",
        lambda fact: properties(fact).update(number={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ["$.number may be null now."],
    ),
    ("a field of any type", lambda fact: properties(fact).update(number={}), ["$.number may be anything now."]),
    (
        "a moment that became text",
        lambda fact: properties(fact)["starts_at"].pop("format"),
        ["$.starts_at may be text that is no date-time now."],
    ),
    (
        "a removed field in a list",
        lambda fact: properties(line(fact)).pop("quantity"),
        ["$.lines[*].quantity is gone."],
    ),
    (
        "a renamed field in a list",
        lambda fact: properties(line(fact)).update(count=properties(line(fact)).pop("quantity")),
        ["$.lines[*].quantity is gone."],
    ),
    (
        "a list that became an object",
        lambda fact: properties(fact).update(lines=properties(fact)["lines"]["items"]),
        ["$.lines may be object now."],
    ),
]


@pytest.mark.parametrize("plant", [plant for _, plant in GROWN], ids=[name for name, _ in GROWN])
def test_a_fact_may_grow(plant: Plant) -> None:
    old = document_of("events", f"{CONFIRMED}.schema.json")
    new = deepcopy(old)
    plant(new)
    assert problems_of(old, new) == []


@pytest.mark.parametrize(("plant", "said"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_fact_may_not_lose_or_bring_what_its_readers_do_not_expect(plant: Plant, said: list[str]) -> None:
    old = document_of("events", f"{CONFIRMED}.schema.json")
    new = deepcopy(old)
    plant(new)
    assert problems_of(old, new) == said


def test_a_field_may_become_required() -> None:
    new = document_of("events", f"{CONFIRMED}.schema.json")
    old = deepcopy(new)
    old["required"].remove("number")
    assert problems_of(old, new) == []


def test_a_new_reason_is_reported_and_one_that_comes_no_more_is_not() -> None:
    few = document_of("events", "events.orders.order_cancelled.v1.schema.json")
    many = deepcopy(few)
    properties(many)["reason"]["enum"].append("weather")
    assert problems_of(few, many) == ["$.reason may be weather now."]
    assert problems_of(many, few) == []
    free = deepcopy(few)
    properties(free)["reason"].pop("enum")
    (said,) = problems_of(few, free)
    assert said.startswith("$.reason may be anything but refused, ")
