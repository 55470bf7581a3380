"""Both sides of an operation agree: who may ask, on whose behalf, whether it may be repeated, and how much may be sent.

A consumer never lets through more than its provider takes: what people do with it would end as a refusal that nobody wrote a
sentence for. Bounds of a consumer stand in what it `sends` and in its `query`; those of a provider in its OpenAPI document.
"""

from collections.abc import Iterator
from typing import Any

from chassis.asking import Use
from chassis.operations import EVERYBODY, Operation
from contracts.completeness.edges import uses_of
from contracts.completeness.services import System
from contracts.pactfile import Edge
from contracts.promises.coverage import reasons_of
from contracts.promises.declared import Declared, Schema
from contracts.promises.declared import Operation as Documented

# Bounds from above and from below, by their names in JSON Schema, with the words for people.
_UPPER = {
    "maxLength": "letters",
    "maxItems": "items",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
_LOWER = {
    "minLength": "letters",
    "minItems": "items",
    "minimum": "at least",
    "exclusiveMinimum": "more than",
}


def disagreements(system: System) -> list[str]:
    """A sentence for everything in which a consumer's declaration does not fit its provider's."""
    declared = Declared.read(system.documents)
    found = list(_let_in_for_nothing(system))
    for edge, _, use in uses_of(system):
        operation = system.service(edge.provider).called(use.method, use.path)
        if operation is None:
            continue  # contracts/completeness/edges.py says so
        found += _about_calling(edge, use, operation)
        api = declared.apis.get(edge.provider)
        documented = next((each for each in api.operations if str(each) == str(operation)), None) if api else None
        if documented is not None:
            found += [f"{edge}, {use}: {sentence}" for sentence in _about_sending(edge, use, documented)]
    return found


def _let_in_for_nothing(system: System) -> Iterator[str]:
    """Callers that an operation lets in, and that do not ask it, without a reason in contracts/unused.toml: whoever takes their key
    could ask."""
    excused = {(each.provider, each.route) for each in reasons_of()}
    asked = {
        (edge.consumer, system.service(edge.provider).called(use.method, use.path)) for edge, _, use in uses_of(system)
    }
    for provider in system.names():
        for operation in system.service(provider).operations:
            for caller in operation.callers if operation.callers != EVERYBODY else ():
                if (caller, operation) not in asked and (provider, str(operation)) not in excused:
                    yield f"{provider} lets {caller} in to {operation}, but {caller} never asks that. Take it out of `callers`."


def _about_calling(edge: Edge, use: Use[Any], operation: Operation) -> Iterator[str]:
    if operation.callers != EVERYBODY and edge.consumer not in operation.callers:
        yield f"{edge}, {use}: {edge.provider} lets in {', '.join(operation.callers)}, but not {edge.consumer}."
    if use.repeatable and not operation.repeatable:
        yield (
            f"{edge}, {use}: it is tried again when the outcome is unknown, but {edge.provider} does not declare that it may be "
            "repeated: it might happen twice."
        )
    if use.keyed != operation.keyed:
        wants = "needs an Idempotency-Key" if operation.keyed else "does not look at an Idempotency-Key"
        yield f"{edge}, {use}: {edge.provider} {wants}, and the declaration says otherwise."


def _about_sending(edge: Edge, use: Use[Any], documented: Documented) -> Iterator[str]:
    if use.sends is not None and (body := documented.body()) is not None:
        yield from _within(edge, _schema_of(use.sends), body, "")
    if use.query is not None:
        sent = _schema_of(use.query)
        for name, member in sent.members.items():
            parameter = documented.parameters.get(("query", name))
            if parameter is None:
                yield f"{edge.provider} does not look at the query parameter {name}."
            else:
                yield from _within(edge, member, documented.schema_of(parameter), name)


def _schema_of(model: Any) -> Schema:
    document = model.model_json_schema(by_alias=True)
    return Schema(document, document, model.__name__)


def _within(edge: Edge, sent: Schema, taken: Schema, path: str) -> Iterator[str]:
    """Whether all that is sent fits what is taken: bounds, values, and what is below."""
    for one in sent.branches():
        if one.types == {"null"}:
            continue  # it is left out, or contracts/promises/needs.py says that it is not taken
        for other in taken.branches():
            if one.types & other.types:
                yield from _bounds(edge, one, other, path)
                yield from _values(edge, one, other, path)
                yield from _below(edge, one, other, path)


def _bounds(edge: Edge, sent: Schema, taken: Schema, path: str) -> Iterator[str]:
    for name, words in (*_UPPER.items(), *_LOWER.items()):
        limit = taken.node.get(name)
        if limit is None:
            continue
        own = sent.node.get(name)
        if own is None and sent.values is not None:
            continue  # the values themselves are compared
        is_within = own is not None and (own <= limit if name in _UPPER else own >= limit)
        if not is_within:
            lets = "any number" if own is None else _plain(own)
            yield f"{path} may have {lets} ({name}, {words}), and {edge.provider} takes {_plain(limit)}."


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _values(edge: Edge, sent: Schema, taken: Schema, path: str) -> Iterator[str]:
    if taken.values is not None:
        unknown = set(sent.values or ()) - set(taken.values)
        if sent.values is None or unknown:
            what = ", ".join(map(str, sorted(unknown))) or "any text"
            yield f"{path} may be {what}, and {edge.provider} takes {', '.join(map(str, taken.values))}."


def _below(edge: Edge, sent: Schema, taken: Schema, path: str) -> Iterator[str]:
    for name, member in sent.members.items():
        if name in taken.members:
            yield from _within(edge, member, taken.members[name], f"{path}.{name}".removeprefix("."))
    if (item := sent.item(0)) is not None and (wanted := taken.item(0)) is not None:
        yield from _within(edge, item, wanted, f"{path}[]")
