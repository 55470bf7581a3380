"""What providers declare: their OpenAPI documents and the schemas of what they tell, as the other checks read them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from contracts.promises.validating import validator_class

CONTRACTS = Path(__file__).parents[1]
JSON = "application/json"
PROBLEM = "application/problem+json"
DEFAULT = "default"
FIRST_REFUSAL = "4"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Schema:
    """A JSON Schema within its document. `place` is where it is declared, for people and as its identity: `HoldOut.expires_at`."""

    node: dict[str, Any]
    root: dict[str, Any] = field(repr=False, compare=False)
    place: str

    def branches(self) -> list[Self]:
        """What a value may be, one by one: the alternatives of a union, references followed. A property keeps its own place."""
        node, place = self.node, self.place
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            return self._at(_followed(self.root, node["$ref"]), name).branches()
        for union in ("anyOf", "oneOf"):
            if union in node:
                return [branch for each in node[union] for branch in self._at(each, place).branches()]
        return [self]

    @property
    def types(self) -> set[str]:
        """The JSON types that it allows; none if it says nothing."""
        if "type" not in self.node:
            fixed = self.node.get("enum", [self.node["const"]] if "const" in self.node else [])
            return {type_of(value) for value in fixed}
        kind = self.node["type"]
        return set(kind) if isinstance(kind, list) else {kind}

    @property
    def values(self) -> list[Any] | None:
        """The only values that it allows, if it names them."""
        if "const" in self.node:
            return [self.node["const"]]
        values: list[Any] | None = self.node.get("enum")
        return values

    @property
    def required(self) -> set[str]:
        """The members that an object always has."""
        return set(self.node.get("required", ()))

    @property
    def members(self) -> dict[str, Self]:
        """The members that an object may have."""
        declared = self.node.get("properties", {})
        return {name: self._at(node, f"{self.place}.{name}") for name, node in declared.items()}

    def item(self, number: int) -> Self | None:
        """What the item of a list must be; None if nothing is said of it."""
        prefix = self.node.get("prefixItems", [])
        node = prefix[number] if number < len(prefix) else self.node.get("items")
        return self._at(node, f"{self.place}[]") if isinstance(node, dict) else None

    @property
    def may_be_null(self) -> bool:
        """Whether null is among what it allows."""
        return any("null" in branch.types for branch in self.branches())

    def faults_of(self, value: Any) -> list[str]:
        """What is wrong with a value, as sentences that begin with its path."""
        referred = {name: self.root[name] for name in ("components", "$defs") if name in self.root}
        kind = validator_class()
        validator = kind({**referred, **self.node}, format_checker=kind.FORMAT_CHECKER)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def _at(self, node: dict[str, Any], place: str) -> Self:
        return type(self)(node, self.root, place)


@dataclass(frozen=True)
class Operation:
    """A route of a provider with a method, as its document declares it."""

    method: str
    route: str
    node: dict[str, Any] = field(repr=False, compare=False)
    root: dict[str, Any] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def parameters(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The parameters by where they are (`query`, `header` ...) and name; names of headers in lower case."""
        found = self.node.get("parameters", [])
        return {(each["in"], each["name"].lower() if each["in"] == "header" else each["name"]): each for each in found}

    def schema_of(self, parameter: dict[str, Any]) -> Schema:
        """What a parameter must be."""
        return Schema(parameter.get("schema", {}), self.root, parameter["name"])

    def headers_of_access(self) -> list[set[str]]:
        """The headers with tokens that a caller must send: one of these sets. None: everybody may call."""
        schemes = self.root.get("components", {}).get("securitySchemes", {})
        return [{_header_of(schemes[name]) for name in each} for each in self.node.get("security", [])]

    @property
    def needs_body(self) -> bool:
        """Whether a request without a body is refused."""
        return bool(self.node.get("requestBody", {}).get("required", False))

    @property
    def statuses(self) -> list[str]:
        """The statuses that are documented one by one."""
        return sorted(status for status in self.node["responses"] if status != DEFAULT)

    @property
    def successes(self) -> list[str]:
        """The documented statuses that are no refusals."""
        return [status for status in self.statuses if status < FIRST_REFUSAL]

    def body(self) -> Schema | None:
        """The schema of a request's JSON body, if it takes one."""
        content = self.node.get("requestBody", {}).get("content", {})
        return Schema(content[JSON]["schema"], self.root, f"the body of {self}") if JSON in content else None

    def answers(self, status: int | str) -> dict[str, Schema]:
        """What it answers with a status, by media type."""
        content = self.node["responses"].get(str(status), {}).get("content", {})
        return {kind: Schema(each.get("schema", {}), self.root, f"{self} {status}") for kind, each in content.items()}


