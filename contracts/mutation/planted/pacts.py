"""Breaks of pacts: deleted, edited by hand, or without one of their sides."""

from typing import Any

from contracts.mutation.breaks import Break, Delete, Document, Edit
from contracts.mutation.planted.places import NEEDED, TWO_SIDES, asks, is_asked, pact

ORDERS_AT_INVENTORY = pact("orders-asks-inventory")
WRITES, VERIFIES = asks("orders", "inventory"), is_asked("inventory")
A_SEAT, RELEASED = "a hold of a seat", "the commit of a released hold"


def _of(document: dict[str, Any], description: str) -> dict[str, Any]:
    """An interaction by its description. Raises StopIteration."""
    found: dict[str, Any] = next(each for each in document["interactions"] if each["description"] == description)
    return found


def _loosen(document: dict[str, Any]) -> None:
    _of(document, A_SEAT)["response"]["matchingRules"]["body"]["$.expires_at"]["matchers"].pop()


def _ask_for_less(document: dict[str, Any]) -> None:
    del _of(document, A_SEAT)["response"]["body"]["content"]["expires_at"]


def _remove(document: dict[str, Any]) -> None:
    document["interactions"].remove(_of(document, RELEASED))


def _invent(document: dict[str, Any]) -> None:
    document["interactions"].append({**_of(document, RELEASED), "description": "the commit of a dream"})


def _repeat(document: dict[str, Any]) -> None:
    document["interactions"].append(_of(document, RELEASED))


def _empty(document: dict[str, Any]) -> None:
    document["interactions"].clear()


def _misname(document: dict[str, Any]) -> None:
    document["provider"]["name"] = "inventry"


BREAKS = (
    Break(
        "a pact is loosened by hand",
        (Document(ORDERS_AT_INVENTORY, _loosen),),
        (WRITES,),
        ("orders asks inventory", A_SEAT, "$.expires_at"),
    ),
    Break(
        "a field is taken out of a pact by hand",
        (Document(ORDERS_AT_INVENTORY, _ask_for_less),),
        (WRITES,),
        ("orders asks inventory", A_SEAT, "$.response.body.content.expires_at: the test says it"),
    ),
    Break(
        "an interaction is taken out of a pact by hand",
        (Document(ORDERS_AT_INVENTORY, _remove),),
        (WRITES,),
        ("orders asks inventory", f'"{RELEASED}" is new: it is not committed yet.'),
    ),
    Break(
        "an interaction is put into a pact by hand",
        (Document(ORDERS_AT_INVENTORY, _invent),),
        (WRITES,),
        ("orders asks inventory", '"the commit of a dream" is stale: no test makes it any more.'),
    ),
    Break(
        "an interaction is in a pact twice",
        (Document(ORDERS_AT_INVENTORY, _repeat),),
        (VERIFIES,),
        ("orders-asks-inventory.json has two interactions of the same description and states",),
    ),
    Break(
        "a pact has no interactions",
        (Document(ORDERS_AT_INVENTORY, _empty),),
        (VERIFIES,),
        ("The pact of orders asks inventory has no interactions",),
    ),
    Break(
        "a pact names another provider",
        (Document(ORDERS_AT_INVENTORY, _misname),),
        (VERIFIES,),
        ("is about orders and inventry, not about orders asks inventory",),
    ),
    Break(
        "a pact is deleted",
        (Delete(pact("web-asks-inventory")),),
        (VERIFIES,),
        ("There is no pact in which web asks inventory",),
    ),
    Break(
        "a pact and all that is said about it are deleted, but for the client",
        (
            Delete(pact("web-asks-inventory")),
            Delete(asks("web", "inventory")),
            Edit(VERIFIES, 'callers=["orders", "waitingroom", "web"]', 'callers=["orders", "waitingroom"]'),
        ),
        (NEEDED,),
        ("web", "/events/{event_id}/availability"),
    ),
    Break(
        "a consumer's test file is deleted",
        (Delete(WRITES),),
        (TWO_SIDES,),
        ("Nobody writes orders-asks-inventory.json any more",),
    ),
    Break(
        "a test of a consumer is deleted",
        (
            Edit(
                WRITES,
                "async def test_a_hold_that_never_arrived_can_be_given_back(",
                "async def a_hold_that_never_arrived_can_be_given_back(",
            ),
        ),
        (WRITES,),
        ('"the release of a hold that is not known" is stale',),
    ),
    Break(
        "a verification is deleted",
        (Delete(VERIFIES),),
        (TWO_SIDES,),
        ("Nobody verifies orders-asks-inventory.json",),
    ),
    Break(
        "a description is used twice",
        (Edit(WRITES, '"the commit of a hold that is not known"', '"the release of a hold that is not known"'),),
        (WRITES,),
        ('there are two interactions "the release of a hold that is not known" in the same states',),
    ),
    Break(
        "a test declares another provider",
        (Edit(WRITES, 'asks("orders", "inventory", InventoryClient)', 'asks("orders", "inventry", InventoryClient)'),),
        (WRITES,),
        ("There is no pact of orders asks inventry",),
    ),
)
