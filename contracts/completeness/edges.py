"""Where edges come from: the code and the pacts (and traces, contracts/completeness/seen.py). They have to say the same.

An edge is finer than its pact file: each operation that a consumer asks, and each subject that it hears or watches, is a need.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.completeness.calls import (
    BUS,
    FIREHOSE,
    HOLE,
    MAKE_CLIENT,
    MAKE_STRANGER,
    Call,
    Said,
    asks_beside_clients,
    calls_of,
    first_arguments,
)
from contracts.completeness.offers import Folders
from contracts.pactfile import ContractBroken, Edge, Kind, edges, read

# How a provider's tests prove each kind (contracts/provider.py).
VERIFIED_BY: dict[Kind, str] = {"asks": "verify_answers", "hears": "verify_facts", "watches": "verify_messages"}


@dataclass(frozen=True, order=True)
class Need:
    """What a consumer needs of a provider: an operation like `GET /events/{event_id}`, or a subject without the id that ends it."""

    edge: Edge
    what: str

    def __str__(self) -> str:
        return f"{self.edge}: {self.what}"


def in_code(folders: Folders) -> dict[Need, str]:
    """What the services' code needs, and where it says so. Raises ContractBroken for what cannot be read, or is not offered."""
    found: dict[Need, str] = {}
    for consumer in folders.names():
        service = folders.services / consumer
        _refuse_other_ways(folders, service)
        made = {each.text for each in first_arguments(service, MAKE_CLIENT)}
        for provider in sorted({*folders.names(), *made}):
            client = service / "clients" / f"{provider}.py"
            if client.exists() != (provider in made):
                raise ContractBroken(_client_apart(consumer, provider, client, made=provider in made))
            if client.exists():
                found |= _asked_in(folders, Edge(consumer, "asks", provider), client)
        for said in first_arguments(service, FIREHOSE | BUS):
            for need in _heard_by(folders, consumer, said):
                found.setdefault(need, f"{said.path}:{said.line}")
    return found


def under_contract(folders: Folders) -> dict[Need, str]:
    """What the pacts speak of, and an interaction that does. Raises ContractBroken for an interaction that fits no offer."""
    found: dict[Need, str] = {}
    for edge in edges(folders.pacts):
        for interaction in read(edge, folders.pacts):
            description = interaction["description"]
            if edge.kind == "asks":
                request = interaction["request"]
                what = folders.offers.asked(edge.provider, request["method"], request["path"])
                said = f"{request['method']} {request['path']}"
            else:
                said = description.split()[0]
                offered = folders.offers.facts if edge.kind == "hears" else folders.offers.messages
                what = said if said in offered(edge.provider) else None
            if what is None:
                raise ContractBroken(
                    f'{edge}: the interaction "{description}" is about {said}, which {edge.provider} does not offer. '
                    "Correct it, or run `make documents` if it is new."
                )
            found.setdefault(Need(edge, what), f'"{description}"')
    return found


def apart(code: Mapping[Need, str], contract: Mapping[Need, str]) -> list[str]:
    """A sentence for each need that only the code or only the pacts speak of."""
    found = []
    for need in sorted(code.keys() - contract.keys()):
        edge, place = need.edge, code[need]
        test = f"services/{edge.consumer}/tests/contract/test_{edge.kind}_{edge.provider}.py"
        if any(each.edge == edge for each in contract):
            missing = f"no interaction of contracts/pacts/{edge.file_name} is about it. Write one in {test}."
        else:
            missing = f"there is no pact of that edge. Write {test}."
        found.append(f"{edge.consumer} {edge.kind} {need.what} of {edge.provider} ({place}), but {missing}")
    for need in sorted(contract.keys() - code.keys()):
        edge = need.edge
        found.append(
            f"{edge.consumer} has a contract for {need.what} of {edge.provider} ({contract[need]} in contracts/pacts/"
            f"{edge.file_name}), but no code of it {edge.kind} that. Delete the interaction's test, or the whole pact."
        )
    return found


def unsent(folders: Folders) -> list[str]:
    """A sentence for each parameter of a query that a client may send, and that no interaction of that operation has.

    Raises ContractBroken for a query that cannot be read.
    """
    found = []
    for edge in edges(folders.pacts):
        client = folders.services / edge.consumer / "clients" / f"{edge.provider}.py"
        if edge.kind != "asks" or not client.exists():
            continue
        sent: set[tuple[str | None, str]] = set()
        for request in (interaction["request"] for interaction in read(edge, folders.pacts)):
            what = folders.offers.asked(edge.provider, request["method"], request["path"])
            sent |= {(what, name) for name in request.get("query", {})}
        for need, call in _calls_in(folders, edge, client):
            found += [
                f"{edge.consumer} asks {need.what} of {edge.provider} with the query parameter {name} ({client}:{call.line}), but "
                f"no interaction of contracts/pacts/{edge.file_name} sends it. Write one in services/{edge.consumer}/tests/"
                f"contract/test_asks_{edge.provider}.py."
                for name in sorted(call.query)
                if (need.what, name) not in sent
            ]
    return found


