"""What a consumer reads and what its contract demands are the same: no field, code or fact more on either side.

Of facts and messages the model stands in the inbox; of answers and refusals it stands in the declaration of the operation
(chassis/asking.py), which is all that a client can read.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from chassis.asking import NOTHING, Use
from contracts.pactfile import ContractBroken, Edge, Interaction

# Every refusal has these; whoever reads more of one declares it as its facts.
OF_EVERY_REFUSAL = frozenset({"code", "status", "detail"})


class Demanded:
    """What the interactions of one edge demand of the answers, operation by operation."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.uses: tuple[Use[Any], ...] = ()
        self._answered: set[Use[Any]] = set()
        self._codes: dict[Use[Any], set[str]] = defaultdict(set)
        # For each operation and part that is read: the paths that its examples have, and those that its model reads.
        self._has: dict[tuple[Use[Any], str], set[str]] = defaultdict(set)
        self._reads: dict[tuple[Use[Any], str], set[str]] = defaultdict(set)

    def add(self, use: Use[Any], interaction: Interaction) -> None:
        """Notes an interaction. Raises ContractBroken if it demands what the operation does not read."""
        response = interaction["response"]
        body = response.get("body", {}).get("content")
        what = f'{self._edge}, "{interaction["description"]}"'
        if response["status"] in use.statuses:
            self._answered.add(use)
            if use.reads not in (NOTHING, bytes):
                self._compare(use, "", use.reads, body, what)
            elif body is not None and use.reads is NOTHING:
                raise ContractBroken(f"{what}: {use} reads nothing of the answer. Take the body out of the contract.")
        elif isinstance(body, dict):
            code = str(body.get("code"))
            self._codes[use].add(code)
            facts = {name: value for name, value in body.items() if name not in OF_EVERY_REFUSAL}
            model = use.refusals.get(code)
            if model is not None:
                self._compare(use, code, model, facts, what)
            elif facts:
                raise ContractBroken(
                    f"{what}: nothing reads {', '.join(facts)} of {code}. Take it out, or declare it in `refusals`."
                )

    def refuse_undemanded(self) -> None:
        """Raises ContractBroken for what is declared to be read, and stands in no interaction."""
        found = [*self._undemanded()]
        if found:
            undemanded = "\n".join(f"  - {each}" for each in found)
            raise ContractBroken(
                f"{self._edge}: {self._edge.consumer} reads what no interaction demands:\n{undemanded}"
            )

    def _undemanded(self) -> Iterator[str]:
        for use in self.uses:
            if use not in self._answered:
                yield f"{use}: no interaction has an answer of it. Write one, or take it out of the client's `uses`."
            for code in sorted(use.refusals.keys() - self._codes[use]):
                yield f"{use}: no interaction is refused with {code}. Write one, or take it out of `refusals`."
        for (use, code), read in self._reads.items():
            for name in sorted(read - self._has[use, code]):
                of = f" of {code}" if code else ""
                yield f"{use}: {name}{of} is read, but no interaction has it. Demand it, or take it out of the model."

    def _compare(self, use: Use[Any], code: str, model: Any, example: Any, what: str) -> None:
        refuse_dictionaries(model, f"{use}")
        refuse_unread(example, model, what)
        self._has[use, code] |= set(paths_of("$", example))
        self._reads[use, code] |= set(
            paths_of("$", model.model_validate(example).model_dump(mode="json", by_alias=True))
        )


def refuse_unread(data: Any, model: type[BaseModel], what: str) -> None:
    """Raises ContractBroken if an example has fields that the consumer does not read: a contract asks for no more than is used.

    So it does if the consumer reads fields that the example does not have.
    """
    with understood(what, model.__name__):
        read = model.model_validate(data).model_dump(mode="json", by_alias=True)
    if unread := sorted(_unread("$", data, read)):
        names = ", ".join(unread)
        raise ContractBroken(f"{what}: {model.__name__} does not read {names}. Take it out of the contract.")


def refuse_dictionaries(model: type[BaseModel], what: str) -> None:
    """Raises ContractBroken if a model takes what it is not known to read: a dictionary, or anything."""
    for name, info in model.model_fields.items():
        for kind in _kinds(info.annotation):
            if kind in (Any, object, dict):
                raise ContractBroken(
                    f"{what}: {model.__name__}.{name} may be anything, so no contract knows what is read of it. Make a model of it."
                )
            if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not model:
                refuse_dictionaries(kind, what)


@contextmanager
def understood(what: str, reader: str) -> Iterator[None]:
    """Raises ContractBroken, with the fields, if its own reader does not understand what a contract asks for."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ValidationError):
            cause = cause.__cause__
        if cause is None:
            raise
        found = cause.errors(include_url=False, include_context=False, include_input=False)
        fields = ", ".join(f"{'.'.join(map(str, each['loc']))} ({each['msg']})" for each in found)
        raise ContractBroken(
            f"{what}: {reader} does not understand the example of its own contract: {fields}. "
            "Ask in the contract for what is read, or read what it asks for."
        ) from error


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    # A dictionary counts as one kind; for lists and unions the kinds are those of their arguments.
    if annotation is dict or getattr(annotation, "__origin__", None) is dict:
        yield dict
    for each in get_args(annotation):
        yield from _kinds(each)


def paths_of(path: str, value: Any) -> Iterator[str]:
    """Where there is something: `$.items[].title`. What is null has nothing below it."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield f"{path}.{name}"
            yield from paths_of(f"{path}.{name}", below)
    elif isinstance(value, list):
        for below in value:
            yield from paths_of(f"{path}[]", below)


def _unread(path: str, data: Any, read: Any) -> Iterator[str]:
    if isinstance(data, dict) and isinstance(read, dict):
        for name, value in data.items():
            if name not in read:
                yield f"{path}.{name}"
            else:
                yield from _unread(f"{path}.{name}", value, read[name])
    elif isinstance(data, list) and isinstance(read, list):
        for number, (value, read_value) in enumerate(zip(data, read, strict=True)):
            yield from _unread(f"{path}[{number}]", value, read_value)
