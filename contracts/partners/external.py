"""Pacts of partners outside of this repository (`contracts/external/`), checked before they are believed; nothing is started.


`python -m contracts.partners.external` says what is wrong with them; with `states tickets` behind it, what a provider can set up.
Verifying cannot replace this: a pact also holds because it says too little.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from contracts.completeness.services import System, real
from contracts.pactfile import EXTERNAL, PACTS, ContractBroken, Edge, Interaction, key_of, tokens_of
from contracts.partners.leniency import besides, kind_of
from contracts.partners.setups import described, parameters_of, states_of_provider
from contracts.promises.declared import Declared, Schema
from contracts.promises.needs import findings_of
from contracts.promises.reading import Body, below, body_of

FOLDER = PACTS.parent / EXTERNAL
BESIDES = {"README.md", "examples"}
PARTNER = re.compile(r"[a-z][a-z0-9]*")
CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+")
# Any JWT.
TOKEN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")

_NAMED: dict[str, Any] = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
_STATES = {"type": "array", "items": {**_NAMED, "properties": {**_NAMED["properties"], "params": {"type": "object"}}}}
_HTTP = {
    "type": "object",
    "required": ["type", "description", "request", "response"],
    "properties": {
        "providerStates": _STATES,
        "type": {"const": "Synchronous/HTTP"},
        "request": {"type": "object", "required": ["method", "path"]},
        "response": {"type": "object", "required": ["status"]},
    },
}
_CLOUD_EVENT = {"type": "object", "required": ["type", "data"]}
_FACT = {
    "type": "object",
    "required": ["type", "description", "contents"],
    "properties": {
        "providerStates": _STATES,
        "type": {"const": "Asynchronous/Messages"},
        "contents": {"type": "object", "required": ["content"], "properties": {"content": _CLOUD_EVENT}},
    },
}
# As much of Pact's fourth version as the other checks take for granted.
SHAPES = {
    kind: {
        "type": "object",
        "required": ["consumer", "provider", "interactions", "metadata"],
        "properties": {
            "consumer": _NAMED,
            "provider": _NAMED,
            "metadata": {"type": "object"},
            "interactions": {"type": "array", "minItems": 1, "items": shape},
        },
    }
    for kind, shape in (("asks", _HTTP), ("hears", _FACT))
}


def problems(folder: Path = FOLDER, system: System | None = None) -> list[str]:
    """What is wrong with the pacts of a folder, and with what lies beside them: a sentence each."""
    beside = (path for path in sorted(folder.iterdir()) if path.suffix != ".json" and path.name not in BESIDES)
    strange = [
        f"{path.name}: this is no pact. Put into {folder.name}/ nothing but one pact per edge." for path in beside
    ]
    return [*strange, *chain.from_iterable(problems_of(path, system) for path in sorted(folder.glob("*.json")))]


def problems_of(path: Path, system: System | None = None) -> list[str]:
    """What is wrong with a partner's pact: sentences that name the file, the interaction and the field."""
    system = system or real()
    try:
        edge = Edge.of(path)
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ContractBroken, ValueError) as error:
        return [f"{path.name}: {error}"]
    # What does not have the shape of a pact is not read on.
    found = list(_of_names(edge, system)) or list(_of_document(edge, document))
    if not found:
        found = list(_of_interactions(edge, document, system))
    return [f"{path.name}: {each}" for each in found]


def _of_names(edge: Edge, system: System) -> Iterator[str]:
    services = system.names()
    if not PARTNER.fullmatch(edge.consumer):
        yield f"a partner's name is lower-case letters and digits, and {edge.consumer!r} is not."
    if edge.consumer in services:
        yield f"{edge.consumer} is a service of this repository, whose pacts its own tests write. Take another name."
    if edge.provider not in services:
        yield f"there is no service {edge.provider!r}. There are: {', '.join(services)}."
    if edge.kind == "watches":
        yield "partners cannot watch the bus, which may lose messages. Ask, or hear facts."


