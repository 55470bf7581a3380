"""Within a version, interfaces only grow: what was promised stays, and nothing new comes that old readers do not expect.

`python -m contracts.promises.growth --since v0.2.0` compares the documents of a revision with those of the working tree. A fact lies on the
firehose for days, and is read by whoever was released when: there every change that is no growth breaks. An answer or a request
breaks if a contract, of then or of now, needs what has changed; otherwise it is a note.
"""

import json
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.pactfile import PACTS, Interaction, all_edges, read
from contracts.promises.changes import Change, of_answers, of_requests
from contracts.promises.declared import CONTRACTS, JSON, PROBLEM, Api, Declared, Operation, published_schema
from contracts.promises.reading import below, body_of, subject_of
from contracts.releases import RevisionUnknown, unpack

FOUR_STEPS = "Add beside what is there, let its readers move, and take the old away in a later release."


@dataclass(frozen=True)
class Use:
    """How a contract uses an operation: what it sends and reads, by path (`$.lines[*].seat_id`; a text also as `$.code=gone`).

    `known` are all statuses that the contract reads from that operation, in this use or another.
    """

    parameters: frozenset[tuple[str, str]]
    sent: frozenset[str]
    status: str
    read: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True)
class ApiChange:
    """A change of an operation, and which uses of it it breaks."""

    sentence: str
    operation: str
    breaks: Callable[[Use], bool]


@dataclass
class Growth:
    """What has changed since a revision: what breaks somebody, and what does not. Each begins with the provider's name."""

    breaks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, provider: str) -> "Growth":
        """The part about one provider."""
        of_provider = [
            [each for each in part if each.startswith(f"{provider}: ")] for part in (self.breaks, self.notes)
        ]
        return Growth(*of_provider)


