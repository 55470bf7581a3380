"""Refusals that consumers handle: each is part of the contract, and a code that no provider says is handled in vain.

What a provider may refuse with is in its OpenAPI document, operation by operation. What a consumer handles is in its code: codes
that it names, statuses that it looks at, and, in every client, "not now" (429 and 503), which chassis.http makes one exception of.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from chassis.errors import ChassisError
from chassis.people import PEOPLE_ISSUER
from contracts.completeness.calls import code_of
from contracts.completeness.edges import Need, in_code
from contracts.completeness.offers import Folders
from contracts.pactfile import Edge, Interaction, edges, read

NOT_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# Of every service and about every route, also that people's keys cannot be had: the chassis's own tests cover them. Only a
# consumer that names one needs a contract.
OF_THE_CHASSIS = frozenset(
    {"request_invalid", f"{PEOPLE_ISSUER}_unavailable", *(each.code for each in ChassisError.__subclasses__())}
)
CODE = "problem_code"
STATUSES = frozenset({"status", "status_code"})
IN_PROSE = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")


@dataclass(frozen=True)
class Handled:
    """What some code of a consumer does something about: codes it compares with, codes it tells its callers of, statuses."""

    compared: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()

    def __or__(self, other: "Handled") -> "Handled":
        return Handled(self.compared | other.compared, self.told | other.told, self.statuses | other.statuses)

    def includes(self, code: str, status: int) -> bool:
        """Whether a refusal is handled. What every route may say is, if it is named."""
        named = code in self.compared or code in self.told
        return named or (code not in OF_THE_CHASSIS and (status in self.statuses or status in NOT_NOW))


def problems_of_refusals(folders: Folders) -> list[str]:
    """A sentence for each refusal that a consumer handles and no interaction has, and for each that nobody makes."""
    code = in_code(folders)
    found: list[str] = []
    for consumer in folders.names():
        asked = sorted(need for need in code if need.edge.consumer == consumer and need.edge.kind == "asks")
        found += _uncovered(folders, consumer, asked)
        found += _in_vain(folders, consumer, asked)
    return found


def handled_in(path: Path, *, is_client: bool) -> Handled:
    """What a module handles. Of a client the codes that its docstrings name count as well: its callers rely on them."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    numbers = dict(_numbers_of(tree))
    compared, statuses = set(), set()
    for attribute, operands in _comparisons(tree):
        values = [value for operand in operands for value in _values(operand, numbers)]
        if attribute == CODE:
            compared |= {value for value in values if isinstance(value, str)}
        elif attribute in STATUSES:
            statuses |= {value for value in values if isinstance(value, int)}
    refusals = frozenset(status for status in statuses if status >= HTTPStatus.BAD_REQUEST)
    return Handled(frozenset(compared), frozenset(_told_in(tree) if is_client else ()), refusals)


def _uncovered(folders: Folders, consumer: str, asked: list[Need]) -> Iterator[str]:
    service = folders.services / consumer
    anywhere = Handled()
    for path in code_of(service):
        if path.parent != service / "clients" or path.stem not in folders.names():
            anywhere |= handled_in(path, is_client=False)
    in_pacts = {edge: list(_refusals_in(folders, edge)) for edge in edges(folders.pacts) if edge.consumer == consumer}
    for need in asked:
        client = service / "clients" / f"{need.edge.provider}.py"
        handled = anywhere | handled_in(client, is_client=True)
        for code, status in folders.offers.refusals(need.edge.provider, need.what).items():
            if handled.includes(code, status) and (need.what, status, code) not in in_pacts.get(need.edge, []):
                yield (
                    f"{need.edge}: {consumer} handles {status} {code} of {need.what}, but no interaction has it. Write one in "
                    f"services/{consumer}/tests/contract/test_asks_{need.edge.provider}.py."
                )


def _in_vain(folders: Folders, consumer: str, asked: list[Need]) -> Iterator[str]:
    said = {code for need in asked for code in folders.offers.refusals(need.edge.provider, need.what)}
    for path in code_of(folders.services / consumer):
        for code in sorted(handled_in(path, is_client=False).compared - said):
            yield (
                f"{path} handles {code}, but no operation that {consumer} asks is documented to refuse with it. Correct it, or "
                "name it in the `responses` of the provider's route."
            )


def _refusals_in(folders: Folders, edge: Edge) -> Iterator[tuple[str | None, int, str | None]]:
    if edge.kind != "asks":
        return
    for interaction in read(edge, folders.pacts):
        request, response = interaction["request"], interaction["response"]
        operation = folders.offers.asked(edge.provider, request["method"], request["path"])
        yield operation, response["status"], _code_of(interaction)


def _code_of(interaction: Interaction) -> str | None:
    content = interaction["response"].get("body", {}).get("content")
    return content.get("code") if isinstance(content, dict) else None


def _comparisons(tree: ast.AST) -> Iterator[tuple[str, list[ast.AST]]]:
    """`problem.status == 404`, `problem.problem_code in {...}`, `match problem.problem_code: case ...`: the attribute, the rest."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=ast.Attribute(attr=attribute), comparators=others):
                yield attribute, list(others)
            case ast.Match(subject=ast.Attribute(attr=attribute), cases=cases):
                yield attribute, [case.pattern for case in cases]


def _values(node: ast.AST, numbers: dict[str, int]) -> Iterator[str | int]:
    """The texts and numbers in an expression; numbers also by their names, as `NOT_FOUND` and `httpx.codes.NOT_FOUND`."""
    for each in ast.walk(node):
        match each:
            case ast.Constant(value=str() | int() as value):
                yield value
            case ast.Name(id=name) if name in numbers:
                yield numbers[name]
            case ast.Attribute(attr=name) if name in HTTPStatus.__members__:
                yield HTTPStatus[name].value


def _numbers_of(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(value))):
                yield name, value


def _told_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from IN_PROSE.findall(ast.get_docstring(node) or "")
