"""What services offer to others: operations, facts, bus messages; and the folders in which that is written."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from contracts.completeness.calls import HOLE, PUBLISH, first_arguments
from contracts.pactfile import PACTS

ROOT = Path(__file__).parents[2]
PROBLEM = "application/problem+json"
METHODS = ("get", "post", "put", "patch", "delete")
# `bus.<service>.<what>`, then the id of what it is about; a fact has its version there.
SUBJECT_WORDS = 3


@dataclass(frozen=True)
class Folders:
    """Where to look: the services, the pacts, and the documents of what services offer (`openapi/`, `events/`)."""

    services: Path = ROOT / "services"
    pacts: Path = PACTS
    documents: Path = ROOT / "contracts"

    def names(self) -> list[str]:
        """The services."""
        return sorted(path.parent.name for path in self.services.glob("*/app.py"))

    @cached_property
    def offers(self) -> "Offers":
        """What the services offer."""
        return Offers(self)


@dataclass(frozen=True)
class Offers:
    """What each service offers: its operations by its OpenAPI document, its facts by their schemas, its bus messages by its code."""

    folders: Folders
    _documents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def operations(self, provider: str) -> list[str]:
        """Like `GET /events/{event_id}`, in the words of the document."""
        return [f"{method} {route}" for method, routes in self._routes_of(provider).items() for route in routes]

    def refusals(self, provider: str, operation: str) -> dict[str, int]:
        """The codes with which an operation may refuse, as far as its document names them, and their statuses."""
        method, _, route = operation.partition(" ")
        document = self._document(provider)
        found: dict[str, int] = {}
        for response in document["paths"][route][method.lower()].get("responses", {}).values():
            schema = response.get("content", {}).get(PROBLEM, {}).get("schema", {})
            for each in schema.get("oneOf", [schema]):
                told = document
                for step in each.get("$ref", "#/").removeprefix("#/").split("/"):
                    told = told[step] if step else {}
                properties = told.get("properties", {})
                if "const" in properties.get("code", {}):
                    found[properties["code"]["const"]] = properties["status"]["const"]
        return found

    def facts(self, provider: str) -> list[str]:
        """The subjects of its facts."""
        found = (self.folders.documents / "events").glob(f"events.{provider}.*.schema.json")
        return sorted(path.name.removesuffix(".schema.json") for path in found)

    def messages(self, provider: str) -> list[str]:
        """The subjects of its bus messages, without the id that ends them."""
        service = self.folders.services / provider
        # What the firehose and the outbox publish has no text here: it is a fact, and known by its schema.
        said = first_arguments(service, PUBLISH, texts_only=True) if service.is_dir() else []
        return sorted({message_of(each.text) for each in said if each.text.startswith(f"bus.{provider}.")})

    def called(self, provider: str, method: str, address: str) -> str | None:
        """The operation that an address with `{}` for its unknown parts stands for; None if there is none."""
        routes = self._routes_of(provider).get(method, [])
        return next((f"{method} {route}" for route in routes if re.sub(r"\{[^}]*\}", HOLE, route) == address), None)

    def asked(self, provider: str, method: str, path: str) -> str | None:
        """The operation that answers a real path; None if there is none. The route with the fewest parameters wins."""
        routes = sorted(self._routes_of(provider).get(method, []), key=lambda route: route.count("{"))
        return next((f"{method} {route}" for route in routes if _pattern(route).fullmatch(path)), None)

    def _routes_of(self, provider: str) -> dict[str, list[str]]:
        paths = self._document(provider)["paths"]
        return {method.upper(): [route for route, offered in paths.items() if method in offered] for method in METHODS}

    def _document(self, provider: str) -> dict[str, Any]:
        if provider not in self._documents:
            path = self.folders.documents / "openapi" / f"{provider}.json"
            self._documents[provider] = orjson.loads(path.read_bytes()) if path.exists() else {"paths": {}}
        return self._documents[provider]


def message_of(subject: str) -> str:
    """The subject of a bus message without the id that ends it."""
    return ".".join(subject.split(".")[:SUBJECT_WORDS])


def _pattern(route: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]*\})", route)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts))