def problems_of(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a fact or bus message lost, or may bring that its old readers do not expect, a sentence each. None: it only grew."""
    return [str(change) for change in of_answers(published_schema(old), published_schema(new))]


def problems_of_api(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What an OpenAPI document lost, or may answer that old readers do not expect, whether or not a contract needs it."""
    return [change.sentence for change in _api_changes(Api(old), Api(new))]


def since(revision: str, root: Path) -> Growth:
    """What has changed since a revision. Raises RevisionUnknown."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(root, revision, Path(folder), CONTRACTS.name)
        return between(Path(folder) / CONTRACTS.name, root / CONTRACTS.name)


def between(then: Path, here: Path) -> Growth:
    """What has changed from one folder of documents and contracts to another."""
    old, new = Declared.read(then), Declared.read(here)
    pacts_then, pacts_here = then / PACTS.name, here / PACTS.name
    named = _subjects(pacts_then) | _subjects(pacts_here)
    uses = [*_uses(pacts_then, old), *_uses(pacts_here, new)]
    growth = Growth()
    for subject in old.published:
        _compare_published(growth, subject, old, new, is_named=subject in named)
    for provider, api in old.apis.items():
        for change in _api_changes(api, new.apis.get(provider, Api({}))):
            concerned = [use for asked, use in uses if asked == (provider, change.operation)]
            findings = growth.breaks if any(change.breaks(use) for use in concerned) else growth.notes
            findings.append(f"{provider}: {change.sentence}")
    return growth


def _compare_published(growth: Growth, subject: str, old: Declared, new: Declared, *, is_named: bool) -> None:
    provider = subject.split(".")[1]
    if subject in new.published:
        changes = of_answers(old.published[subject], new.published[subject])
        growth.breaks += [f"{provider}: {subject}: {change}" for change in changes]
    elif is_named:
        growth.breaks.append(f"{provider}: {subject} is gone, but a contract names it.")
    else:
        growth.notes.append(f"{provider}: {subject} is gone; no contract names it.")


def _api_changes(old: Api, new: Api) -> Iterator[ApiChange]:
    known = {str(operation): operation for operation in new.operations}
    for operation in old.operations:
        if str(operation) not in known:
            yield ApiChange(f"{operation} is gone.", str(operation), lambda _use: True)
            continue
        after = known[str(operation)]
        for part in (_access_changes, _parameter_changes, _body_changes, _answer_changes):
            yield from part(operation, after)


def _access_changes(old: Operation, new: Operation) -> Iterator[ApiChange]:
    for header in sorted(_headers_needed(new) - _headers_needed(old)):
        yield ApiChange(f"{old} needs the header {header} now.", str(old), _sends_no("header", header))


def _headers_needed(operation: Operation) -> set[str]:
    """The tokens that every caller must show: those that all alternatives have in common."""
    alternatives = operation.headers_of_access()
    return set.intersection(*alternatives) if alternatives else set()


def _parameter_changes(old: Operation, new: Operation) -> Iterator[ApiChange]:
    before, after = old.parameters, new.parameters
    for (where, name), parameter in after.items():
        was_required = before.get((where, name), {}).get("required", False)
        if parameter.get("required", False) and not was_required:
            yield ApiChange(f"{old} needs the {where} parameter {name} now.", str(old), _sends_no(where, name))
    for (where, name), parameter in before.items():
        described = f"the {where} parameter {name}"
        if (where, name) not in after:
            yield ApiChange(f"{old} does not take {described} any more.", str(old), _sends(where, name))
            continue
        for change in of_requests(old.schema_of(parameter), new.schema_of(after[where, name])):
            yield ApiChange(f"{old}, {described}: {change}", str(old), _sends(where, name))
        if where == "query" and (change_of_default := _default_change(parameter, after[where, name])):
            yield ApiChange(f"{old}, {described}: {change_of_default}", str(old), _sends_no(where, name))


def _default_change(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """How a parameter's default has changed, for callers that leave it out; None if it means the same as before."""
    was, now = _default_of(old), _default_of(new)
    if was == now or new.get("required", False):
        return None
    becomes = f"is {now} now" if now else "is gone"
    return f"its default {becomes}, and {f'was {was}' if was else 'there was none'}."


def _default_of(parameter: dict[str, Any]) -> str | None:
    schema = parameter.get("schema", {})
    return json.dumps(schema["default"]) if "default" in schema else None


def _sends(where: str, name: str) -> Callable[[Use], bool]:
    return lambda use: where == "path" or (where, name) in use.parameters


def _sends_no(where: str, name: str) -> Callable[[Use], bool]:
    return lambda use: (where, name) not in use.parameters


def _body_changes(old: Operation, new: Operation) -> Iterator[ApiChange]:
    before, after = old.body(), new.body()
    if after is None:
        if before is not None:
            yield ApiChange(f"{old} takes no body any more.", str(old), lambda use: bool(use.sent))
    elif before is None:
        if new.needs_body:
            yield ApiChange(f"{old} needs a body now.", str(old), lambda use: not use.sent)
    else:
        for change in of_requests(before, after):
            yield ApiChange(f"the body of {old}: {change}", str(old), _sends_so(change))


def _sends_so(change: Change) -> Callable[[Use], bool]:
    """Who sends what is at the path; if that must be there now, who sends what it belongs to and not it."""
    parent = change.path.rpartition(".")[0]
    if change.is_about_absence:
        return lambda use: parent in use.sent and change.path not in use.sent
    return lambda use: change.path in use.sent


def _answer_changes(old: Operation, new: Operation) -> Iterator[ApiChange]:
    for status in new.successes:
        # A refusal of another status is no surprise: whoever does not know it takes it as a refusal.
        if status not in old.statuses:
            yield ApiChange(f"{old} may answer {status} now.", str(old), _does_not_know(status))
    for status in old.statuses:
        answer = f"the answer {status} of {old}"
        if status not in new.statuses:
            yield ApiChange(f"{answer} is gone.", str(old), _reads(status))
            continue
        before, after = old.answers(status), new.answers(status)
        for kind in before:
            if kind not in after:
                yield ApiChange(f"{answer} is no {kind} any more.", str(old), _reads(status))
            elif kind in {JSON, PROBLEM}:
                for change in of_answers(before[kind], after[kind]):
                    yield ApiChange(f"{answer}: {change}", str(old), _reads(status, change.path))


def _reads(status: str, path: str | None = None) -> Callable[[Use], bool]:
    return lambda use: use.status == status and (path is None or path in use.read)


def _does_not_know(status: str) -> Callable[[Use], bool]:
    return lambda use: status not in use.known


def _subjects(pacts: Path) -> set[str]:
    """The facts and bus messages that contracts name."""
    listened = [edge for edge in all_edges(pacts) if edge.kind != "asks"]
    return {subject_of(edge, each) for edge in listened for each in read(edge, pacts)}


def _uses(pacts: Path, declared: Declared) -> Iterator[tuple[tuple[str, str], Use]]:
    """What the contracts of a tree use, with the provider and the operation."""
    for edge in all_edges(pacts):
        if edge.kind != "asks" or edge.provider not in declared.apis:
            continue
        found: dict[str, list[Interaction]] = {}
        for interaction in read(edge, pacts):
            request = interaction["request"]
            operation = declared.apis[edge.provider].find(request["method"], request["path"])
            if operation is not None:  # otherwise contracts/promises/needs.py reports it
                found.setdefault(str(operation), []).append(interaction)
        for asked, interactions in found.items():
            known = frozenset(str(each["response"]["status"]) for each in interactions)
            for interaction in interactions:
                yield (edge.provider, asked), _use(interaction, known)


def _use(interaction: Interaction, known: frozenset[str]) -> Use:
    request, response = interaction["request"], interaction["response"]
    query = {("query", name) for name in request.get("query", {})}
    headers = {("header", name.lower()) for name in request.get("headers", {})}
    status = str(response["status"])
    return Use(frozenset(query | headers), _paths_of(request), status, _paths_of(response), known)


def _paths_of(part: dict[str, Any]) -> frozenset[str]:
    body = body_of(part)
    return frozenset(_paths("$", body.example)) if body is not None else frozenset()


def _paths(path: str, example: Any) -> Iterator[str]:
    yield path
    if isinstance(example, str):
        yield f"{path}={example}"
    for each, value in below(path, example):
        yield from _paths(f"{path}[*]" if isinstance(example, list) else each, value)


def main() -> int:
    """Prints what breaks, then the notes. 1 if anything breaks."""
    parser = ArgumentParser(
        prog="python -m contracts.promises.growth", description="What has changed in the documents since a revision."
    )
    parser.add_argument("--since", required=True, metavar="REVISION")
    try:
        growth = since(parser.parse_args().since, CONTRACTS.parent)
    except RevisionUnknown as unknown:
        print(unknown, file=sys.stderr)
        return 2
    lines = [f"BREAKS  {each}" for each in growth.breaks] + [f"note    {each}" for each in growth.notes]
    print("\n".join([*lines, *([FOUR_STEPS] if growth.breaks else [])]) or "Nothing was lost: the documents only grew.")
    return 1 if growth.breaks else 0


if __name__ == "__main__":
    sys.exit(main())
