"""The gate before all others: is what consumers need declared by their providers? In under a second, and nothing runs.

A pact says what its consumer needs; a document (made from the provider's code) says what it promises. Whatever a consumer reads
must be declared and required, and nothing may come that it does not understand. `python -m contracts.promises.needs` tells what is not so.
"""

import re
import sys
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.matchers import TIMESTAMP_PATTERN, UUID_PATTERN
from contracts.moments import unmarked
from contracts.pactfile import PACTS, Edge, Interaction, all_edges, edges, exit_code_of, read
from contracts.promises.declared import CONTRACTS, Api, Declared, Operation, Schema
from contracts.promises.reading import Body, Reading, below, body_of, content_type_of, fitting, subject_of

CALLERS = "x-callers"
# The format that a provider must promise to a consumer that wants text of this pattern.
FORMAT_OF_PATTERN = {UUID_PATTERN: "uuid", TIMESTAMP_PATTERN: "date-time"}
# The pattern that `matchers.one_of` makes.
ENUMERATION = re.compile(r"^\^\(([\w|-]+)\)\$$")


@dataclass
class _Edge:
    """The findings about an edge, and what its consumer was seen to understand at each place, over all of its interactions."""

    edge: Edge
    findings: list[str] = field(default_factory=list)
    readings: dict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    # Where a place was read first: the schema, the interaction, and the path with the answer that it is in.
    first: dict[str, tuple[Schema, str, str]] = field(default_factory=dict)
    # Which statuses are read from each operation that is asked.
    statuses: dict[Operation, set[str]] = field(default_factory=lambda: defaultdict(set))


@dataclass(frozen=True)
class _Interaction:
    """Where a finding is: within one interaction of an edge."""

    about: _Edge
    description: str

    def say(self, sentence: str) -> None:
        self.about.findings.append(f'{self.about.edge}, "{self.description}": {sentence}')

    @property
    def provider(self) -> str:
        return self.about.edge.provider


def findings(declared: Declared, pacts: Path = PACTS) -> list[str]:
    """Everything that some consumer needs and its provider does not declare, a sentence each."""
    own = set(edges(pacts))
    found = []
    for edge in all_edges(pacts):
        found += findings_of(edge, read(edge, pacts), declared, complete=edge in own)
    return found


def findings_of(
    edge: Edge, interactions: list[Interaction], declared: Declared, *, complete: bool = False
) -> list[str]:
    """The findings about one edge.

    `complete`: these are all the interactions of a consumer of our own, so that what may come and none of them reads is reported
    too. A partner says what it needs; that it understands whatever else may come is its own matter.
    """
    about = _Edge(edge)
    for interaction in interactions:
        here = _Interaction(about, interaction["description"])
        if edge.kind == "asks":
            _check_request(here, interaction, declared.apis.get(edge.provider))
        else:
            _check_message(here, interaction, declared)
    return (
        [*about.findings, *_what_is_not_understood(about), *_answers_not_understood(about)]
        if complete
        else about.findings
    )


def _check_request(here: _Interaction, interaction: Interaction, api: Api | None) -> None:
    request = interaction["request"]
    asked = f"{request['method']} {request['path']}"
    if api is None:
        here.say(f"there is no document of {here.provider}, so nobody promises {asked}.")
        return
    operation = api.find(request["method"], request["path"])
    if operation is None:
        here.say(f"{asked} is not documented by {here.provider}: nobody promises that route.")
        return
    here.about.statuses[operation].add(str(interaction["response"]["status"]))
    _check_access(here, request, operation)
    _check_parameters(here, request, operation)
    _check_sent_body(here, request, operation)
    _check_answer(here, interaction["response"], operation)


def _check_access(here: _Interaction, request: dict[str, Any], operation: Operation) -> None:
    consumer, callers = here.about.edge.consumer, operation.node.get(CALLERS)
    if callers is not None and consumer not in callers:
        here.say(f"{operation} lets in {', '.join(callers)}, but not {consumer}.")
    sent = {name.lower() for name in request.get("headers", {})}
    alternatives = operation.headers_of_access()
    if alternatives and not any(needed <= sent for needed in alternatives):
        missing = min(", ".join(sorted(needed - sent)) for needed in alternatives)
        here.say(f"{operation} needs the header {missing}, which is not sent.")


