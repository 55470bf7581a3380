"""What the tests of growth change: documents of facts and APIs as they are committed."""

import json
from collections.abc import Callable
from typing import Any

from contracts.promises.declared import CONTRACTS

CONFIRMED = "events.orders.order_confirmed.v1"

Document = dict[str, Any]
Plant = Callable[[Document], object]


def document_of(*names: str) -> Document:
    made: Document = json.loads(CONTRACTS.joinpath(*names).read_text())
    return made


def properties(document: Document) -> Document:
    found: Document = document["properties"]
    return found


def add(document: Document, name: str, *, required: bool = True) -> None:
    document["properties"][name] = {"type": "string"}
    document["required"] += [name] * required