def _of_document(edge: Edge, document: Any) -> Iterator[str]:
    version = str(_metadata_of(document).get("pactSpecification", {}).get("version", ""))
    if not version.startswith("4"):
        yield f"this is a pact of version {version or '?'}. Write version 4: `Pact(...)`, `PactV4`, or `specificationVersion: V4`."
        return
    shaped = Schema(SHAPES[edge.kind], {}, "a pact").faults_of(document)
    yield from (f"this has not the shape of a pact in which somebody {edge.kind} somebody. {each}." for each in shaped)
    if shaped:
        return
    for side, name in (("consumer", edge.consumer), ("provider", edge.provider)):
        if document[side]["name"] != name:
            yield f"the {side} in it is {document[side]['name']!r}, but in the file's name it is {name!r}."
    contact = _metadata_of(document).get("contact", "")
    ways = contact.values() if isinstance(contact, dict) else [contact]
    if not any(CONTACT.fullmatch(str(way)) for way in ways):
        yield "nobody can be notified before a change. Put an e-mail address or a link into metadata.contact."
    if _metadata_of(document).get("plugins"):
        yield "this needs plugins of Pact, which the verifier here does not have."
    if TOKEN.search(json.dumps(document)):
        yield f"this holds a real token. Revoke it, then write the placeholder `Bearer {edge.consumer}`."


def _metadata_of(document: Any) -> dict[str, Any]:
    metadata = document.get("metadata", {}) if isinstance(document, dict) else {}
    return metadata if isinstance(metadata, dict) else {}


def _of_interactions(edge: Edge, document: Any, system: System) -> Iterator[str]:
    interactions: list[Interaction] = document["interactions"]
    for (description, _), times in Counter(key_of(each) for each in interactions).items():
        if times > 1:
            yield f'there are {times} interactions "{description}" in the same states. Say what is different about them.'
    for interaction in interactions:
        problems = [*_of_states(edge, interaction, system), *_of_interaction(edge, interaction)]
        yield from (f'"{interaction["description"]}": {each}' for each in problems)
    yield from findings_of(edge, interactions, Declared.read(system.documents))


def _of_states(edge: Edge, interaction: Interaction, system: System) -> Iterator[str]:
    known = states_of_provider(system.folder, edge.provider)
    parameters = parameters_of(system, edge.provider, without=edge)
    for state in interaction.get("providerStates", []):
        name, given = state["name"], state.get("params", {})
        if edge.kind == "hears":
            yield f'a fact has no states, but this names "{name}".'
        elif name not in known:
            can = ", ".join(f'"{each}"' for each in known) or "nothing"
            yield f'{edge.provider} cannot set up "{name}". It can: {can}. Ask for another one in your pull request.'
        for needed, always in parameters.get(name, {}).items():
            if always and needed not in given:
                yield f'the state "{name}" needs the parameter {needed}.'


def _of_interaction(edge: Edge, interaction: Interaction) -> Iterator[str]:
    if interaction.get("pending"):
        yield "this is pending: it would be verified, and believed when it fails. Leave `pending` out."
    if interaction.get("pluginConfiguration"):
        yield "this needs a plugin of Pact, which the verifier here does not have."
    if edge.kind == "hears":
        subject = interaction["contents"]["content"]["type"]
        if interaction["description"].split(" ")[0] != subject:
            yield f"the description of a fact begins with its subject, {subject}."
    for name, values in interaction.get("request", {}).get("headers", {}).items():
        if name.lower() == "authorization" and values not in ([f"Bearer {edge.consumer}"], f"Bearer {edge.consumer}"):
            yield f"the header {name} is the placeholder `Bearer {edge.consumer}`, never a real token."
    answer = interaction if edge.kind == "hears" else interaction["response"]
    body = body_of(answer)
    yield from _of_rules(answer, body)
    if body is not None:
        yield from _weak(body, "$", body.example)


