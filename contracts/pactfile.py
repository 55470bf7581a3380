"""Pact files: one for each edge, normalised so that the same contract is the same bytes, and readable when two differ."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

PACTS = Path(__file__).parent / "pacts"
# The folder beside the pacts of our own: those that partners outside of this repository submitted.
EXTERNAL = "external"
Kind = Literal["asks", "hears", "watches"]
Interaction = dict[str, Any]
# What makes an interaction that interaction; Pact silently replaces one that has the same.
Key = tuple[str, str]
# A rule's path, in tokens: names, numbers, and `*` for any item.
Tokens = tuple[str, ...]
WRITING = "write"
SHOWN_DIFFERENCES = 5
SHOWN_CHARACTERS = 160


class ContractBroken(AssertionError):
    """A contract does not hold. The message says who promised what to whom, and what to do."""


def exit_code_of(main: Callable[[], int | None]) -> int:
    """Runs a command. Where a contract cannot even be read, its sentence is printed, and the code is 2."""
    try:
        return main() or 0
    except ContractBroken as broken:
        print(broken, file=sys.stderr)
        return 2


@dataclass(frozen=True, order=True)
class Edge:
    """Who needs what from whom: a consumer `asks` a provider over HTTP, `hears` its facts, or `watches` its bus messages."""

    consumer: str
    kind: Kind
    provider: str

    def __str__(self) -> str:
        return f"{self.consumer} {self.kind} {self.provider}"

    @property
    def file_name(self) -> str:
        """The name of the edge's pact file."""
        return f"{self.consumer}-{self.kind}-{self.provider}.json"

    @classmethod
    def of(cls, path: Path) -> Self:
        """The edge of a pact file. Raises ContractBroken for a file of another name."""
        match path.name.removesuffix(".json").split("-"):
            case [consumer, ("asks" | "hears" | "watches") as kind, provider]:
                return cls(consumer, kind, provider)
            case _:
                raise ContractBroken(
                    f"{path} is not a pact: pacts are called <consumer>-<asks|hears|watches>-<provider>.json."
                )


def is_writing() -> bool:
    """Whether this run writes pacts instead of checking them: `PACTS=write`."""
    return os.environ.get("PACTS") == WRITING


def edges(pacts: Path = PACTS) -> list[Edge]:
    """The edges that have a pact in a folder."""
    return sorted(Edge.of(path) for path in pacts.glob("*.json"))


def all_edges(pacts: Path = PACTS) -> list[Edge]:
    """The edges that have a pact in a folder, and those of partners, whose pacts lie beside it."""
    return sorted({*edges(pacts), *edges(pacts.parent / EXTERNAL)})


def path_of(edge: Edge, pacts: Path = PACTS) -> Path:
    """Where an edge's pact is, or would be: a partner's lies in the folder beside."""
    external = pacts.parent / EXTERNAL / edge.file_name
    return external if external.exists() else pacts / edge.file_name


