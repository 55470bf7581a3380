"""The tables of docs/architecture.md and docs/consistency.md: who may ask what, how old what they read may be, who hears and watches
what. From the declarations, never by hand.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`; `make documents` writes them, and a test compares them.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from chassis.operations import EVERYBODY
from contracts.completeness.edges import declared_needs
from contracts.completeness.services import System, real, refusals_of
from contracts.promises.declared import CONTRACTS, JSON, Declared, Operation, Schema

DOCS = Path(__file__).parents[2] / "docs"
PAGES = DOCS / "architecture.md", DOCS / "consistency.md"
_TABLE = re.compile(r"(<!-- table: (?P<name>[\w ]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_HEADS = {
    "operations": ("operation", "who", "request -> response", "refusals"),
    "facts": ("fact", "data", "heard by"),
    "bus": ("subject", "payload", "watched by"),
    "consistency": ("service", "operation", "what it reads", "why"),
}


def written(text: str, system: System | None = None) -> str:
    """A page with all its tables as the declarations say them now. Raises ValueError for a table that there is not."""
    tables = Tables(system or real())
    return _TABLE.sub(lambda found: f"{found[1]}{tables.of(found['name'])}\n{found[3]}", text)


def stale(page: Path) -> list[str]:
    """The names of tables on a page that are not what the declarations say."""
    text = page.read_text(encoding="utf-8")
    now = {found["name"]: found[0] for found in _TABLE.finditer(written(text))}
    return [found["name"] for found in _TABLE.finditer(text) if now[found["name"]] != found[0]]


class Tables:
    """Makes the tables of a system. Their names: `operations of SERVICE`, `facts`, `bus`, `consistency`."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._declared = Declared.read(system.documents if system.documents.exists() else CONTRACTS)

    def of(self, name: str) -> str:
        """A table by its name. Raises ValueError if there is none of it."""
        kind, _, provider = name.partition(" of ")
        makers: dict[str, Callable[[], Iterator[tuple[str, ...]]]] = {
            "operations": lambda: self._operations(provider),
            "facts": lambda: self._published("hears"),
            "bus": lambda: self._published("watches"),
            "consistency": self._consistency,
        }
        if kind not in makers or (kind == "operations" and provider not in self._system.names()):
            raise ValueError(
                f"There is no table “{name}”: write `operations of SERVICE`, `facts`, `bus` or `consistency`."
            )
        return "\n".join(map(_row, [_HEADS[kind], ("---",) * len(_HEADS[kind]), *makers[kind]()]))

    def _operations(self, provider: str) -> Iterator[tuple[str, ...]]:
        documented = {str(each): each for each in self._declared.apis[provider].operations}
        for operation in self._system.service(provider).operations:
            declared = documented[str(operation)]
            callers = ["*open*"] if operation.callers == EVERYBODY else list(operation.callers)
            needs = [*_persons(declared), *(["Idempotency-Key"] if operation.keyed else [])]
            refusals = [f"{status} `{code}`" for code, status in sorted(refusals_of(operation), key=_by_status)]
            yield (
                f"`{operation.method} {operation.path}{_query(declared)}`",
                ", ".join([*callers, *needs]),
                _exchange(declared, is_repeatable=operation.repeatable and operation.method == "POST"),
                ", ".join(refusals),
            )

    def _consistency(self) -> Iterator[tuple[str, ...]]:
        for provider in self._system.names():
            for operation in self._system.service(provider).operations:
                if operation.reads:
                    yield provider, f"`{operation}`", str(operation.reads), operation.reads.why

    def _published(self, kind: str) -> Iterator[tuple[str, ...]]:
        needs = [need for need in declared_needs(self._system) if need.edge.kind == kind]
        for provider in self._system.names():
            service = self._system.service(provider)
            for subject in service.facts if kind == "hears" else service.messages:
                schema = self._declared.published[subject]
                receivers = sorted(need.edge.consumer for need in needs if need.what == subject)
                name = subject if kind == "hears" else f"{subject}.<id>"
                yield f"`{name}`", f"`{shape(schema)}` {_words(schema.node)}".strip(), ", ".join(receivers)


def shape(schema: Schema) -> str:
    """What a value looks like: `{order_id, state: "held"/"sold", lines: [{quantity}]}`; a plain value is empty."""
    branches = [branch for branch in schema.branches() if branch.types != {"null"}]
    if not branches:
        return ""
    values = [value for branch in branches for value in branch.values or ()]
    if values:
        return "/".join(f'"{value}"' for value in values)
    branch = branches[0]
    if branch.members:
        named = ((name, shape(member)) for name, member in branch.members.items())
        return f"{{{', '.join(f'{name}: {inner}' if inner else name for name, inner in named)}}}"
    item = branch.item(0)
    return f"[{shape(item)}]" if item is not None else ""


def _exchange(operation: Operation, *, is_repeatable: bool) -> str:
    body = operation.body()
    sent = f"`{shape(body) or '{}'}` " if body is not None else ""
    answers = " or ".join(_answer(operation, status) for status in operation.successes)
    words = [_words(operation.node), "Asked again, it is as if it were asked once." if is_repeatable else ""]
    return " ".join([f"{sent}-> {answers}", *(each for each in words if each)])


def _answer(operation: Operation, status: str) -> str:
    answers = operation.answers(status)
    if JSON in answers and status == operation.successes[-1]:
        return f"{status} `{shape(answers[JSON]) or '{}'}`"
    kinds = [kind for kind in answers if kind != JSON]
    return " ".join([status, *kinds])


def _words(node: dict[str, object]) -> str:
    return " ".join(str(node.get("description", "")).split())


def _query(operation: Operation) -> str:
    names = [name for (where, name) in operation.parameters if where == "query"]
    return "?" + "&".join(f"{name}=" for name in names) if names else ""


def _persons(operation: Operation) -> list[str]:
    alternatives = operation.headers_of_access()
    needed = [("onsale-person" in each) for each in alternatives]
    return ["person"] if needed and all(needed) else ["a person or none"] if any(needed) else []


def _by_status(refusal: tuple[str, int]) -> tuple[int, str]:
    return refusal[1], refusal[0]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