@dataclass(frozen=True)
class Api:
    """A provider's OpenAPI document."""

    document: dict[str, Any] = field(repr=False)

    @cached_property
    def operations(self) -> list[Operation]:
        """All operations, by route."""
        return [
            Operation(method.upper(), route, item[method], self.document)
            for route, item in sorted(self.document.get("paths", {}).items())
            for method in METHODS
            if method in item
        ]

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that a request reaches. Routes without parameters come first, as in the application."""
        reached = [each for each in self.operations if each.method == method and reaches(each.route, path)]
        return min(reached, key=lambda each: each.route.count("{"), default=None)


@dataclass(frozen=True)
class Declared:
    """The documents of a folder: OpenAPI by provider, schemas of what is published (facts and bus messages) by subject."""

    apis: dict[str, Api]
    published: dict[str, Schema]

    @classmethod
    def read(cls, folder: Path = CONTRACTS) -> Self:
        """The documents of `openapi/` and `events/` in a folder."""
        apis = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "openapi").glob("*.json")}
        events = (folder / "events").glob("*.schema.json")
        return cls.of(
            apis, {path.name.removesuffix(".schema.json"): path.read_text(encoding="utf-8") for path in events}
        )

    @classmethod
    def of(cls, apis: dict[str, str], published: dict[str, str]) -> Self:
        """From texts, e.g. of another revision."""
        return cls(
            {provider: Api(json.loads(text)) for provider, text in sorted(apis.items())},
            {subject: published_schema(json.loads(text)) for subject, text in sorted(published.items())},
        )


def published_schema(document: dict[str, Any]) -> Schema:
    """The schema of a fact or bus message from its document."""
    return Schema(document, document, document.get("title", "data"))


def type_of(value: Any) -> str:
    """The JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def fits_type(value: Any, types: set[str]) -> bool:
    """Whether a value is of one of some JSON types; a whole number is a number as well. No types: anything is."""
    kind = type_of(value)
    return not types or kind in types or (kind == "integer" and "number" in types)


def leaves(schema: Schema, path: str = "$", above: tuple[str, ...] = ()) -> Iterator[tuple[str, Schema]]:
    """Every member below a schema with its path, items of lists as `[*]`. A schema within itself is listed once."""
    for branch in schema.branches():
        if branch.place in above:
            continue
        within = (*above, branch.place)
        for name, member in branch.members.items():
            yield f"{path}.{name}", member
            yield from leaves(member, f"{path}.{name}", within)
        if (item := branch.item(0)) is not None:
            yield from leaves(item, f"{path}[*]", within)


def _followed(root: dict[str, Any], reference: str) -> dict[str, Any]:
    node: Any = root
    for name in reference.removeprefix("#/").split("/"):
        node = node[name.replace("~1", "/").replace("~0", "~")]
    found: dict[str, Any] = node
    return found


def _header_of(scheme: dict[str, Any]) -> str:
    return str(scheme["name"] if scheme["type"] == "apiKey" else "Authorization").lower()


def reaches(route: str, path: str) -> bool:
    """Whether a real path is one of a route with parameters in braces."""
    pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", route))
    return re.fullmatch(pattern, path) is not None
