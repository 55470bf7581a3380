"""Within a version interfaces only grow: what an API loses is reported by its path, and whether a contract needs it decides."""

import json
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest

from contracts.pactfile import is_writing
from contracts.promises.declared import CONTRACTS
from contracts.promises.growth import between, problems_of_api, since
from contracts.releases import RevisionUnknown, last_release
from contracts.tests.growing import CONFIRMED, Document, Plant, add, document_of, properties

pytestmark = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")

CAPTURED = "events.payments.payment_captured.v1"
HOLD = "/events/{event_id}/holds/{hold_id}"


def schema(api: Document, name: str) -> Document:
    found: Document = api["components"]["schemas"][name]
    return found


def put(api: Document) -> Document:
    found: Document = api["paths"][HOLD]["put"]
    return found


PUT = f"PUT {HOLD}"
# What breaks, and whether a contract needs it.
API: list[tuple[str, Plant, str, bool]] = [
    ("an operation", lambda api: api["paths"][HOLD].pop("put"), f"{PUT} is gone.", True),
    ("an operation without a contract", lambda api: api["paths"][HOLD].pop("get"), f"GET {HOLD} is gone.", False),
    ("a status", lambda api: put(api)["responses"].pop("410"), f"the answer 410 of {PUT} is gone.", True),
    (
        "a status without a contract",
        lambda api: put(api)["responses"].pop("422"),
        f"the answer 422 of {PUT} is gone.",
        False,
    ),
    (
        "a media type",
        lambda api: put(api)["responses"]["410"].update(content={"application/json": {}}),
        f"the answer 410 of {PUT} is no application/problem+json any more.",
        True,
    ),
    (
        "a code",
        lambda api: put(api)["responses"]["409"]["content"]["application/problem+json"]["schema"]["oneOf"].pop(1),
        f"the answer 409 of {PUT}: $.code=sold_out is gone.",
        True,
    ),
    (
        "a fact of a refusal",
        lambda api: properties(schema(api, "SoldOutProblem")).pop("available"),
        f"the answer 409 of {PUT}: $.available is gone.",
        True,
    ),
    (
        "a field",
        lambda api: properties(schema(api, "HoldOut")).pop("expires_at"),
        f"the answer 201 of {PUT}: $.expires_at is gone.",
        True,
    ),
    (
        "a field that no contract reads",
        lambda api: properties(schema(api, "HoldOut")).pop("order_id"),
        f"the answer 201 of {PUT}: $.order_id is gone.",
        False,
    ),
    (
        "a field in a list that became optional",
        lambda api: schema(api, "LineOut")["required"].remove("quantity"),
        f"the answer 201 of {PUT}: $.lines[*].quantity may be left out now.",
        True,
    ),
    (
        "a retyped field",
        lambda api: properties(schema(api, "LineOut"))["quantity"].update(type="string"),
        f"the answer 201 of {PUT}: $.lines[*].quantity may be string now.",
        True,
    ),
    (
        "a wider enumeration",
        lambda api: properties(schema(api, "TakenSeatOut"))["state"]["enum"].append("lost"),
        "the answer 200 of GET /events/{event_id}/seats: $.taken[*].state may be lost now.",
        True,
    ),
    (
        "a new required field of a request",
        lambda api: add(schema(api, "HoldIn"), "buyer"),
        f"the body of {PUT}: $.buyer is required now.",
        True,
    ),
    (
        "a field of a request",
        lambda api: properties(schema(api, "HoldIn")).pop("ttl_seconds"),
        f"the body of {PUT}: $.ttl_seconds is refused now.",
        True,
    ),
    (
        "a field of a request that every contract sends, required now",
        lambda api: schema(api, "HoldIn")["required"].append("places"),
        f"the body of {PUT}: $.places is required now.",
        False,
    ),
    (
        "a narrower enumeration of a request",
        lambda api: properties(schema(api, "HoldIn"))["order_id"].update(enum=["a"]),
        f"the body of {PUT}: $.order_id may not be anything but a any more.",
        True,
    ),
    (
        "a smaller limit of a request",
        lambda api: properties(schema(api, "PlaceIn"))["quantity"].update(maximum=4),
        f"the body of {PUT}: $.places[*].quantity has a maximum of 4 now.",
        True,
    ),
    ("a body", lambda api: put(api).pop("requestBody"), f"{PUT} takes no body any more.", True),
    (
        "a body that is needed",
        lambda api: api["paths"][f"{HOLD}/commit"]["post"].update(requestBody=put(api)["requestBody"]),
        f"POST {HOLD}/commit needs a body now.",
        True,
    ),
    (
        "a new required parameter",
        lambda api: put(api)["parameters"].append(
            {"in": "query", "name": "shop", "required": True, "schema": {"type": "string"}}
        ),
        f"{PUT} needs the query parameter shop now.",
        True,
    ),
    (
        "a required header that every contract sends",
        lambda api: put(api)["parameters"].append(
            {"in": "header", "name": "Traceparent", "required": True, "schema": {"type": "string"}}
        ),
        f"{PUT} needs the header parameter traceparent now.",
        False,
    ),
    (
        "a route that needs a person",
        lambda api: put(api).update(security=[{"service": [], "person": []}]),
        f"{PUT} needs the header onsale-person now.",
        True,
    ),
    (
        "another form of an id",
        lambda api: put(api)["parameters"][0]["schema"].update(type="integer"),
        f"{PUT}, the path parameter event_id: $ may not be string any more.",
        True,
    ),
]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with the documents and pacts as they are now."""
    for folder in ("openapi", "events", "pacts"):
        shutil.copytree(CONTRACTS / folder, tmp_path / "contracts" / folder)
    return tmp_path / "contracts"


def change(here: Path, name: str, plant: Plant) -> None:
    path = here / name
    document = json.loads(path.read_text())
    plant(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(("plant", "said", "breaks"), [each[1:] for each in API], ids=[each[0] for each in API])
def test_a_lost_part_of_an_api_breaks_if_a_contract_needs_it_and_else_is_a_note(
    here: Path, plant: Plant, said: str, breaks: bool
) -> None:
    old = document_of("openapi", "inventory.json")
    new = deepcopy(old)
    plant(new)
    assert said in problems_of_api(old, new)
    change(here, "openapi/inventory.json", plant)
    growth = between(CONTRACTS, here)
    assert (f"inventory: {said}" in growth.breaks) == breaks
    assert (f"inventory: {said}" in growth.notes) != breaks
    assert growth.of("inventory").breaks == growth.breaks
    assert growth.of("orders").breaks == []


def test_an_answer_that_is_no_refusal_is_new_to_whoever_asks(here: Path) -> None:
    change(here, "openapi/inventory.json", lambda api: put(api)["responses"].update({"202": {}, "418": {}}))
    assert between(CONTRACTS, here).breaks == [f"inventory: {PUT} may answer 202 now."]


def test_a_new_answer_of_an_operation_that_nobody_asks_is_a_note(here: Path) -> None:
    change(here, "openapi/inventory.json", lambda api: api["paths"][HOLD]["get"]["responses"].update({"204": {}}))
    growth = between(CONTRACTS, here)
    assert (growth.breaks, growth.notes) == ([], [f"inventory: GET {HOLD} may answer 204 now."])


def test_a_new_answer_breaks_nobody_who_began_to_ask_and_reads_it(here: Path, tmp_path: Path) -> None:
    then = tmp_path / "then"
    shutil.copytree(here, then)
    (then / "pacts/orders-asks-inventory.json").unlink()
    change(here, "openapi/inventory.json", lambda api: put(api)["responses"].update({"202": {}}))
    assert between(then, here).breaks == [f"inventory: {PUT} may answer 202 now."]
    change(here, "pacts/orders-asks-inventory.json", answer_with_202)
    assert between(then, here).breaks == []


def answer_with_202(pact: Document) -> None:
    held = deepcopy(next(each for each in pact["interactions"] if each["description"] == "a hold of a seat"))
    pact["interactions"].append({**held, "description": "a hold that takes its time", "response": {"status": 202}})


def parameter(api: Document, name: str) -> Document:
    found: Document = next(each for each in api["paths"]["/events"]["get"]["parameters"] if each["name"] == name)
    return found


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (lambda api: parameter(api, "query")["schema"].update(default="a"), 'is "a" now, and was "".'),
        (lambda api: parameter(api, "query")["schema"].pop("default"), 'is gone, and was "".'),
        (lambda api: parameter(api, "after")["schema"].update(default="b"), 'is "b" now, and there was none.'),
    ],
    ids=["another", "none any more", "one where none was"],
)
def test_another_default_breaks_whoever_leaves_the_parameter_out(here: Path, plant: Plant, said: str) -> None:
    change(here, "openapi/catalog.json", plant)
    (sentence,) = between(CONTRACTS, here).breaks
    assert sentence.startswith("catalog: GET /events, the query parameter ")
    assert sentence.endswith(f": its default {said}")


def test_another_default_of_a_parameter_that_every_contract_sends_is_a_note(here: Path) -> None:
    change(here, "openapi/catalog.json", lambda api: parameter(api, "limit")["schema"].update(default=50))
    growth = between(CONTRACTS, here)
    said = "catalog: GET /events, the query parameter limit: its default is 50 now, and was 20."
    assert (growth.breaks, growth.notes) == ([], [said])


def test_what_did_not_change_breaks_nothing(here: Path) -> None:
    growth = between(CONTRACTS, here)
    assert (growth.breaks, growth.notes) == ([], [])


def test_a_new_refusal_and_a_new_operation_are_growth() -> None:
    old = document_of("openapi", "inventory.json")
    new = deepcopy(old)
    new["paths"]["/halls"] = {"get": put(new)}
    put(new)["responses"]["418"] = put(new)["responses"]["410"]
    several = put(new)["responses"]["409"]["content"]["application/problem+json"]["schema"]["oneOf"]
    several.append({"$ref": "#/components/schemas/HoldGoneProblem"})
    assert problems_of_api(old, new) == []


def test_a_change_of_a_fact_breaks_whoever_reads_it(here: Path) -> None:
    change(here, f"events/{CAPTURED}.schema.json", lambda fact: fact["required"].remove("captured_at"))
    assert between(CONTRACTS, here).breaks == [f"payments: {CAPTURED}: $.captured_at may be left out now."]


def test_a_fact_may_go_when_no_contract_names_it(here: Path) -> None:
    for subject in (CAPTURED, CONFIRMED):
        (here / f"events/{subject}.schema.json").unlink()
    growth = between(CONTRACTS, here)
    assert growth.breaks == [f"orders: {CONFIRMED} is gone, but a contract names it."]
    assert growth.notes == [f"payments: {CAPTURED} is gone; no contract names it."]


def test_a_contract_of_the_old_version_counts_though_it_is_gone_now(here: Path) -> None:
    (here / f"events/{CONFIRMED}.schema.json").unlink()
    for pact in (here / "pacts").glob("*.json"):
        pact.unlink()
    assert between(CONTRACTS, here).breaks == [f"orders: {CONFIRMED} is gone, but a contract names it."]


def test_a_revision_is_compared_with_the_working_tree(here: Path) -> None:
    for command in ("init -q", "add .", "-c user.name=n -c user.email=e@e.test commit -qm then", "tag v1.0.0"):
        subprocess.run(["git", *command.split()], cwd=here.parent, check=True)
    assert since("v1.0.0", here.parent).breaks == []
    change(here, f"events/{CAPTURED}.schema.json", lambda fact: properties(fact).pop("currency"))
    assert since("v1.0.0", here.parent).breaks == [f"payments: {CAPTURED}: $.currency is gone."]
    with pytest.raises(RevisionUnknown, match=r"Git knows no revision v9\.9\.9 here"):
        since("v9.9.9", here.parent)


@pytest.mark.agreement
def test_since_the_last_release_interfaces_have_only_grown() -> None:
    release = last_release(CONTRACTS.parent)
    # Before the first release nothing runs that could rely on anything.
    breaks = since(release, CONTRACTS.parent).breaks if release else []
    assert breaks == [], f"What {release} promised is still relied on (docs/guides/contracts.md):\n" + "\n".join(breaks)
