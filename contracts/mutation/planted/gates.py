"""Breaks that no run of a provider shows: they are seen in its documents, its pacts and its code, held against each other."""

from typing import Any

from contracts.mutation.breaks import Break, Document, Documents, Edit
from contracts.mutation.planted.places import (
    AMOUNTS,
    COVERAGE,
    DESCRIPTORS,
    NEEDS,
    PICTURE,
    hears,
    is_asked,
    pact,
)

TICKETS_API = "services/tickets/api.py"
INVENTORY_API = "services/inventory/api.py"
CONFIRMED = "events.orders.order_confirmed.v1"


def _may_be_left_out(schema: dict[str, Any]) -> None:
    schema["required"].remove("venue_name")


def _wants_more(document: dict[str, Any]) -> None:
    hold = document["components"]["schemas"]["HoldIn"]
    hold["properties"]["channel"] = {"type": "string"}
    hold["required"].append("channel")


def _says_less(document: dict[str, Any]) -> None:
    del document["paths"]["/events/{event_id}/availability"]["get"]["responses"]["404"]


def _asks_in_secret(document: dict[str, Any]) -> None:
    found = next(each for each in document["interactions"] if each["description"] == "a hold of a seat")
    found["request"]["path"] = "/hidden"


def _needs_less(document: dict[str, Any]) -> None:
    document["interactions"].pop()


def _offers_more(document: dict[str, Any]) -> None:
    document["paths"]["/my-tickets"] = {"get": document["paths"]["/tickets"]["get"]}


BREAKS = (
    Break(
        "a parameter that a consumer sends has another name, and its provider answers all the same",
        (Edit(TICKETS_API, 'Query(alias="format")', 'Query(alias="paper")'), Documents()),
        (NEEDS,),
        ("web asks tickets", "GET /orders/{order_id}/tickets.pdf has no query parameter format"),
        blind=(is_asked("tickets"),),
    ),
    Break(
        "a request needs one field more, as its document says",
        (Document("contracts/openapi/inventory.json", _wants_more),),
        (NEEDS,),
        ("orders asks inventory", "a hold of a seat", "refuses the body that is sent", "channel"),
    ),
    Break(
        "a field of a fact may be left out",
        (Document(f"contracts/events/{CONFIRMED}.schema.json", _may_be_left_out),),
        (NEEDS,),
        ("tickets hears orders", "$.data.venue_name is not required"),
    ),
    Break(
        "a refusal that a consumer handles is not documented any more",
        (Document("contracts/openapi/inventory.json", _says_less),),
        (NEEDS,),
        ("web asks inventory", "the answer 404 of GET /events/{event_id}/availability is not documented"),
    ),
    Break(
        "a contract is about a route that nobody documents",
        (Document(pact("orders-asks-inventory"), _asks_in_secret),),
        (NEEDS,),
        ("orders asks inventory", "PUT /hidden is not documented by inventory"),
    ),
    Break(
        "a route is offered that no contract uses",
        (Document("contracts/openapi/tickets.json", _offers_more),),
        (COVERAGE,),
        ("No contract uses GET /my-tickets of tickets",),
    ),
    Break(
        "a route is hidden from the documents",
        (
            Edit(
                INVENTORY_API,
                "    @serves(router, GET_SEATS)\n",
                '    @router.get("/backdoor/{event_id}", dependencies=[GET_SEATS.access], include_in_schema=False)\n'
                "    @serves(router, GET_SEATS)\n",
            ),
        ),
        (COVERAGE,),
        ("inventory answers GET /backdoor/{event_id}, but its OpenAPI document does not tell of it",),
    ),
    Break(
        "a descriptor does not say what its service needs",
        (Edit("services/orders/catalog-info.yaml", "inventory-http, ", ""),),
        (DESCRIPTORS,),
        ("orders/catalog-info.yaml", "consumesApis lacks inventory-http"),
    ),
    Break(
        "the picture of the contracts is not made anew",
        (Document(pact("orders-asks-inventory"), _needs_less),),
        (PICTURE,),
        ("README.md, contracts.md does not show the contracts that there are",),
    ),
    Break(
        "a contract reads an amount by its type alone",
        (Edit(hears("tickets", "orders"), '"unit_price_minor": 2500', '"unit_price_minor": matchers.money(2500)'),),
        (AMOUNTS,),
        ("tickets hears orders", f"{CONFIRMED}: unit_price_minor would be read in another unit as well"),
        rewrites=(hears("tickets", "orders"),),
        blind=(hears("tickets", "orders"),),
    ),
)
