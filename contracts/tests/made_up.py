"""Two made-up services, a reader and a library, with all that an edge needs on both sides. Tests take one thing away at a time."""

import json
from pathlib import Path
from typing import Any

from contracts.completeness.offers import Folders
from contracts.pactfile import Edge, Interaction, render

ASKS = Edge("reader", "asks", "library")
HEARS = Edge("reader", "hears", "library")
WATCHES = Edge("reader", "watches", "library")

CLIENT = '''
import httpx

from chassis.http import ProviderProblem, expect

SHELF = "/shelves/{shelf_id}"


class LibraryClient:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def shelf(self, shelf_id):
        """A shelf; ProviderProblem `shelf_unknown`."""
        return await self._http.get(f"/shelves/{shelf_id}", params={"order": "title"}, extensions={"route": SHELF})

    async def lend(self, shelf_id):
        response = await self._end(shelf_id, "lend")
        try:
            expect(response, 200, provider="library")
        except ProviderProblem as problem:
            if problem.problem_code == "shelf_empty" or problem.status == 410:
                return None
            raise

    async def _end(self, shelf_id, how):
        return await self._http.post(_address(shelf_id, how))


def _address(shelf_id, how):
    return f"/shelves/{shelf_id}/{how}"
'''
READERS_APP = """
def create_app(settings):
    service = Service(settings)
    client = LibraryClient(service.client("library", settings.library_url))
    service.listen("events.library.>", on_fact)
    service.bus.subscribe("bus.library.shelf_changed.>", on_message)
"""
LIBRARYS_CODE = """
class Shelves:
    async def change(self, tx, shelf_id):
        await tx.publish(BookLent(shelf_id=shelf_id))
        await self._bus.publish(f"bus.library.shelf_changed.{shelf_id}", {})
"""
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
# Codes with which an operation may refuse, by status; the last one is the chassis's own.
OPERATIONS: dict[str, dict[str, dict[int, list[str]]]] = {
    "/shelves/{shelf_id}": {"get": {404: ["shelf_unknown"]}},
    "/shelves/{id}/lend": {"post": {410: ["shelf_empty"], 503: ["library_busy", "store_unavailable"]}},
    "/shelves/all": {"get": {}},
}


def make_up(root: Path) -> Folders:
    """Writes both services, their documents and their pacts below a folder. As they are, nothing is wrong with them."""
    reader, library = root / "services" / "reader", root / "services" / "library"
    write(reader / "app.py", READERS_APP)
    write(reader / "clients" / "library.py", CLIENT)
    write(reader / "catalog-info.yaml", DESCRIPTOR.format(name="reader", more=CONSUMES))
    for edge in (ASKS, HEARS, WATCHES):
        test = f'library = {edge.kind}("reader", "library", LibraryClient)'
        write(reader / "tests/contract" / f"test_{edge.kind}_library.py", test)
    write(library / "app.py", "def create_app(settings): ...")
    write(library / "service.py", LIBRARYS_CODE)
    apis = "".join(API.format(name=name, type=kind, document=document) for name, kind, document in LIBRARYS_APIS)
    write(library / "catalog-info.yaml", DESCRIPTOR.format(name="library", more=PROVIDES) + apis)
    verified = 'verify_answers(\n"library", url)\nverify_facts("library")\nverify_messages("library")'
    write(library / "tests/contract/test_is_asked.py", verified)
    documents = root / "contracts"
    write(documents / "openapi/library.json", json.dumps(_document()))
    write(documents / "events/events.library.book_lent.v1.schema.json", "{}")
    write(documents / "events/bus.library.shelf_changed.schema.json", "{}")
    folders = Folders(root / "services", root / "pacts", documents)
    write_pact(
        folders,
        ASKS,
        asked("a shelf", "GET", "/shelves/7", order="title"),
        *REFUSALS,
        asked("a loan", "POST", "/shelves/7/lend"),
    )
    write_pact(folders, HEARS, {"description": "events.library.book_lent.v1", "contents": {"content": {}}})
    write_pact(folders, WATCHES, {"description": "bus.library.shelf_changed of a book", "contents": {"content": {}}})
    return folders


def asked(
    description: str, method: str, path: str, status: int = 200, code: str | None = None, **query: str
) -> Interaction:
    """An interaction over HTTP, as far as edges are concerned; with a code it is a refusal."""
    body: dict[str, Any] = {"body": {"content": {"code": code, "status": status}}} if code else {}
    return {
        "description": description,
        "request": {"method": method, "path": path, "query": {name: [value] for name, value in query.items()}},
        "response": {"status": status, **body},
    }


def _document() -> dict[str, Any]:
    """The library's OpenAPI document, its refusals as chassis/documented.py writes them: one schema, or one of several."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for route, offered in OPERATIONS.items():
        for method, refusals in offered.items():
            responses: dict[str, Any] = {"default": {"description": "Any other refusal."}}
            for status, codes in refusals.items():
                schemas |= {
                    code: {"properties": {"code": {"const": code}, "status": {"const": status}}} for code in codes
                }
                references = [{"$ref": f"#/components/schemas/{code}"} for code in codes]
                schema = references[0] if len(references) == 1 else {"oneOf": references}
                responses[str(status)] = {"content": {"application/problem+json": {"schema": schema}}}
            paths[route] = {method: {"responses": responses}}
    return {"paths": paths, "components": {"schemas": schemas}}


CONSUMES = "  consumesApis: [library-http, book-lent, shelf-changed]"
PROVIDES = "  providesApis:\n    [library-http, book-lent,\n     shelf-changed]"
REFUSALS = (
    asked("a shelf that is not there", "GET", "/shelves/8", 404, "shelf_unknown"),
    asked("a loan from an empty shelf", "POST", "/shelves/9/lend", 410, "shelf_empty"),
    asked("a loan in a crowd", "POST", "/shelves/10/lend", 503, "library_busy"),
)


def write_pact(folders: Folders, edge: Edge, *interactions: Interaction) -> None:
    """Writes a pact, in place of the one that is there."""
    write(folders.pacts / edge.file_name, render(edge, list(interactions)))


def write(path: Path, text: str) -> None:
    """Writes a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    """Replaces a text that is there once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")
