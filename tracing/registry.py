"""The registry of names in telemetry, and what it says against a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tracing.model import Span, Trace

FILE = Path(__file__).with_name("registry.yaml")
TYPES: Mapping[str, type] = {"string": str, "int": int, "double": float, "boolean": bool, "string[]": list}


@dataclass(frozen=True)
class Attribute:
    """One entry; the head of registry.yaml says what its fields mean."""

    name: str
    type: str
    meaning: str
    example: Any
    stability: str
    set_on: tuple[str, ...]
    services: tuple[str, ...] | None
    spans: tuple[str, ...]
    unit: str | None
    set_by: str | None


@cache
def attributes() -> Mapping[str, Attribute]:
    """All attributes, by name. Raises KeyError for an entry that is not complete."""
    return {name: _attribute(name, entry) for name, entry in _document()["attributes"].items()}


def metrics() -> Mapping[str, Mapping[str, Any]]:
    """All metrics, by name."""
    return _document()["metrics"]


@cache
def _document() -> dict[str, dict[str, dict[str, Any]]]:
    document: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(FILE.read_text())
    return document


def unlike_registry(traces: Iterable[Trace]) -> list[str]:
    """A sentence for each thing that spans tell and the registry does not say so. Each only once."""
    return list(dict.fromkeys(sentence for trace in traces for span in trace.spans for sentence in _faults_of(span)))


def _faults_of(span: Span) -> Iterator[str]:
    recorded = [("span", span.attributes), ("resource", span.resource)]
    recorded += [("event", event.attributes) for event in span.events]
    recorded += [("link", link.attributes) for link in span.links]
    for where, values in recorded:
        for name, value in values.items():
            if fault := _fault(span, where, name, value):
                yield f"{name} on {_article(where)} of {span.service} {span.name}: {fault}"


def _fault(span: Span, where: str, name: str, value: Any) -> str | None:
    entry = attributes().get(name)
    if entry is None:
        return "it is not in tracing/registry.yaml. Write down what it means, or leave it out."
    if type(value) is not TYPES[entry.type]:
        return f"it is {value!r}, and should be of type {entry.type}."
    if where not in entry.set_on:
        return f"the registry has it on {', '.join(entry.set_on)} only."
    if entry.services is not None and span.service not in entry.services:
        return f"the registry has it of {', '.join(entry.services)} only."
    if where == "span" and entry.spans and not any(fnmatchcase(span.name, each) for each in entry.spans):
        return f"the registry has it on spans {', '.join(entry.spans)} only."
    return None


def _article(where: str) -> str:
    return {"span": "a span", "resource": "the resource", "event": "an event", "link": "a link"}[where]


def _attribute(name: str, entry: Mapping[str, Any]) -> Attribute:
    services = entry["services"]
    return Attribute(
        name=name,
        type=entry["type"],
        meaning=entry["meaning"],
        example=entry["example"],
        stability=entry["stability"],
        set_on=tuple(entry["set_on"]),
        services=None if services == "all" else tuple(services),
        spans=tuple(entry.get("spans", ())),
        unit=entry.get("unit"),
        set_by=entry.get("set_by"),
    )
