"""What providers can set up before they are verified, read from their verifications and from the pacts: for those who write a pact."""

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from contracts.completeness.services import System
from contracts.pactfile import EXTERNAL, ContractBroken, Edge, Interaction, Kind, read

VERIFICATION = "tests/contract/test_is_asked.py"


def states_of_provider(services: Path, provider: str) -> list[str]:
    """The names of the states that a provider has handlers for; none if its answers are not verified.

    Raises ContractBroken if its verification does not name them one by one.
    """
    path = services / provider / VERIFICATION
    if not path.is_file():
        return []
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "states":
            names = node.value.keys if isinstance(node.value, ast.Dict) else [None]
            if not all(isinstance(name, ast.Constant) for name in names):
                raise ContractBroken(f"{path} does not name its states one by one. Write them as states={{...}} there.")
            found += [ast.literal_eval(name) for name in names if name is not None]
    return sorted(found)


def parameters_of(system: System, provider: str, *, without: Edge | None = None) -> dict[str, dict[str, bool]]:
    """The parameters of each state as the pacts give them, and whether all do; `without` the pact of one edge."""
    given: dict[str, list[dict[str, Any]]] = {}
    for interaction in _interactions("asks", provider, system.pacts, without):
        for state in interaction.get("providerStates", []):
            given.setdefault(state["name"], []).append(state.get("params", {}))
    return {
        state: {name: all(name in each for each in uses) for name in sorted({name for each in uses for name in each})}
        for state, uses in given.items()
    }


def _interactions(kind: Kind, provider: str, pacts: Path, without: Edge | None = None) -> Iterator[Interaction]:
    """What is in the pacts with a provider. One that cannot be read is reported to whom it belongs, and to nobody else."""
    for path in (*sorted(pacts.glob("*.json")), *sorted((pacts.parent / EXTERNAL).glob("*.json"))):
        found: list[Interaction] = []
        with suppress(ContractBroken):
            edge = Edge.of(path)
            if (edge.kind, edge.provider) == (kind, provider) and edge != without:
                found = read(edge, pacts)
        yield from found


def described(system: System, provider: str) -> str:
    """The states of a provider with their parameters, and its facts with their descriptions, as lines of text."""
    parameters = parameters_of(system, provider)
    lines = [provider]
    for state in states_of_provider(system.folder, provider):
        names = [name if always else f"{name} (or not)" for name, always in parameters.get(state, {}).items()]
        lines.append(f"  given  {state}: {', '.join(names) or 'no parameters'}")
    described = {each["description"] for each in _interactions("hears", provider, system.pacts)}
    for subject in system.service(provider).facts:
        lines += [f"  fact   {each}" for each in sorted(described | {subject}) if each.split(" ")[0] == subject]
    return "\n".join(lines)