def one_sided(folders: Folders) -> list[str]:
    """A sentence for each pact that no test of its consumer writes, or no test of its provider verifies."""
    found = []
    for edge in edges(folders.pacts):
        writer = folders.services / edge.consumer / "tests/contract" / f"test_{edge.kind}_{edge.provider}.py"
        declared = f'{edge.kind}("{edge.consumer}", "{edge.provider}"'
        if not writer.exists():
            found.append(f"Nobody writes {edge.file_name} any more: delete it, or write {writer}.")
        elif declared not in writer.read_text(encoding="utf-8"):
            found.append(f"{writer} does not declare its edge as {declared}...).")
        verifies = re.compile(rf'\b{VERIFIED_BY[edge.kind]}\(\s*"{edge.provider}"')
        tests = folders.services / edge.provider / "tests/contract"
        if not any(verifies.search(path.read_text(encoding="utf-8")) for path in sorted(tests.glob("test_*.py"))):
            found.append(
                f"Nobody verifies {edge.file_name}: no test in {tests} calls {VERIFIED_BY[edge.kind]} "
                f'for "{edge.provider}".'
            )
    return found


def _asked_in(folders: Folders, edge: Edge, client: Path) -> dict[Need, str]:
    found: dict[Need, str] = {}
    for need, call in _calls_in(folders, edge, client):
        found.setdefault(need, f"{client}:{call.line}")
    return found


def _calls_in(folders: Folders, edge: Edge, client: Path) -> Iterator[tuple[Need, Call]]:
    """A client's calls, and what each needs. Raises ContractBroken for one that its provider does not offer."""
    for call in calls_of(client):
        what = folders.offers.called(edge.provider, call.method, call.address)
        if what is None:
            raise ContractBroken(
                f"{client}:{call.line}: {edge} for {call.method} {call.address}, but contracts/openapi/{edge.provider}.json has "
                "no such operation. Correct the address, or run `make documents` if it is new."
            )
        yield Need(edge, what), call


def _refuse_other_ways(folders: Folders, service: Path) -> None:
    """Raises ContractBroken for HTTP that nobody could compare: beside the clients, or to one of us as to a stranger."""
    for place in asks_beside_clients(service):
        raise ContractBroken(
            f"{place}: HTTP calls are made in {service.name}'s clients/ alone, one module for each provider, so that their contracts "
            "can be told. Move this there."
        )
    for said in first_arguments(service, MAKE_STRANGER, texts_only=True):
        if said.text in folders.names():
            raise ContractBroken(
                f"{said.path}:{said.line}: {service.name} speaks to {said.text} as to a stranger, without tokens, traces or a "
                'contract. Make a client of it by `service.client("...", address)`.'
            )


def _client_apart(consumer: str, provider: str, client: Path, *, made: bool) -> str:
    if made:
        return f"{consumer} makes an HTTP client of {provider}, but {client} is missing: what it asks belongs there."
    return f"{client} is there, but nothing in {consumer} makes a client of {provider}. Delete it with its pact."


def _heard_by(folders: Folders, consumer: str, said: Said) -> list[Need]:
    """What a subscription means: with a wildcard, all that the provider says now and that fits."""
    kind: Kind = "watches" if said.how in BUS else "hears"
    words = said.text.replace(HOLE, "*").split(".")
    provider = words[1] if len(words) > 1 else ""
    offered = folders.offers.messages(provider) if kind == "watches" else folders.offers.facts(provider)
    fitting = [
        subject for subject in offered if _fits(words, [*subject.split("."), *(["*"] if kind == "watches" else [])])
    ]
    if not fitting:
        raise ContractBroken(
            f"{said.path}:{said.line}: {consumer} subscribes to {said.text}, but no service says that. Correct the subject, or "
            "run `make documents` if it is new."
        )
    return [Need(Edge(consumer, kind, provider), subject) for subject in fitting]


def _fits(pattern: list[str], subject: list[str]) -> bool:
    """Whether a subject fits a pattern of NATS: `*` is one word, `>` the rest."""
    if pattern and pattern[-1] == ">":
        pattern, subject = pattern[:-1], subject[: len(pattern) - 1]
    return len(pattern) == len(subject) and all(
        wanted in ("*", word) for wanted, word in zip(pattern, subject, strict=True)
    )
