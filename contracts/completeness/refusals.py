"""Refusals that consumers act on: each is in their contract, and a code that no provider says is declared in vain.

Both sides are declared: what a provider may refuse with (`refuses` of its operations), what a consumer acts on (`refusals` of what it
uses, and nothing else reaches its code). "Not now" (429 and 503) every client acts on: the chassis makes one exception of it.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from chassis.asking import Use
from chassis.errors import ChassisError
from chassis.operations import Operation
from chassis.people import PEOPLE_ISSUER
from contracts.completeness.edges import uses_of
from contracts.completeness.services import System, refusals_of
from contracts.pactfile import Edge, Interaction, read

NOT_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# The chassis refuses with these at every route of every service (also when people's keys cannot be had), and its own tests cover
# them. Only a consumer that declares one needs a contract.
OF_THE_CHASSIS = frozenset(
    {"request_invalid", f"{PEOPLE_ISSUER}_unavailable", *(each.code for each in ChassisError.__subclasses__())}
)


def problems_of_refusals(system: System) -> list[str]:
    """A sentence for each refusal that a consumer acts on and no interaction has, and for each that nobody makes."""
    found = []
    for edge, client, use in uses_of(system):
        operation = system.service(edge.provider).called(use.method, use.path)
        if operation is None:
            continue  # contracts/completeness/edges.py says so
        offered = refusals_of(operation)
        found += [
            f"{edge}: {client.__name__} declares {code} among the refusals of {use}, but {edge.provider} never refuses with it "
            f"there. Correct it, or name its error in `refuses` of {edge.provider}'s operation."
            for code in sorted(use.refusals.keys() - {code for code, _ in offered} - OF_THE_CHASSIS)
        ]
        found += _uncovered(system, edge, use, operation, offered)
    return found


def _uncovered(
    system: System, edge: Edge, use: Use[Any], operation: Operation, offered: set[tuple[str, int]]
) -> Iterator[str]:
    if not (system.pacts / edge.file_name).exists():
        return  # contracts/completeness/edges.py says so
    provider = system.service(edge.provider)
    in_pact = {
        _code_of(each)
        for each in read(edge, system.pacts)
        if provider.asked(each["request"]["method"], each["request"]["path"]) is operation
    }
    not_now = {code for code, status in offered if status in NOT_NOW and code not in OF_THE_CHASSIS}
    for code in sorted((use.refusals.keys() | not_now) - in_pact):
        yield (
            f"{edge}: {edge.consumer} acts on {code} of {use}, but no interaction has it. Write one in "
            f"services/{edge.consumer}/tests/contract/test_asks_{edge.provider}.py."
        )


def _code_of(interaction: Interaction) -> str | None:
    content = interaction["response"].get("body", {}).get("content")
    return content.get("code") if isinstance(content, dict) else None