def _weak(body: Body, path: str, value: Any) -> Iterator[str]:
    """Where Pact would accept what breaks this consumer."""
    rules = _rules_at(body, path)
    if value == {}:
        yield f"{path} is empty, and so accepts any object. Name the fields that are read."
    elif rules and (accepted := next(besides(rules, value), None)) is not None:
        yield f"{path} accepts {_instead(value, accepted)}"
    for path_below, value_below in below(path, value):
        yield from _weak(body, path_below, value_below)


def _instead(value: Any, accepted: str) -> str:
    """What is accepted, and what to write instead."""
    kind = kind_of(value)
    if kind == "list" and accepted == "[]":
        return "an empty list. Say how many there are at least (`min=1`), or describe the empty list by itself."
    if kind == "yes or no" and accepted == '"true"':
        return 'the text "true" as well. Match its type instead (`like(true)`).'
    if kind == "whole number" and accepted == "1.5":
        return "1.5 as well. Match a whole number instead (`integer`)."
    return f"{accepted} as well, which is no {kind}. {_NARROWER[kind]}"


_NARROWER = {
    "text": "Match its type instead, or a narrower pattern.",
    "whole number": "Match a whole number instead (`integer`).",
    "number": "Match a number instead (`number`).",
    "yes or no": "Match its type instead (`like(true)`).",
    "null": "Match null instead, or leave the field out.",
    "list": "Match its type instead, with at least one item (`each_like`, `min=1`).",
    "object": "Name the fields that are read, without a rule for the object itself.",
}


def _of_rules(part: dict[str, Any], body: Body | None) -> Iterator[str]:
    """Rules that say less than they seem to: one of several is enough, they are about nothing, or about any status."""
    rules = part.get("matchingRules", {})
    if rules.get("status"):
        yield "its status is a class of statuses. Say the number that is expected."
    for path, rule in rules.get("body", {}).items():
        if rule.get("combine", "AND") != "AND" and len(rule.get("matchers", [])) > 1:
            yield f"of the rules of {path} one is enough (combine: {rule['combine']}). Write AND, or one rule."
        if body is not None and not _is_there(tokens_of(path)[1:], body.example):
            yield f"the rules of {path} are about nothing in the example, and so check nothing. Correct the path."


def _is_there(tokens: tuple[str, ...], value: Any) -> bool:
    if not tokens:
        return True
    token, rest = tokens[0], tokens[1:]
    if isinstance(value, dict):
        found = list(value.values()) if token == "*" else [value[token]] if token in value else []  # noqa: S105  # of a path
    elif isinstance(value, list):
        found = value if token == "*" else value[int(token) :][:1] if token.isdecimal() else []  # noqa: S105  # of a path
    else:
        found = []
    return any(_is_there(rest, each) for each in found)


def _rules_at(body: Body, path: str) -> list[dict[str, Any]]:
    """The rules of a place; without any, those by type of the nearest place above, which are for all below."""
    tokens = tokens_of(path)
    for length in range(len(tokens), 0, -1):
        fitting = [
            (pattern.count("*"), rules)
            for pattern, rules in body.rules.items()
            if len(pattern) == length and all(a in {"*", b} for a, b in zip(pattern, tokens, strict=False))
        ]
        rules = min(fitting, key=lambda each: each[0])[1] if fitting else []
        if length == len(tokens) and rules:
            return rules
        if inherited := [{"match": "type"} for rule in rules if rule.get("match") == "type"]:
            return inherited
    return []


def main(arguments: list[str]) -> int:
    """What the command line asks for; 1 if a pact is refused."""
    if arguments[:1] == ["states"]:
        known = real().names()
        if unknown := [provider for provider in arguments[1:] if provider not in known]:
            print(f"There is no service {', '.join(unknown)}. Choose from {', '.join(known)}.", file=sys.stderr)
            return 2
        print("\n\n".join(described(real(), provider) for provider in arguments[1:] or known))
        return 0
    if arguments:
        print("Ask for nothing (to check the pacts of partners), or for `states [PROVIDER ...]`.", file=sys.stderr)
        return 2
    found = problems()
    print("\n".join(found) or "The pacts of partners are in order.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
