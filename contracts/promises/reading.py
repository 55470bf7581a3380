"""What a consumer says about the values that it reads: an interaction's example, and the rule for each of its paths."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from contracts.pactfile import Edge, Interaction, Tokens, tokens_of
from contracts.promises.declared import Schema, fits_type, type_of

Rules = dict[Tokens, list[dict[str, Any]]]


@dataclass(frozen=True)
class Reading:
    """One value as its consumer reads it: an example, and rules (none: exactly the example)."""

    example: Any
    rules: list[dict[str, Any]]

    def accepts(self, value: Any) -> bool:
        """Whether this consumer goes on with a value, as far as the rules tell."""
        return all(_accepts(rule, self.example, value) for rule in self.rules or [{"match": "equality"}])

    @property
    def patterns(self) -> set[str]:
        """The regular expressions that it must fit."""
        return {rule["regex"] for rule in self.rules if "regex" in rule}

    @property
    def is_whole(self) -> bool:
        """Whether it must be a whole number."""
        return any(rule["match"] == "integer" for rule in self.rules)


@dataclass(frozen=True)
class Body:
    """A body as a pact describes it, in JSON."""

    example: Any
    rules: Rules

    def at(self, path: str) -> "Reading":
        """What is said about the value at a path of the example (`$.lines[0].seat_id`)."""
        tokens = tokens_of(path)
        value = self.example
        for token in tokens[1:]:
            value = value[int(token) if isinstance(value, list) else token]
        exact = [rules for pattern, rules in self.rules.items() if _fits(pattern, tokens)]
        if exact or isinstance(value, dict | list):
            return Reading(value, exact[0] if exact else [{"match": "type"}])
        above = [rules for pattern, rules in self.rules.items() if _fits(pattern, tokens[: len(pattern)])]
        # Pact's `type` rule also holds for everything below it that has no rule of its own.
        inherited = [rule for rules in above for rule in rules if rule["match"] == "type"]
        return Reading(value, [{"match": "type"}] if inherited else [])


def body_of(part: dict[str, Any]) -> Body | None:
    """The JSON body of a pact's request, response or message; None if there is none. A file's is no JSON."""
    content = part.get("contents") or part.get("body") or {}
    if "json" not in content.get("contentType", ""):
        return None
    rules = part.get("matchingRules", {}).get("body", {})
    return Body(content["content"], {tokens_of(path): rule["matchers"] for path, rule in rules.items()})


def subject_of(edge: Edge, interaction: Interaction) -> str:
    """What an interaction hears or watches: a fact's type; of a bus message the subject that its description begins with."""
    if edge.kind == "hears":
        subject: str = interaction["contents"]["content"]["type"]
        return subject
    return str(interaction["description"]).partition(" ")[0]


def content_type_of(part: dict[str, Any]) -> str | None:
    """The media type of a pact's request or response, without parameters; None if it says nothing about a body."""
    kind: str | None = part.get("body", {}).get("contentType")
    return kind.partition(";")[0] if kind else None


def below(path: str, example: Any) -> Iterator[tuple[str, Any]]:
    """The members or items of an example with their paths."""
    if isinstance(example, dict):
        for name, value in example.items():
            yield f"{path}.{name}", value
    elif isinstance(example, list):
        for number, value in enumerate(example):
            yield f"{path}[{number}]", value


def fitting(schema: Schema, example: Any) -> list[Schema]:
    """The alternatives of a schema that an example may be: of its type, and with its constants (a refusal's code)."""
    of_type = [branch for branch in schema.branches() if fits_type(example, branch.types)]
    return [branch for branch in of_type if _has_constants(branch, example)] if len(of_type) > 1 else of_type


def places_read(schema: Schema, example: Any) -> Iterator[str]:
    """The places of a schema that an example reads, whatever else is wrong."""
    for branch in fitting(schema, example):
        for path, value in below("", example):
            member = branch.members.get(path[1:]) if isinstance(example, dict) else branch.item(int(path[1:-1]))
            if member is not None:
                yield member.place
                yield from places_read(member, value)


def _has_constants(branch: Schema, example: Any) -> bool:
    if not isinstance(example, dict):
        return True
    fixed = {name: member.values for name, member in branch.members.items() if name in example and member.values}
    return all(example[name] in values for name, values in fixed.items() if len(values or ()) == 1)


def _fits(pattern: Tokens, tokens: Tokens) -> bool:
    return len(pattern) == len(tokens) and all(
        each in {"*", token} for each, token in zip(pattern, tokens, strict=True)
    )


def _accepts(rule: dict[str, Any], example: Any, value: Any) -> bool:
    kinds: dict[str, Callable[[], bool]] = {
        "equality": lambda: bool(value == example and type_of(value) == type_of(example)),
        "regex": lambda: isinstance(value, str) and re.search(rule["regex"], value) is not None,
        "type": lambda: fits_type(value, {type_of(example)}),
        "null": lambda: value is None,
        "integer": lambda: type_of(value) == "integer",
        "number": lambda: type_of(value) in {"integer", "number"},
        "decimal": lambda: type_of(value) == "number",
        "boolean": lambda: isinstance(value, bool),
    }
    return kinds[rule["match"]]() if rule["match"] in kinds else value is not None
