"""Breaks of state handlers: none of them does anything, and each interaction that needs a state has to fail.

A handler that makes nothing true, or something that its interaction does not look at, would let a contract pass whatever the provider
does. `CONTRACTS_DROPPED` names a file for what came of it; then a verification is no verification, and holds.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.mutation.generated.parts import is_chosen
from contracts.pactfile import key_of, render

if TYPE_CHECKING:
    from pact import Verifier

    from contracts.verification import Plan

DROPPED = "CONTRACTS_DROPPED"


def is_wanted() -> bool:
    """Whether this verification is about handlers that do nothing."""
    return DROPPED in os.environ


def note_minded(verifier: "Verifier", plan: "Plan") -> int:
    """Verifies with handlers that do nothing, and notes for each interaction with a state whether that was minded. How many were."""
    from contracts.verification import verdicts_of

    needing = {edge: [each for each in found if each.get("providerStates")] for edge, found in plan.contracts.items()}
    chosen = {edge: found for edge, found in needing.items() if found and not _is_partner(edge.consumer)}
    verifier.state_handler(_nothing)
    with tempfile.TemporaryDirectory() as folder:
        for edge, interactions in chosen.items():
            source = Path(folder) / edge.file_name
            source.write_text(render(edge, interactions), encoding="utf-8")
            verifier.add_source(source)
        minded = verdicts_of(verifier, chosen) if chosen else set()
    lines = [
        json.dumps([str(edge), each["providerStates"][0]["name"], each["description"], (edge, key_of(each)) in minded])
        for edge, interactions in chosen.items()
        for each in interactions
        if is_chosen(f"{edge}, {each['description']}: the state dropped")
    ]
    with Path(os.environ[DROPPED]).open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return len(minded)


def _is_partner(consumer: str) -> bool:
    return not (Path(__file__).parents[3] / "services" / consumer).is_dir()


def _nothing(state: str, parameters: dict[str, Any] | None) -> None:
    """Makes nothing true. Pact looks at the names of these two, and calls handlers with others again and again."""
    del state, parameters
