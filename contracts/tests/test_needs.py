"""The static gate: what a consumer needs and its provider does not declare is reported with both names, the interaction and the field."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.pactfile import PACTS, Edge, Interaction, is_writing, read
from contracts.promises.declared import CONTRACTS, Declared
from contracts.promises.needs import findings, findings_of, main

pytestmark = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")

ORDERS_AT_INVENTORY = Edge("orders", "asks", "inventory")
ORDERS_AT_PAYMENTS = Edge("orders", "asks", "payments")
WEB_AT_ORDERS = Edge("web", "asks", "orders")
WEB_AT_CATALOG = Edge("web", "asks", "catalog")
TICKETS_FROM_ORDERS = Edge("tickets", "hears", "orders")
HOLD = "/events/{event_id}/holds/{hold_id}"

Document = dict[str, Any]
Plant = Callable[[Document], object]


@pytest.mark.agreement
def test_everything_that_a_consumer_needs_is_declared_and_required() -> None:
    found = findings(Declared.read())
    assert not found, "\n".join(found)


def found(edge: Edge, plant: Plant) -> list[str]:
    """The findings about an edge after a fault was planted into a copy of its provider's documents."""
    apis = {path.stem: json.loads(path.read_text()) for path in (CONTRACTS / "openapi").glob("*.json")}
    schemas = (CONTRACTS / "events").glob("*.schema.json")
    facts = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in schemas}
    plant(apis[edge.provider] if edge.kind == "asks" else facts)
    declared = Declared.of(_texts(apis), _texts(facts))
    return findings_of(edge, read(edge), declared, complete=True)


def _texts(documents: dict[str, Document]) -> dict[str, str]:
    return {name: json.dumps(document) for name, document in documents.items()}


def schema(document: Document, name: str) -> Document:
    part: Document = document["components"]["schemas"][name]
    return part


def operation(document: Document, method: str, route: str) -> Document:
    part: Document = document["paths"][route][method]
    return part


def rename(part: Document, old: str, new: str) -> None:
    part["properties"][new] = part["properties"].pop(old)
    part["required"] = [new if name == old else name for name in part["required"]]


CONFIRMED = "events.orders.order_confirmed.v1"


