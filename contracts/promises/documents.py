"""What services promise, written down from their code: an OpenAPI document each, a JSON Schema for each fact and bus message, an
AsyncAPI document of who sends and receives them, and examples of what the chassis puts around all of it (contracts/protocol).

`make documents` writes them; a test compares them, so that every change of an interface is seen in the diff.
"""

import json
from pathlib import Path
from typing import Any

from chassis.facts import Fact
from contracts.applications import applications
from contracts.facts import Publishable, published_by
from contracts.promises import asyncapi
from contracts.protocol import writing
from local.topology import SERVICES

FOLDER = Path(__file__).parents[1]
ASYNCAPI = "asyncapi.json"
COMMAND = "`make documents`"


def documents() -> dict[Path, str]:
    """Every document by its path, as the code says it now."""
    openapi = {FOLDER / "openapi" / f"{name}.json": _text(app.openapi()) for name, app in applications().items()}
    published = [each for name in SERVICES for each in published_by(name)]
    schemas = {FOLDER / "events" / f"{each.subject}.schema.json": _text(_schema_of(each)) for each in published}
    protocol = {writing.EXAMPLES: writing.text_of(writing.examples())}
    return {**openapi, **schemas, **protocol, FOLDER / ASYNCAPI: _text(asyncapi.document(published))}


def written() -> set[Path]:
    """The documents that are there."""
    schemas = (FOLDER / "events").glob("*.schema.json")
    protocol = FOLDER.glob(str(writing.EXAMPLES.relative_to(FOLDER)))
    return {*(FOLDER / "openapi").glob("*.json"), *schemas, *protocol, *FOLDER.glob(ASYNCAPI)}


def stale_documents() -> list[str]:
    """The names of documents that are not what the code says, are missing, or are left over."""
    made = documents()
    apart = {path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    return sorted(path.name for path in apart | (written() - made.keys()))


def stale_documents_of(service: str) -> list[str]:
    """The same of one service, without building the others."""
    published = [(f"events/{each.subject}.schema.json", _text(_schema_of(each))) for each in published_by(service)]
    made = [(f"openapi/{service}.json", _text(applications([service])[service].openapi())), *published]
    return [name for name, text in made if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != text]


def stale_examples() -> list[str]:
    """The same of the examples of the protocol."""
    made = writing.text_of(writing.examples())
    is_fresh = writing.EXAMPLES.exists() and writing.EXAMPLES.read_text(encoding="utf-8") == made
    return [] if is_fresh else [str(writing.EXAMPLES.relative_to(FOLDER))]


def _schema_of(published: type[Publishable]) -> dict[str, Any]:
    schema = published.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:onsale:{'fact' if issubclass(published, Fact) else 'message'}:{published.subject}",
        **schema,
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write() -> None:
    """Writes all documents, and removes those of what is gone."""
    made = documents()
    for path in written() - made.keys():
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
