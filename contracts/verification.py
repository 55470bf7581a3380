"""What to verify, and what came of it: Pact's verifier, with its silent passes closed.

Ordinarily every pact of this checkout must hold. `CONTRACTS_ACROSS` names a folder with the contracts of another version instead
(contracts/deploying/across.py): then what this version cannot set up is distinguished from what it breaks.
"""

import asyncio
import contextlib
import json
import os
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
from pact import Verifier
from pact._server import HandlerHttpServer

from contracts.broker import publishing, take_from_broker
from contracts.journal import Entry, Found, note
from contracts.pactfile import (
    PACTS,
    ContractBroken,
    Edge,
    Interaction,
    Key,
    Kind,
    all_edges,
    is_writing,
    key_of,
    read,
    render,
)
from contracts.running import ACROSS

# The verifier's own little servers look only every half second whether they should end, and each verification waits for that.
HandlerHttpServer.serve_forever = partialmethod(  # type: ignore[assignment,method-assign]
    HandlerHttpServer.serve_forever, poll_interval=0.01
)

STATE_SECONDS = 20.0

StateHandler = Callable[[dict[str, Any]], Awaitable[None]]
OnState = Callable[[str, Mapping[str, Any]], None]


@dataclass
class Plan:
    """The interactions to verify, by edge, and those of another version that cannot be."""

    provider: str
    contracts: dict[Edge, list[Interaction]]
    across: bool
    unknown: dict[tuple[Edge, Key], str] = field(default_factory=dict)

    def interactions(self) -> list[tuple[Edge, Interaction]]:
        """All of them."""
        return [(edge, interaction) for edge, interactions in self.contracts.items() for interaction in interactions]

    def needs_handlers(
        self, what: str, handlers: Mapping[str, Any], names_of: Callable[[Interaction], list[str]]
    ) -> None:
        """Raises ContractBroken unless each name that an interaction needs has a handler, and each handler a need.

        Across versions such an interaction is unknown instead.
        """
        __tracebackhide__ = True
        needed = {name: edge for edge, interaction in self.interactions() for name in names_of(interaction)}
        if self.across:
            for edge, interaction in self.interactions():
                for name in names_of(interaction):
                    if name not in handlers:
                        said = f'{self.provider} of that version does not know the {what} "{name}".'
                        self.unknown[edge, key_of(interaction)] = said
            return
        problems = [
            f'The {what} "{name}" has no handler at {self.provider}, but "{needed[name]}" needs it. Write one.'
            for name in sorted(needed.keys() - handlers.keys())
        ]
        problems += [
            f'The handler of the {what} "{name}" at {self.provider} is dead: no pact needs it. '
            "Remove it, or correct its name."
            for name in sorted(handlers.keys() - needed.keys())
        ]
        if problems:
            raise ContractBroken("\n".join(problems))

    def verifiable(self) -> dict[Edge, list[Interaction]]:
        """Without the unknown ones."""
        return {
            edge: [each for each in interactions if (edge, key_of(each)) not in self.unknown]
            for edge, interactions in self.contracts.items()
        }


class StatesInLoop:
    """Calls state handlers, which the verifier asks for in a thread of its own, in the test's event loop.

    A handler that raises is remembered, and the verifier hears that all is well: it would repeat the call for minutes.
    """

    def __init__(
        self, states: Mapping[str, StateHandler], loop: asyncio.AbstractEventLoop, on_state: OnState | None = None
    ) -> None:
        self._states = states
        self._loop = loop
        self._on_state = on_state or (lambda _state, _parameters: None)
        # What went wrong, by state.
        self.failures: dict[str, str] = {}

    def set_up(self, state: str, parameters: dict[str, Any] | None) -> None:
        """Makes a state true; what goes wrong is in `failures`."""
        self._on_state(state, parameters or {})
        if not state:
            return  # Pact's way to say that an interaction needs none
        try:
            asyncio.run_coroutine_threadsafe(self._call(state, parameters or {}), self._loop).result(STATE_SECONDS)
        except Exception:  # noqa: BLE001  # reported at the end, with its own traceback
            self.failures[state] = f'The state "{state}" could not be set up:\n{traceback.format_exc()}'

    async def _call(self, state: str, parameters: dict[str, Any]) -> None:
        await self._states[state](parameters)


def plan_of(kind: Kind, provider: str, consumers: Iterable[str], pacts: Path) -> Plan:
    """The pacts of a provider. Raises ContractBroken unless they are those of the consumers that its verification names."""
    __tracebackhide__ = True
    if is_writing():
        pytest.skip("Pacts are being written; run `make contracts` to verify them.")
    other = os.environ.get(ACROSS)
    across = bool(other) and pacts == PACTS
    if across:
        pacts = Path(other or "") / PACTS.name
    found = [edge for edge in all_edges(pacts) if edge.kind == kind and edge.provider == provider]
    if across and not found:
        pytest.skip(f"In those contracts nobody {kind} {provider}.")
    if not across:
        _check_consumers(kind, provider, set(consumers), {edge.consumer for edge in found})
    return Plan(provider, {edge: read(edge, pacts) for edge in found}, across)