def render(edge: Edge, interactions: list[Interaction]) -> str:
    """The text of a pact file: in order of description, and without the version of the library that wrote it."""
    document = {
        "consumer": {"name": edge.consumer},
        "provider": {"name": edge.provider},
        "interactions": sorted(interactions, key=key_of),
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(edge: Edge, pacts: Path = PACTS) -> list[Interaction]:
    """The interactions of an edge's pact. Raises ContractBroken if there is none, it is empty, or it was edited to nonsense."""
    path = path_of(edge, pacts)
    if not path.exists():
        raise ContractBroken(f"There is no pact of {edge}: {path} is missing. {_how_to_write(edge)}")
    how = _how_to_mend(edge, path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        named = (document["consumer"]["name"], document["provider"]["name"])
        interactions: list[Interaction] = document["interactions"]
        keys = [_checked_key(edge, each) for each in interactions]
    except ValueError as error:
        raise ContractBroken(f"{path} cannot be read: it is no JSON: {error}. {how}") from error
    except KeyError as error:
        raise ContractBroken(f"{path} cannot be read: {error} is missing. {how}") from error
    except (TypeError, AttributeError) as error:
        raise ContractBroken(f"{path} cannot be read: something in it is of another kind: {error}. {how}") from error
    if named != (edge.consumer, edge.provider):
        raise ContractBroken(f"{path} is about {named[0]} and {named[1]}, not about {edge}. {how}")
    if not interactions:
        raise ContractBroken(f"The pact of {edge} has no interactions, so it would always hold. {how}")
    if len(set(keys)) < len(keys):
        raise ContractBroken(f"{path} has two interactions of the same description and states. {how}")
    return interactions


def _checked_key(edge: Edge, interaction: Interaction) -> Key:
    """The key of an interaction that has what everybody reads of it. Raises KeyError, TypeError or AttributeError otherwise."""
    states_of(interaction)
    if edge.kind == "asks":
        interaction["request"]["method"], interaction["request"]["path"], interaction["response"]["status"]
    else:
        interaction["contents"]["content"]
    return key_of(interaction)


def key_of(interaction: Interaction) -> Key:
    """The description and the states of an interaction."""
    return interaction["description"], json.dumps(interaction.get("providerStates", []), sort_keys=True)


def states_of(interaction: Interaction) -> list[str]:
    """The names of the states that an interaction needs."""
    return [state["name"] for state in interaction.get("providerStates", [])]


def compare(edge: Edge, made: list[Interaction], pacts: Path = PACTS, *, complete: bool = True) -> None:
    """Raises ContractBroken if what the consumer's tests made is not what is committed.

    `complete`: all tests of the edge ran, so that an interaction that none of them made is stale.
    """
    committed = {key_of(each): each for each in read(edge, pacts)}
    now = {key_of(each): each for each in made}
    problems = [f'"{key[0]}" is new: it is not committed yet.' for key in now.keys() - committed.keys()]
    if complete:
        problems += [f'"{key[0]}" is stale: no test makes it any more.' for key in committed.keys() - now.keys()]
    for key in now.keys() & committed.keys():
        found = list(_differences("$", committed[key], now[key]))
        problems += [f'"{key[0]}" differs at {difference}' for difference in found[:SHOWN_DIFFERENCES]]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in sorted(problems))
        raise ContractBroken(
            f"The committed pact of {edge} is not what its consumer's tests say:\n{listed}\n{_how_to_write(edge)}"
        )


def _differences(path: str, committed: Any, made: Any) -> Iterator[str]:
    if isinstance(committed, dict) and isinstance(made, dict):
        for name in sorted(committed.keys() | made.keys()):
            if name not in made:
                yield f"{path}.{name}: committed, but the test does not say it."
            elif name not in committed:
                yield f"{path}.{name}: the test says it, but it is not committed."
            else:
                yield from _differences(f"{path}.{name}", committed[name], made[name])
    elif isinstance(committed, list) and isinstance(made, list) and len(committed) == len(made):
        for number, pair in enumerate(zip(committed, made, strict=True)):
            yield from _differences(f"{path}[{number}]", *pair)
    elif committed != made:
        yield f"{path}: committed is {_short(committed)}, the test says {_short(made)}."


def _short(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}..."


def _how_to_write(edge: Edge) -> str:
    return f"Run `PACTS=write make contracts`, look at the difference, and commit contracts/pacts/{edge.file_name}."


def _how_to_mend(edge: Edge, path: Path) -> str:
    if path.parent.name == EXTERNAL:
        return "It is a partner's: `python -m contracts.partners.external` says what is wrong with it."
    return _how_to_write(edge)


def tokens_of(path: str) -> Tokens:
    """The parts of a path: `$.lines[0].seat_id` has `$`, `lines`, `0`, `seat_id`."""
    return tuple(re.findall(r"[^.\[\]']+", path))
