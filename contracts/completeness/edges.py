"""Where edges come from: the declarations and the pacts (and traces, contracts/completeness/seen.py). They have to say the same.

An edge is finer than its pact file: each operation that a consumer asks, and each subject that it hears or watches, is a need.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.asking import Client, Use
from contracts.completeness.services import Service, System
from contracts.pactfile import ContractBroken, Edge, Interaction, Kind, edges, read

# How a provider's tests prove each kind (contracts/provider.py).
VERIFIED_BY: dict[Kind, str] = {"asks": "verify_answers", "hears": "verify_facts", "watches": "verify_messages"}


@dataclass(frozen=True, order=True)
class Need:
    """What a consumer needs of a provider: an operation like `GET /events/{event_id}`, or a subject without the id that ends it."""

    edge: Edge
    what: str

    def __str__(self) -> str:
        return f"{self.edge}: {self.what}"


def uses_of(system: System) -> Iterator[tuple[Edge, type[Client], Use[Any]]]:
    """Every operation that some service declares to ask, of whom, and by which client."""
    for consumer in system.names():
        for client in system.service(consumer).clients:
            for use in client.uses:
                yield Edge(consumer, "asks", client.provider), client, use


def declared_needs(system: System) -> dict[Need, str]:
    """What the services declare to need, and where. Raises ContractBroken for what is not offered, or asked as of a stranger."""
    found: dict[Need, str] = {}
    for edge, client, use in uses_of(system):
        operation = system.service(edge.provider).called(use.method, use.path)
        if operation is None:
            raise ContractBroken(
                f"{_place(client)}: {edge} for {use}, but {edge.provider} declares no such operation. Correct the path, or declare it "
                f"in services/{edge.provider}/operations.py."
            )
        found.setdefault(Need(edge, str(operation)), _place(client))
    for consumer in system.names():
        service = system.service(consumer)
        _refuse_strangers(system, service)
        for subject in (*service.hears, *service.watches):
            for need in _heard_by(system, consumer, subject):
                found.setdefault(need, f"services/{consumer}")
    return found


def under_contract(system: System) -> dict[Need, str]:
    """What the pacts speak of, and an interaction that does. Raises ContractBroken for an interaction that fits no offer."""
    found: dict[Need, str] = {}
    for edge in edges(system.pacts):
        for interaction in read(edge, system.pacts):
            said, what = _spoken_of(system, edge, interaction)
            description = interaction["description"]
            if what is None:
                raise ContractBroken(
                    f'{edge}: the interaction "{description}" is about {said}, which {edge.provider} does not offer. '
                    "Correct it, or declare it there if it is new."
                )
            found.setdefault(Need(edge, what), f'"{description}"')
    return found


def apart(declared: Mapping[Need, str], contract: Mapping[Need, str]) -> list[str]:
    """A sentence for each need that only the declarations or only the pacts speak of."""
    found = []
    for need in sorted(declared.keys() - contract.keys()):
        edge, place = need.edge, declared[need]
        test = f"services/{edge.consumer}/tests/contract/test_{edge.kind}_{edge.provider}.py"
        if any(each.edge == edge for each in contract):
            missing = f"no interaction of contracts/pacts/{edge.file_name} is about it. Write one in {test}."
        else:
            missing = f"there is no pact of that edge. Write {test}."
        found.append(f"{edge.consumer} {edge.kind} {need.what} of {edge.provider} ({place}), but {missing}")
    for need in sorted(contract.keys() - declared.keys()):
        edge = need.edge
        found.append(
            f"{edge.consumer} has a contract for {need.what} of {edge.provider} ({contract[need]} in contracts/pacts/"
            f"{edge.file_name}), but it does not declare that it {edge.kind} that. Delete the interaction's test, or the whole pact."
        )
    return found


def unsent(system: System) -> list[str]:
    """A sentence for each field of a query or a body that a declaration may send, and that no interaction of that operation has."""
    found = []
    for edge, _, use in uses_of(system):
        if not (system.pacts / edge.file_name).exists():
            continue  # `apart` says so
        requests = [each["request"] for each in read(edge, system.pacts) if _is_about(system, edge, each, use)]
        in_queries = {name for request in requests for name in request.get("query", {})}
        in_bodies = {name for request in requests for name in _fields_of_body(request)}
        for model, where, sent in ((use.query, "query parameter", in_queries), (use.sends, "field", in_bodies)):
            names = [] if model is None else [each.alias or name for name, each in model.model_fields.items()]
            found += [
                f"{edge.consumer} asks {use} of {edge.provider} with the {where} {name}, but no interaction of contracts/pacts/"
                f"{edge.file_name} sends it. Write one in services/{edge.consumer}/tests/contract/test_asks_{edge.provider}.py."
                for name in sorted(set(names) - sent)
            ]
    return found


def one_sided(system: System) -> list[str]:
    """A sentence for each pact that no test of its consumer writes, or no test of its provider verifies."""
    found = []
    for edge in edges(system.pacts):
        writer = system.folder / edge.consumer / "tests/contract" / f"test_{edge.kind}_{edge.provider}.py"
        declared = f'{edge.kind}("{edge.consumer}", "{edge.provider}"'
        if not writer.exists():
            found.append(f"Nobody writes {edge.file_name} any more: delete it, or write {writer}.")
        elif declared not in writer.read_text(encoding="utf-8"):
            found.append(f"{writer} does not declare its edge as {declared}...).")
        verifies = re.compile(rf'\b{VERIFIED_BY[edge.kind]}\(\s*"{edge.provider}"')
        tests = system.folder / edge.provider / "tests/contract"
        if not any(verifies.search(path.read_text(encoding="utf-8")) for path in sorted(tests.glob("test_*.py"))):
            found.append(
                f"Nobody verifies {edge.file_name}: no test in {tests} calls {VERIFIED_BY[edge.kind]} "
                f'for "{edge.provider}".'
            )
    return found


def _is_about(system: System, edge: Edge, interaction: Interaction, use: Use[Any]) -> bool:
    request, provider = interaction["request"], system.service(edge.provider)
    return provider.asked(request["method"], request["path"]) is provider.called(use.method, use.path)


def _fields_of_body(request: dict[str, Any]) -> list[str]:
    content = request.get("body", {}).get("content")
    return list(content) if isinstance(content, dict) else []


def _spoken_of(system: System, edge: Edge, interaction: Interaction) -> tuple[str, str | None]:
    provider = system.service(edge.provider)
    if edge.kind == "asks":
        request = interaction["request"]
        operation = provider.asked(request["method"], request["path"])
        return f"{request['method']} {request['path']}", None if operation is None else str(operation)
    said = interaction["description"].split()[0]
    offered = provider.facts if edge.kind == "hears" else provider.messages
    return said, said if said in offered else None


def _place(client: type[Client]) -> str:
    return f"{client.__module__}.{client.__name__}"


def _refuse_strangers(system: System, service: Service) -> None:
    """Raises ContractBroken if one of us is asked as a stranger is."""
    for stranger in service.strangers:
        if stranger in system.names():
            raise ContractBroken(
                f"{service.name} speaks to {stranger} as to a stranger, without tokens, traces or a contract. Declare a client of it, "
                "and make it by `service.client_of(...)`."
            )


def _heard_by(system: System, consumer: str, subject: str) -> list[Need]:
    """What a subscription means: with a wildcard, all that the provider says now and that fits."""
    kind: Kind = "watches" if subject.startswith("bus.") else "hears"
    words = subject.split(".")
    provider = system.service(words[1] if len(words) > 1 else "")
    offered = provider.messages if kind == "watches" else provider.facts
    fitting = [each for each in offered if _fits(words, [*each.split("."), *(["*"] if kind == "watches" else [])])]
    if not fitting:
        raise ContractBroken(f"{consumer} subscribes to {subject}, but no service says that. Correct the subject.")
    return [Need(Edge(consumer, kind, provider.name), each) for each in fitting]


def _fits(pattern: list[str], subject: list[str]) -> bool:
    """Whether a subject fits a pattern of NATS: `*` is one word, `>` the rest."""
    if pattern and pattern[-1] == ">":
        pattern, subject = pattern[:-1], subject[: len(pattern) - 1]
    return len(pattern) == len(subject) and all(
        wanted in ("*", word) for wanted, word in zip(pattern, subject, strict=True)
    )