def _check_consumers(kind: Kind, provider: str, declared: set[str], have: set[str]) -> None:
    __tracebackhide__ = True
    if not declared:
        raise ContractBroken(f"The verification of {provider} names no consumers, so it would verify nothing.")
    if missing := declared - have:
        names = ", ".join(sorted(missing))
        raise ContractBroken(
            f"There is no pact in which {names} {kind} {provider}. "
            "Is a name misspelt, or was a pact deleted? `PACTS=write make contracts` writes what the consumers' tests say."
        )
    if further := have - declared:
        names = ", ".join(sorted(further))
        raise ContractBroken(
            f"{names} {kind} {provider} by a pact, but its verification does not name {names}. Add it there."
        )


async def run(
    verifier: Verifier, plan: Plan, failures: Mapping[str, str], beside: Callable[[], list[str]] = list
) -> int:
    """Verifies what can be, and notes what came of it. How many held. Raises ContractBroken with all that did not.

    `beside`: what Pact cannot see and is wrong all the same, asked afterwards.
    """
    __tracebackhide__ = True
    results, silent = await _verified(verifier, plan)
    found = _found(plan, results, failures)
    for edge, outcomes in found.items():
        note(Entry("verified", edge, len(outcomes), tuple(outcomes)))
    problems = list(failures.values()) if not plan.across else []
    # Across versions, a failure that follows from a missing state is not reported again.
    problems += [each.why for outcomes in found.values() for each in outcomes if each.outcome == "broken"]
    problems += beside() if not problems and not plan.across else []
    expected = sum(len(interactions) for interactions in plan.verifiable().values())
    if len(results) != expected:
        problems.append(f"The pacts have {expected} interactions, but {len(results)} were verified.")
    if silent and not problems and not failures:
        problems.append(f"The verifier failed and did not say why:\n{silent}")
    if problems:
        raise ContractBroken("\n".join(problems))
    return sum(each.outcome == "held" for outcomes in found.values() for each in outcomes)


async def _verified(verifier: Verifier, plan: Plan) -> tuple[list[dict[str, Any]], str]:
    """What came of the interactions in the folder; or of those that a broker has, which hears of it while results are published."""
    version = publishing()
    if version is not None and not plan.across:
        take_from_broker(verifier, plan.contracts, version)
        return await _results(verifier)
    with tempfile.TemporaryDirectory() as folder:
        for edge, interactions in plan.verifiable().items():
            if interactions:
                source = Path(folder) / edge.file_name
                source.write_text(render(edge, interactions), encoding="utf-8")
                verifier.add_source(source)
        return await _results(verifier) if any(Path(folder).iterdir()) else ([], "")


def verdicts_of(verifier: Verifier, contracts: Mapping[Edge, list[Interaction]]) -> set[tuple[Edge, Key]]:
    """Verifies, and gives those interactions that do not hold. Raises ContractBroken if some were not verified at all."""
    verifier.set_coloured_output(enabled=False)
    with contextlib.suppress(RuntimeError):
        verifier.verify()
    by_consumer = {edge.consumer: edge for edge in contracts}
    results = list(verifier.results["interactionResults"])
    if len(results) != sum(map(len, contracts.values())):
        raise ContractBroken(f"{len(results)} interactions were verified, which are not all.")
    broken = [each for each in results if each["result"] != "OK"]
    return {
        (edge, key_of(interaction))
        for each in broken
        for edge in [by_consumer[each["consumer"]]]
        for interaction in contracts[edge]
        if interaction["description"] == each["description"] and _names(interaction) == each.get("providerStates", [])
    }


def _names(interaction: Interaction) -> list[str]:
    return [state["name"] for state in interaction.get("providerStates", [])]


async def _results(verifier: Verifier) -> tuple[list[dict[str, Any]], str]:
    """What came of each interaction, and the verifier's output if it failed: its exception says nothing, the results do."""
    verifier.set_coloured_output(enabled=False)
    try:
        await asyncio.to_thread(verifier.verify)
    except RuntimeError:
        said = verifier.output(strip_ansi=True) or "It said nothing."
    else:
        said = ""
    return list(verifier.results["interactionResults"]), said


def _found(plan: Plan, results: list[dict[str, Any]], failures: Mapping[str, str]) -> dict[Edge, list[Found]]:
    by_consumer = {edge.consumer: edge for edge in plan.contracts}
    found: dict[Edge, list[Found]] = {edge: [] for edge in plan.contracts}
    for (edge, (description, _)), why in plan.unknown.items():
        found[edge].append(Found(description, "unknown", why))
    for result in results:
        outcomes = found[by_consumer[result["consumer"]]]
        fallen = [failures[state] for state in result.get("providerStates", []) if state in failures]
        if fallen:
            outcomes.append(Found(result["description"], "failed", fallen[0]))
        elif result["result"] == "OK":
            outcomes.append(Found(result["description"], "held"))
        else:
            outcomes.append(Found(result["description"], "broken", _sentence(result)))
    return found


def _sentence(result: dict[str, Any]) -> str:
    """Who promised what to whom, and where it is not so."""
    mismatch = result.get("mismatch", {})
    found = mismatch.get("mismatches") or [mismatch]
    lines = "\n".join(f"    {_where(each)}{each.get('mismatch') or json.dumps(each)}" for each in found)
    given = "".join(f', given "{state}"' for state in result.get("providerStates", []))
    return f'{result["provider"]} breaks what {result["consumer"]} relies on, in "{result["description"]}"{given}:\n{lines}'


def _where(mismatch: dict[str, Any]) -> str:
    return f"{mismatch['path']}: " if mismatch.get("path") else ""
