"""Which operations, statuses and fields of each provider no contract uses: what may be changed freely, or is there in vain.

`python -m contracts.promises.coverage` prints it. An operation that no contract uses, and a route that no document tells of, fail unless
contracts/unused.toml names them with a reason. Statuses and fields are only reported: a provider may say more than is read today.
"""

import sys
import textwrap
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from contracts.pactfile import PACTS, Edge, Interaction, all_edges, exit_code_of, read
from contracts.promises.declared import JSON, Api, Declared, Operation, Schema, leaves
from contracts.promises.reading import body_of, places_read, subject_of

UNUSED = Path(__file__).parents[1] / "unused.toml"
LIST = "contracts/unused.toml"
ALL = "*"
# Methods that come with another one or are nobody's wish.
IMPLIED = {"HEAD", "OPTIONS"}
WIDTH = 140


@dataclass(frozen=True)
class Reason:
    """Why it is right that no contract uses a route."""

    provider: str
    route: str
    reason: str

    def __str__(self) -> str:
        return f'"{self.route}" of {"every service" if self.provider == ALL else self.provider}'


@dataclass
class Used:
    """What the contracts use of one provider: operations, statuses as `METHOD /route 200`, subjects, and places of schemas."""

    operations: set[str] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    published_fields: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Coverage:
    """One provider: what it documents, and how much of that contracts use. `published` are its facts and bus messages."""

    provider: str
    operations: dict[str, bool]
    statuses: dict[str, bool]
    fields: dict[str, bool]
    published: dict[str, bool]
    published_fields: dict[str, bool]

    def lines(self) -> Iterator[str]:
        """The report: a summary, then what is unused."""
        counted = {
            "operations": self.operations,
            "statuses": self.statuses,
            "fields of answers": self.fields,
            "facts and messages": self.published,
            "fields of them": self.published_fields,
        }
        summary = ", ".join(f"{sum(each.values())} of {len(each)} {what}" for what, each in counted.items() if each)
        yield f"{self.provider}: {f'{summary} used' if summary else 'documents no operation, and tells nothing'}"
        for what, each in counted.items():
            if unused := [name for name, is_used in each.items() if not is_used]:
                words = f"unused {what}: {', '.join(unused)}"
                yield textwrap.fill(
                    words, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False
                )


def coverage_of(declared: Declared, pacts: Path = PACTS) -> list[Coverage]:
    """Every provider that has a document, partners' contracts included."""
    used = {provider: Used() for provider in declared.apis}
    for edge in all_edges(pacts):
        for interaction in read(edge, pacts):
            if edge.provider not in used:
                continue  # contracts/promises/needs.py reports this
            if edge.kind == "asks":
                _use_operation(used[edge.provider], declared.apis[edge.provider], interaction)
            else:
                _use_published(used[edge.provider], declared, edge, interaction)
    return [_coverage(provider, declared, each) for provider, each in used.items()]


def faults(coverages: list[Coverage], hidden: dict[str, list[str]], reasons: list[Reason]) -> list[str]:
    """What fails: operations that no contract uses and `hidden` routes (by provider) without a reason, and reasons without them."""
    found = []
    needed: set[Reason] = set()
    for each in coverages:
        for route in (route for route, is_used in each.operations.items() if not is_used):
            excuses = [reason for reason in reasons if _names(reason, each.provider, route)]
            needed.update(excuses)
            if not excuses:
                found.append(f"No contract uses {route} of {each.provider}. Remove it, or say in {LIST} who needs it.")
    for provider, routes in sorted(hidden.items()):
        for route in routes:
            excuses = [reason for reason in reasons if _names(reason, provider, route)] or [
                reason for reason in reasons if (reason.provider, reason.route) == (provider, ALL)
            ]
            needed.update(excuses)
            if not excuses:
                undocumented = f"{provider} answers {route}, but its OpenAPI document does not tell of it."
                found.append(f"{undocumented} Document it, or say in {LIST} why not.")
    stale = [reason for reason in reasons if reason not in needed]
    return found + [f"{LIST} excuses {each}, which is used now, or gone. Take it out." for each in stale]


def hidden_routes(app: FastAPI, declared: Declared, provider: str) -> list[str]:
    """The routes and mounts of a real application that its document does not tell of."""
    documented = {str(operation) for operation in declared.apis[provider].operations}
    found = []
    for context in iter_route_contexts(app.routes):
        methods = (context.methods or {ALL}) - IMPLIED
        found += [f"{method} {context.path}" for method in methods]
    return sorted(set(found) - documented)


def reasons_of(path: Path = UNUSED) -> list[Reason]:
    """The reasons in a file. Raises ValueError if one is no sentence."""
    entries: list[dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))["route"]
    reasons = [Reason(**entry) for entry in entries]
    for each in reasons:
        if not each.reason.endswith(".") or " " not in each.reason:
            raise ValueError(
                f"The reason for {each} in {path} is no sentence. Say who needs it, and why it has no contract."
            )
    return reasons


def _use_operation(used: Used, api: Api, interaction: Interaction) -> None:
    request, response = interaction["request"], interaction["response"]
    operation = api.find(request["method"], request["path"])
    if operation is None:
        return
    used.operations.add(str(operation))
    used.statuses.add(f"{operation} {response['status']}")
    schema, body = operation.answers(response["status"]).get(JSON), body_of(response)
    if schema is not None and body is not None:
        used.fields |= set(places_read(schema, body.example))


def _use_published(used: Used, declared: Declared, edge: Edge, interaction: Interaction) -> None:
    subject, body = subject_of(edge, interaction), body_of(interaction)
    if subject not in declared.published or body is None:
        return
    used.subjects.add(subject)
    data = body.example["data"] if edge.kind == "hears" else body.example
    used.published_fields |= {(subject, place) for place in places_read(declared.published[subject], data)}


def _coverage(provider: str, declared: Declared, used: Used) -> Coverage:
    operations = declared.apis[provider].operations
    published = [subject for subject in declared.published if subject.split(".")[1] == provider]
    places = {schema.place for operation in operations for schema in _fields_of(operation)}
    statuses = [f"{operation} {status}" for operation in operations for status in operation.statuses]
    heard = [subject for subject in published if subject in used.subjects]
    return Coverage(
        provider,
        {str(operation): str(operation) in used.operations for operation in operations},
        {status: status in used.statuses for status in statuses},
        {place: place in used.fields for place in sorted(places)},
        {subject: subject in used.subjects for subject in published},
        {
            f"{subject} {path}": (subject, schema.place) in used.published_fields
            for subject in heard
            for path, schema in leaves(declared.published[subject])
        },
    )


def _fields_of(operation: Operation) -> Iterator[Schema]:
    for status in operation.successes:
        if JSON in (answers := operation.answers(status)):
            yield from (schema for _, schema in leaves(answers[JSON]))


def _names(reason: Reason, provider: str, route: str) -> bool:
    return reason.provider in {provider, ALL} and reason.route == route


def main() -> int:
    """Prints the report, and what fails at its end. 1 if anything does."""
    from contracts.applications import applications

    ArgumentParser(
        prog="python -m contracts.promises.coverage", description="What providers offer and no contract uses."
    ).parse_args()
    declared = Declared.read()
    coverages = coverage_of(declared)
    hidden = {name: hidden_routes(app, declared, name) for name, app in applications().items()}
    failed = faults(coverages, hidden, reasons_of())
    print("\n".join([*(line for each in coverages for line in each.lines()), *failed]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