@pytest.mark.parametrize(
    ("edge", "plant", "said"),
    [
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: rename(schema(api, "HoldOut"), "expires_at", "ends_at"),
            'orders asks inventory, "a hold of a seat": $.expires_at is not declared in the answer 201 of '
            "PUT /events/{event_id}/holds/{hold_id}: inventory does not promise it.",
            id="a renamed field",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: schema(api, "HoldOut")["required"].remove("expires_at"),
            'orders asks inventory, "a hold of a seat": $.expires_at is not required in the answer 201 of '
            "PUT /events/{event_id}/holds/{hold_id}: inventory may leave it out.",
            id="a field that became optional",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: schema(api, "LineOut")["required"].remove("quantity"),
            'orders asks inventory, "a hold of a seat": $.lines[0].quantity is not required in the answer 201 of '
            "PUT /events/{event_id}/holds/{hold_id}: inventory may leave it out.",
            id="a field in a list that became optional",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: schema(api, "LineOut")["properties"]["quantity"].update(type="string"),
            'orders asks inventory, "a hold of a seat": $.lines[0].quantity is 1 in the pact, but the answer 201 of '
            "PUT /events/{event_id}/holds/{hold_id} declares string.",
            id="a field of another type",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: schema(api, "HoldOut")["properties"]["expires_at"].pop("format"),
            'orders asks inventory, "a hold of a seat": $.expires_at is read as date-time, but the answer 201 of '
            "PUT /events/{event_id}/holds/{hold_id} declares any text.",
            id="a moment that became any text",
        ),
        pytest.param(
            WEB_AT_ORDERS,
            lambda api: schema(api, "OrderOut")["properties"]["total_minor"].update(type="number"),
            'web asks orders, "a person\'s orders": $.items[0].total_minor is read as a whole number, but the answer 200 of '
            "GET /orders declares any number.",
            id="whole money that became any number",
        ),
        pytest.param(
            WEB_AT_ORDERS,
            lambda api: schema(api, "OrderOut")["properties"].update(
                number={"anyOf": [{"type": "string"}, {"type": "null"}]}
            ),
            'web asks orders, "a person\'s orders": $.items[0].number in the answer 200 of GET /orders may be null: '
            "orders declares it (OrderOut.number), and no interaction of web says that it understands that.",
            id="a field that may be null now",
        ),
        pytest.param(
            ORDERS_AT_PAYMENTS,
            lambda api: schema(api, "PaymentState")["enum"].append("disputed"),
            'orders asks payments, "how a payment stands": $.state in the answer 200 of GET /payments/{payment_id} may be disputed: '
            "payments declares it (PaymentOut.state), and no interaction of orders says that it understands that.",
            id="an enumeration that is wider than its reader",
        ),
        pytest.param(
            WEB_AT_CATALOG,
            lambda api: schema(api, "ClassOut")["properties"]["kind"]["enum"].remove("seated"),
            'web asks catalog, "the page of an event with seats": $.classes[0].kind: the pact\'s example does not fit the answer '
            "200 of GET /events/{event_id}: 'seated' is not one of ['general'].",
            id="an enumeration that lost a value",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: operation(api, "put", HOLD)["responses"].pop("410"),
            'orders asks inventory, "a hold that was released before it arrived": the answer 410 of '
            "PUT /events/{event_id}/holds/{hold_id} is not documented; 200, 201, 403, 404, 409, 422, 503 are.",
            id="a removed status",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: schema(api, "SeatsTakenProblem")["properties"]["code"].update(const="seats_gone"),
            'orders asks inventory, "a hold of a seat that is taken": $ is a refusal with the code seats_taken in the pact, but '
            "the answer 409 of PUT /events/{event_id}/holds/{hold_id} declares only the codes not_on_sale, sold_out, seats_gone, "
            "hold_differs, pass_used.",
            id="a refusal with another code",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: rename(schema(api, "SeatsTakenProblem"), "seat_ids", "seats"),
            'orders asks inventory, "a hold of a seat that is taken": $.seat_ids is not declared in the answer 409 of '
            "PUT /events/{event_id}/holds/{hold_id}: inventory does not promise it.",
            id="a renamed fact of a refusal",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: operation(api, "put", HOLD)["responses"]["410"].update(
                content={"application/json": {"schema": {}}}
            ),
            'orders asks inventory, "a hold that was released before it arrived": the answer 410 of '
            "PUT /events/{event_id}/holds/{hold_id} is documented as application/json, not as application/problem+json.",
            id="a refusal of another media type",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: schema(api, "HoldIn")["required"].append("buyer"),
            'orders asks inventory, "a hold of a seat": PUT /events/{event_id}/holds/{hold_id} refuses the body that is sent: '
            "$: 'buyer' is a required property.",
            id="a new required field of a request",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: rename(schema(api, "HoldIn"), "ttl_seconds", "lives_seconds"),
            'orders asks inventory, "a hold of a seat": PUT /events/{event_id}/holds/{hold_id} refuses the body that is sent: '
            "$: Additional properties are not allowed ('ttl_seconds' was unexpected).",
            id="a renamed field of a request",
        ),
        pytest.param(
            ORDERS_AT_PAYMENTS,
            lambda api: schema(api, "PaymentIn")["properties"]["currency"].update(enum=["CHF"]),
            'orders asks payments, "a new payment": PUT /payments/{payment_id} refuses the body that is sent: '
            "$.currency: 'EUR' is not one of ['CHF'].",
            id="a narrowed enumeration of a request",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: operation(api, "put", HOLD).pop("requestBody"),
            'orders asks inventory, "a hold of a seat": PUT /events/{event_id}/holds/{hold_id} takes no JSON body, but one is sent.',
            id="a body that is not taken any more",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: operation(api, "post", f"{HOLD}/commit").update(operation(api, "put", HOLD)),
            'orders asks inventory, "the commit of a hold": POST /events/{event_id}/holds/{hold_id}/commit needs a JSON body, '
            "but none is sent.",
            id="a body that is needed now",
        ),
        pytest.param(
            WEB_AT_ORDERS,
            lambda api: operation(api, "get", "/orders")["parameters"].append(
                {"in": "query", "name": "currency", "required": True, "schema": {"type": "string"}}
            ),
            'web asks orders, "a person\'s orders": GET /orders needs the query parameter currency, which is not sent.',
            id="a new required parameter",
        ),
        pytest.param(
            WEB_AT_ORDERS,
            lambda api: operation(api, "get", "/orders")["parameters"][1]["schema"].update(maximum=10),
            "web asks orders, \"a person's orders\": GET /orders does not take '24' as the query parameter limit.",
            id="a parameter that takes less",
        ),
        pytest.param(
            WEB_AT_ORDERS,
            lambda api: operation(api, "get", "/orders")["parameters"][1].update(name="size"),
            'web asks orders, "a person\'s orders": GET /orders has no query parameter limit: orders does not look at it.',
            id="a renamed parameter",
        ),
        pytest.param(
            WEB_AT_ORDERS,
            lambda api: operation(api, "post", "/orders")["parameters"][0].update(name="Request-Key"),
            'web asks orders, "an order of two places": POST /orders needs the header parameter request-key, which is not sent.',
            id="a required header of another name",
        ),
        pytest.param(
            WEB_AT_CATALOG,
            lambda api: operation(api, "get", "/events").update(security=[{"service": [], "person": []}]),
            'web asks catalog, "the first of many events": GET /events needs the header onsale-person, which is not sent.',
            id="a route that needs a person now",
        ),
        pytest.param(
            WEB_AT_CATALOG,
            lambda api: operation(api, "get", "/events").update({"x-callers": ["orders"]}),
            'web asks catalog, "the first of many events": GET /events lets in orders, but not web.',
            id="a caller that is not let in any more",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: api["paths"].update({"/holds/{hold_id}": api["paths"].pop(HOLD)}),
            'orders asks inventory, "a hold of a seat": PUT /events/f78b3e1f-ddef-5a66-bac1-9971f9a7ec5d/holds/'
            "729a8386-1e55-5930-9b58-7ad1c0d3f508 is not documented by inventory: nobody promises that route.",
            id="a route that was moved",
        ),
        pytest.param(
            ORDERS_AT_INVENTORY,
            lambda api: operation(api, "put", HOLD)["responses"].update({"202": {}}),
            f"orders asks inventory: PUT {HOLD} may answer 202: inventory declares it, and no interaction of orders says that it "
            "understands that.",
            id="an answer that nobody reads",
        ),
        pytest.param(
            TICKETS_FROM_ORDERS,
            lambda facts: rename(facts[CONFIRMED]["$defs"]["ConfirmedLine"], "quantity", "count"),
            f'tickets hears orders, "{CONFIRMED} of places": $.data.lines[0].quantity is not declared in the fact {CONFIRMED}: '
            "orders does not promise it.",
            id="a renamed field of a fact",
        ),
        pytest.param(
            TICKETS_FROM_ORDERS,
            lambda facts: facts[CONFIRMED]["required"].remove("venue_name"),
            f'tickets hears orders, "{CONFIRMED} of places": $.data.venue_name is not required in the fact {CONFIRMED}: '
            "orders may leave it out.",
            id="a field of a fact that became optional",
        ),
        pytest.param(
            TICKETS_FROM_ORDERS,
            lambda facts: facts.pop(CONFIRMED),
            f'tickets hears orders, "{CONFIRMED} of places": there is no schema of {CONFIRMED}: orders does not promise to tell it.',
            id="a fact that is gone",
        ),
        pytest.param(
            Edge("web", "watches", "inventory"),
            lambda facts: rename(facts["bus.inventory.places_changed"]["$defs"]["ChangedSeat"], "seat_id", "seat"),
            'web watches inventory, "bus.inventory.places_changed of seats that are free": $.seats[0].seat_id is not declared in '
            "the message bus.inventory.places_changed: inventory does not promise it.",
            id="a renamed field of a bus message",
        ),
        pytest.param(
            Edge("notifications", "hears", "orders"),
            lambda facts: facts["events.orders.order_cancelled.v1"]["properties"]["reason"].pop("enum"),
            'notifications hears orders, "events.orders.order_cancelled.v1 after money": $.data.reason is read as one of '
            "places_gone, expired, buyer, refused, payment_failed, event_cancelled, but the fact events.orders.order_cancelled.v1 declares "
            "any text.",
            id="an enumeration of a fact that became any text",
        ),
    ],
)
def test_a_planted_fault_is_reported_in_a_sentence(edge: Edge, plant: Plant, said: str) -> None:
    assert said in found(edge, plant)