def _check_parameters(here: _Interaction, request: dict[str, Any], operation: Operation) -> None:
    sent = {("query", name): values for name, values in request.get("query", {}).items()}
    headers = {("header", name.lower()): values for name, values in request.get("headers", {}).items()}
    for (where, name), parameter in operation.parameters.items():
        if where == "path":
            continue
        values = (sent | headers).get((where, name))
        if values is None:
            if parameter.get("required"):
                here.say(f"{operation} needs the {where} parameter {name}, which is not sent.")
            continue
        schema = operation.schema_of(parameter)
        for value in values:
            if not any(not schema.faults_of(each) for each in _as_json(value)):
                here.say(f"{operation} does not take {value!r} as the {where} parameter {name}.")
    for where, name in sent.keys() - operation.parameters.keys():
        here.say(f"{operation} has no {where} parameter {name}: {here.provider} does not look at it.")


def _as_json(value: str) -> Iterator[Any]:
    """What a parameter's text may stand for."""
    yield value
    if value in {"true", "false"}:
        yield value == "true"
    if value.removeprefix("-").isdecimal():
        yield int(value)


def _check_sent_body(here: _Interaction, request: dict[str, Any], operation: Operation) -> None:
    schema, sent = operation.body(), body_of(request)
    if schema is None:
        if sent is not None:
            here.say(f"{operation} takes no JSON body, but one is sent.")
    elif sent is None:
        if operation.needs_body:
            here.say(f"{operation} needs a JSON body, but none is sent.")
    else:
        for fault in schema.faults_of(sent.example):
            here.say(f"{operation} refuses the body that is sent: {fault}.")


def _check_answer(here: _Interaction, response: dict[str, Any], operation: Operation) -> None:
    status = response["status"]
    if str(status) not in operation.statuses:
        known = ", ".join(operation.statuses)
        here.say(f"the answer {status} of {operation} is not documented; {known} are.")
        return
    kind = content_type_of(response)
    if kind is None:
        return
    answers = operation.answers(status)
    if kind not in answers:
        known = ", ".join(answers) or "nothing"
        here.say(f"the answer {status} of {operation} is documented as {known}, not as {kind}.")
        return
    body = body_of(response)
    if body is not None:
        _Walk(here, body, f"the answer {status} of {operation}").check("$", body.example, answers[kind])


def _check_message(here: _Interaction, interaction: Interaction, declared: Declared) -> None:
    """A fact's data are within its envelope; a bus message is all data."""
    edge, body = here.about.edge, body_of(interaction)
    subject = subject_of(edge, interaction)
    schema = declared.published.get(subject)
    if schema is None:
        here.say(f"there is no schema of {subject}: {here.provider} does not promise to tell it.")
    elif body is None:
        here.say(f"{subject} is no JSON in the pact, but all that {here.provider} tells is.")
    elif edge.kind == "hears":
        _Walk(here, body, f"the fact {subject}").check("$.data", body.example["data"], schema)
    else:
        _Walk(here, body, f"the message {subject}").check("$", body.example, schema)


