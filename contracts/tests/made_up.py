"""Two made-up services, a reader and a library, with all that an edge needs on both sides. Tests take one thing away at a time."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from chassis.asking import NOTHING, Client, Read, Sent, Use
from chassis.consistency import own_writes
from chassis.operations import EVERYBODY, Operation
from contracts.completeness.services import Service, System
from contracts.pactfile import Edge, Interaction, render

ASKS = Edge("reader", "asks", "library")
HEARS = Edge("reader", "hears", "library")
WATCHES = Edge("reader", "watches", "library")


class _Refusal(Exception):
    """A refusal of the library."""

    code: ClassVar[str]
    category: ClassVar[str]


class ShelfUnknown(_Refusal):
    """There is no such shelf."""

    code = "shelf_unknown"
    category = "not_found"


class ShelfEmpty(_Refusal):
    """There is nothing on it."""

    code = "shelf_empty"
    category = "gone"


class LibraryBusy(_Refusal):
    """Too many readers."""

    code = "library_busy"
    category = "unavailable"


class Shelf(BaseModel):
    """What the library answers."""

    shelf_id: UUID


class Order(Sent):
    """In which order books are wanted."""

    order: str | None = Field(default=None, max_length=20)


class Loan(Sent):
    """Who borrows."""

    name: str = Field(min_length=1, max_length=50)


class ShelfRead(Read):
    """What the reader reads of it."""

    shelf_id: UUID


OLD = own_writes(30, "Books stand still.")
GET_SHELF = Operation(
    "GET", "/shelves/{shelf_id}", callers=("reader",), answers=Shelf, refuses=(ShelfUnknown,), reads=OLD
)
LEND = Operation("POST", "/shelves/{id}/lend", callers=("reader",), refuses=(ShelfEmpty, LibraryBusy))
GET_ALL = Operation("GET", "/shelves/all", callers=EVERYBODY, answers=Shelf, reads=OLD)

SHELF = Use("GET", "/shelves/{shelf_id}", reads=ShelfRead, query=Order, refusals={"shelf_unknown": None})
BORROW = Use("POST", "/shelves/{shelf_id}/lend", reads=NOTHING, sends=Loan, refusals={"shelf_empty": None})


class LibraryClient(Client):
    """What the reader asks of the library."""

    provider = "library"
    uses = (SHELF, BORROW)


READER = Service(
    "reader", clients=(LibraryClient,), hears=("events.library.>",), watches=("bus.library.shelf_changed.>",)
)
LIBRARY = Service(
    "library",
    operations=(GET_SHELF, LEND, GET_ALL),
    facts=("events.library.book_lent.v1",),
    messages=("bus.library.shelf_changed",),
)
DESCRIPTOR = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
spec:
  type: service
  lifecycle: production
  owner: group:default/team-{name}
  system: made-up
{more}
"""
API = """---
apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: {name}
spec:
  type: {type}
  lifecycle: production
  owner: group:default/team-library
  definition:
    $text: ../../contracts/{document}
"""
LIBRARYS_APIS = (
    ("library-http", "openapi", "openapi/library.json"),
    ("book-lent", "jsonschema", "events/events.library.book_lent.v1.schema.json"),
    ("shelf-changed", "jsonschema", "events/bus.library.shelf_changed.schema.json"),
)
CONSUMES = "  consumesApis: [library-http, book-lent, shelf-changed]"
PROVIDES = "  providesApis:\n    [library-http, book-lent,\n     shelf-changed]"


def make_up(root: Path) -> System:
    """Both services, with their documents and their pacts below a folder. As they are, nothing is wrong with them."""
    reader, library = root / "services" / "reader", root / "services" / "library"
    write(reader / "catalog-info.yaml", DESCRIPTOR.format(name="reader", more=CONSUMES))
    for edge in (ASKS, HEARS, WATCHES):
        test = f'library = {edge.kind}("reader", "library", LibraryClient)'
        write(reader / "tests/contract" / f"test_{edge.kind}_library.py", test)
    apis = "".join(API.format(name=name, type=kind, document=document) for name, kind, document in LIBRARYS_APIS)
    write(library / "catalog-info.yaml", DESCRIPTOR.format(name="library", more=PROVIDES) + apis)
    verified = 'verify_answers(\n"library", url)\nverify_facts("library")\nverify_messages("library")'
    write(library / "tests/contract/test_is_asked.py", verified)
    documents = root / "contracts"
    write(documents / "openapi/library.json", json.dumps(document()))
    write(documents / "events/events.library.book_lent.v1.schema.json", "{}")
    write(documents / "events/bus.library.shelf_changed.schema.json", "{}")
    services = {"reader": READER, "library": LIBRARY}
    system = System(services, root / "services", root / "pacts", documents)
    write_pact(system, ASKS, A_SHELF, A_LOAN, *REFUSALS)
    write_pact(system, HEARS, {"description": "events.library.book_lent.v1", "contents": {"content": {}}})
    write_pact(system, WATCHES, {"description": "bus.library.shelf_changed of a book", "contents": {"content": {}}})
    return system


def changed(system: System, name: str, **changes: Any) -> System:
    """The same with other declarations of one service."""
    return replace(system, services={**system.services, name: replace(system.service(name), **changes)})


def asking(*uses: Use[Any]) -> type[Client]:
    """A client of the library that declares these operations."""
    return type("LibraryClient", (Client,), {"provider": "library", "uses": uses, "__module__": __name__})


def asked(
    description: str,
    method: str,
    path: str,
    status: int = 200,
    code: str | None = None,
    body: Any = None,
    **query: str,
) -> Interaction:
    """An interaction over HTTP, as far as edges are concerned; with a code it is a refusal."""
    refusal: dict[str, Any] = {"body": {"content": {"code": code, "status": status}}} if code else {}
    sent = {} if body is None else {"body": {"content": body}}
    return {
        "description": description,
        "request": {"method": method, "path": path, "query": {name: [value] for name, value in query.items()}, **sent},
        "response": {"status": status, **refusal},
    }


def document() -> dict[str, Any]:
    """The library's OpenAPI document, as far as it is looked at."""
    lends = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loan"}}}}
    loan = {
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 100}},
        "required": ["name"],
    }
    order = {
        "in": "query",
        "name": "order",
        "schema": {"anyOf": [{"type": "string", "maxLength": 20}, {"type": "null"}]},
    }
    return {
        "paths": {
            "/shelves/{shelf_id}": {"get": {"parameters": [order], "responses": {}}},
            "/shelves/{id}/lend": {"post": {"requestBody": lends, "responses": {}}},
            "/shelves/all": {"get": {"responses": {}}},
        },
        "components": {"schemas": {"Loan": loan}},
    }


A_SHELF = asked("a shelf", "GET", "/shelves/7", order="title")
A_LOAN = asked("a loan", "POST", "/shelves/7/lend", body={"name": "Ada"})
REFUSALS = (
    asked("a shelf that is not there", "GET", "/shelves/8", 404, "shelf_unknown"),
    asked("a loan from an empty shelf", "POST", "/shelves/9/lend", 410, "shelf_empty"),
    asked("a loan in a crowd", "POST", "/shelves/10/lend", 503, "library_busy"),
)


def write_pact(system: System, edge: Edge, *interactions: Interaction) -> None:
    """Writes a pact, in place of the one that is there."""
    write(system.pacts / edge.file_name, render(edge, list(interactions)))


def write(path: Path, text: str) -> None:
    """Writes a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    """Replaces a text that is there once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")
