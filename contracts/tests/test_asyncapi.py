"""The AsyncAPI document: all that is published has one sender, who has a contract receives, and a real fact is what it says."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from chassis.clock import utc_now
from chassis.facts import BusMessage, Fact
from contracts.facts import published_by
from contracts.pactfile import edges, is_writing, read
from contracts.promises.asyncapi import document
from contracts.promises.documents import ASYNCAPI, FOLDER
from contracts.promises.reading import subject_of
from contracts.provider import encoded
from local.topology import SERVICES
from services.payments.events import PaymentCaptured

pytestmark = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")

BASE = "http://contracts.test/"


@pytest.fixture(scope="module")
def published() -> list[type[Fact | BusMessage]]:
    return [each for service in SERVICES for each in published_by(service)]


@pytest.fixture(scope="module")
def asyncapi(published: list[type[Fact | BusMessage]]) -> dict[str, Any]:
    return document(published)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def resolved(asyncapi: dict[str, Any], reference: str) -> Any:
    if not reference.startswith("#/"):
        return json.loads((FOLDER / reference).read_text())
    node: Any = asyncapi
    for name in reference.removeprefix("#/").split("/"):
        node = node[name]
    return node


def operations(asyncapi: dict[str, Any], action: str) -> list[tuple[str, str]]:
    """The service and the channel of each operation that sends or receives."""
    found = [each for each in asyncapi["operations"].values() if each["action"] == action]
    return [(each["tags"][0]["name"], each["channel"]["$ref"].removeprefix("#/channels/")) for each in found]


def test_every_reference_leads_somewhere(asyncapi: dict[str, Any]) -> None:
    found = sorted(set(references(asyncapi)))
    assert any(each.startswith("./events/") for each in found)
    assert all(resolved(asyncapi, each) for each in found)


def test_everything_that_is_published_has_one_sender_which_is_its_service(
    asyncapi: dict[str, Any], published: list[type[Fact | BusMessage]]
) -> None:
    assert asyncapi["channels"].keys() == {each.subject for each in published}
    senders = operations(asyncapi, "send")
    assert Counter(channel for _, channel in senders) == Counter(list(asyncapi["channels"]))
    assert all(channel.split(".")[1] == service for service, channel in senders)


def test_who_receives_is_who_has_a_contract(asyncapi: dict[str, Any]) -> None:
    contracts = {
        (edge.consumer, subject_of(edge, each)) for edge in edges() if edge.kind != "asks" for each in read(edge)
    }
    receivers = operations(asyncapi, "receive")
    assert len(receivers) == len(set(receivers))
    assert set(receivers) == contracts


def test_an_operation_takes_a_message_of_its_own_channel(asyncapi: dict[str, Any]) -> None:
    for name, operation in asyncapi["operations"].items():
        (message,) = operation["messages"]
        assert message["$ref"].startswith(f"{operation['channel']['$ref']}/messages/"), name


def test_a_fact_is_on_the_firehose_and_a_message_on_the_bus_by_the_id_of_what_it_is_about(
    asyncapi: dict[str, Any],
) -> None:
    for subject, channel in asyncapi["channels"].items():
        (server,) = channel["servers"]
        if subject.startswith("events."):
            assert (channel["address"], server["$ref"]) == (subject, "#/servers/firehose")
        else:
            (parameter,) = channel["parameters"]
            assert (channel["address"], server["$ref"]) == (f"{subject}.{{{parameter}}}", "#/servers/bus")


def faults(asyncapi: dict[str, Any], event: dict[str, Any]) -> list[str]:
    """What is wrong with an event by the document and the schemas that it refers to."""
    parts = {BASE + ASYNCAPI: asyncapi}
    for path in (FOLDER / "events").glob("*.schema.json"):
        # Without its own id: in the document it is known by its place.
        schema = json.loads(path.read_text())
        parts[f"{BASE}events/{path.name}"] = {name: value for name, value in schema.items() if name != "$id"}
    resources = [(name, DRAFT202012.create_resource(part)) for name, part in parts.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    payload = {"$ref": f"{BASE}{ASYNCAPI}#/components/messages/{event['type']}/payload"}
    return [error.message for error in Draft202012Validator(payload, registry=registry).iter_errors(event)]


def a_fact() -> dict[str, Any]:
    ids = {"payment_id": uuid4(), "order_id": uuid4()}
    fact = PaymentCaptured(**ids, amount_minor=5000, currency="EUR", captured_at=utc_now())
    event: dict[str, Any] = json.loads(encoded(fact))
    return event


def test_a_real_fact_as_it_leaves_is_what_the_document_says(asyncapi: dict[str, Any]) -> None:
    assert faults(asyncapi, a_fact()) == []


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"source": "/services/orders"}, "'/services/payments' was expected"),
        ({"time": 7}, "7 is not of type 'string'"),
        ({"priority": "high"}, "'priority' was unexpected"),
        ({"data": {}}, "'amount_minor' is a required property"),
    ],
    ids=["another source", "a time that is no text", "an attribute that nobody knows", "data without its fields"],
)
def test_another_envelope_or_other_data_are_not(asyncapi: dict[str, Any], spoilt: dict[str, Any], said: str) -> None:
    assert any(said in each for each in faults(asyncapi, a_fact() | spoilt))