def test_a_pact_on_a_route_that_nobody_documents_is_reported() -> None:
    interactions: list[Interaction] = json.loads(json.dumps(read(ORDERS_AT_INVENTORY)))
    interactions[0]["request"]["path"] = "/hidden"
    (sentence,) = findings_of(ORDERS_AT_INVENTORY, interactions, Declared.read())
    assert "PUT /hidden is not documented by inventory: nobody promises that route." in sentence


def test_a_provider_without_a_document_is_reported() -> None:
    sentences = findings_of(ORDERS_AT_INVENTORY, read(ORDERS_AT_INVENTORY), Declared.of({}, {}))
    assert "there is no document of inventory, so nobody promises PUT /events/" in sentences[0]


def test_a_partners_pact_is_held_against_the_documents_as_well(tmp_path: Path) -> None:
    document = json.loads((PACTS / ORDERS_AT_INVENTORY.file_name).read_text())
    document["consumer"]["name"] = "partner"
    document["interactions"] = [each for each in document["interactions"] if each["description"] == "a hold of a seat"]
    for folder in ("pacts", "external"):
        (tmp_path / folder).mkdir()
    (tmp_path / "external" / "partner-asks-inventory.json").write_text(json.dumps(document))
    sentences = findings(Declared.read(), tmp_path / "pacts")
    # Also not reported: that seat_label may be null, which only a consumer of our own must say that it understands.
    assert sentences == [f'partner asks inventory, "a hold of a seat": PUT {HOLD} lets in orders, but not partner.']