@dataclass(frozen=True)
class _Walk:
    """Compares a body that a consumer reads with the schema of what is sent."""

    here: _Interaction
    body: Body
    sent: str

    def check(self, path: str, example: Any, schema: Schema) -> None:
        """Says what is wrong at a path and below it."""
        self._remember(path, schema)
        branches = fitting(schema, example)
        if not branches:
            self.here.say(
                f"{path} is {_shown(example)} in the pact, but {self.sent} declares {_declared(schema, example)}."
            )
            return
        for path_below, value in below(path, example):
            # A union of objects with the same constants does not exist here: the first that fits is the one.
            self._check_below(path_below, value, branches[0])
        if not isinstance(example, dict | list):
            self._check_value(path, example, branches)

    def _check_below(self, path: str, value: Any, parent: Schema) -> None:
        provider = self.here.provider
        if path.endswith("]"):
            schema = parent.item(int(path.rpartition("[")[2][:-1]))
        else:
            name = path.rpartition(".")[2]
            schema = parent.members.get(name)
            if schema is not None and name not in parent.required:
                self.here.say(f"{path} is not required in {self.sent}: {provider} may leave it out.")
        if schema is None:
            self.here.say(f"{path} is not declared in {self.sent}: {provider} does not promise it.")
        else:
            self.check(path, value, schema)

    def _check_value(self, path: str, example: Any, branches: list[Schema]) -> None:
        reading = self.body.at(path)
        faults = [branch.faults_of(example) for branch in branches]
        if all(faults):
            self.here.say(f"{path}: the pact's example does not fit {self.sent}: {faults[0][0].removeprefix('$: ')}.")
        for branch in branches:
            if reading.is_whole and "number" in branch.types:
                self.here.say(f"{path} is read as a whole number, but {self.sent} declares any number.")
            for wanted in {FORMAT_OF_PATTERN.get(unmarked(pattern)) for pattern in reading.patterns} - {None}:
                if branch.node.get("format") != wanted:
                    self.here.say(f"{path} is read as {wanted}, but {self.sent} declares any text.")
            for pattern in reading.patterns:
                known = ENUMERATION.match(pattern)
                if known and branch.values is None:
                    values = known[1].replace("|", ", ")
                    self.here.say(f"{path} is read as one of {values}, but {self.sent} declares any text.")

    def _remember(self, path: str, schema: Schema) -> None:
        about = self.here.about
        about.readings[schema.place].append(self.body.at(path))
        about.first.setdefault(schema.place, (schema, self.here.description, f"{path} in {self.sent}"))


def _what_is_not_understood(about: _Edge) -> Iterator[str]:
    """Null and the values of an enumeration that may be sent, and that no interaction of the consumer reads."""
    consumer, provider = about.edge.consumer, about.edge.provider
    for place, (schema, description, where) in about.first.items():
        if " " in place:
            continue  # a whole answer
        sent = [value for branch in schema.branches() for value in branch.values or () if value is not None]
        sent += [None] if schema.may_be_null else []
        unread = [value for value in sent if not any(reading.accepts(value) for reading in about.readings[place])]
        if unread:
            names = ", ".join("null" if value is None else str(value) for value in unread)
            yield (
                f'{about.edge}, "{description}": {where} may be {names}: {provider} declares it ({place}), '
                f"and no interaction of {consumer} says that it understands that."
            )


def _answers_not_understood(about: _Edge) -> Iterator[str]:
    """The answers of an operation, refusals left out, that no interaction of the consumer reads."""
    consumer, provider = about.edge.consumer, about.edge.provider
    for operation, read_of_it in about.statuses.items():
        for status in operation.successes:
            if status not in read_of_it:
                yield (
                    f"{about.edge}: {operation} may answer {status}: {provider} declares it, and no interaction of {consumer} "
                    "says that it understands that."
                )


def _declared(schema: Schema, example: Any) -> str:
    if isinstance(example, dict) and "code" in example:
        codes = [value for branch in schema.branches() for value in branch.members["code"].values or ()]
        return f"only the codes {', '.join(codes)}"
    return " or ".join(sorted({kind for branch in schema.branches() for kind in branch.types})) or "nothing"


def _shown(example: Any) -> str:
    if isinstance(example, dict) and "code" in example:
        return f"a refusal with the code {example['code']}"
    return "null" if example is None else f"{example!r}"


def main() -> int:
    """Prints the findings. 1 if there are any."""
    ArgumentParser(
        prog="python -m contracts.promises.needs", description="What consumers need and their providers do not declare."
    ).parse_args()
    found = findings(Declared.read(CONTRACTS))
    print("\n".join(found) or "Everything that a consumer needs is declared and required by its provider.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