def test_a_service_of_our_own_that_reads_neither_null_nor_another_answer_is_reported() -> None:
    seats = [each for each in read(ORDERS_AT_INVENTORY) if each["description"] == "a hold of a seat"]
    sentences = findings_of(ORDERS_AT_INVENTORY, seats, Declared.read(), complete=True)
    assert [each.split(" in the answer")[0] for each in sentences] == [
        'orders asks inventory, "a hold of a seat": $.lines[0].seat_id',
        'orders asks inventory, "a hold of a seat": $.lines[0].seat_label',
        (
            f"orders asks inventory: PUT {HOLD} may answer 200: inventory declares it, and no interaction of orders says that it "
            "understands that."
        ),
    ]


def test_an_answer_that_a_partner_does_not_read_is_its_own_matter() -> None:
    documents = {path.stem: json.loads(path.read_text()) for path in (CONTRACTS / "openapi").glob("*.json")}
    operation(documents["inventory"], "put", HOLD)["responses"]["202"] = {}
    sentences = findings_of(ORDERS_AT_INVENTORY, read(ORDERS_AT_INVENTORY), Declared.of(_texts(documents), {}))
    assert sentences == []


def test_a_refusal_that_nobody_reads_is_no_finding_here() -> None:
    sentences = found(ORDERS_AT_INVENTORY, lambda api: operation(api, "put", HOLD)["responses"].update({"418": {}}))
    assert sentences == []


def test_an_argument_that_the_gate_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["needs", "--provider"])
    with pytest.raises(SystemExit, match="2"):
        main()
