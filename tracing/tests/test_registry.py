"""The registry of names and the code agree, both ways; and a trace that tells something else is found."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache

import pytest

from tracing.model import Attributes, Event, Link, Span
from tracing.registry import FILE, TYPES, attributes, metrics, unlike_registry
from tracing.tests.traces import span, trace

ROOT = FILE.parent.parent
FOLDERS = ("tracing", "chassis", "services")
NAMESPACES = "client code db deployment error exception host http messaging network onsale otel peer process server service telemetry url"
NAME = re.compile(rf"({'|'.join(NAMESPACES.split())})(\.[a-z_]+)+")
# They look like names in telemetry, and are something else: a message of ASGI, a template, the name of a host.
OTHERS = {
    "http.request",
    "http.response.start",
    "http.response.body",
    "http.disconnect",
    "error.html",
    "onsale.example",
}
WORTH_A_LOOK = re.compile(rf"[\"'](?:{'|'.join(NAMESPACES.split())})\.|tracing\.spans")
SETTERS = {"add_event", "continued", "late_span", "note", "set_attribute", "set_attributes", "span", "start_span"}


@dataclass
class Found:
    """What the code names, and a file that does: texts that look like names in telemetry, and keys given to what sets attributes."""

    literals: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


@cache
def found() -> Found:
    """Read once."""
    all_of_it = Found()
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            if not {"tests", "migrations"} & set(file.parts) and (WORTH_A_LOOK.search(text)):
                _look_at(ast.parse(text), str(file.relative_to(ROOT)), all_of_it)
    return all_of_it


def _look_at(tree: ast.Module, file: str, into: Found) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
            if node.value not in OTHERS:
                into.literals.setdefault(node.value, file)
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = [each for each in node.args if isinstance(each, ast.Dict)] if called in SETTERS else []
            for key in (key for each in given for key in each.keys if isinstance(key, ast.Constant)):
                into.keys.setdefault(str(key.value), file)


def registered() -> set[str]:
    return set(attributes()) | set(metrics())


def test_every_name_in_the_code_is_in_the_registry() -> None:
    named = found().literals | found().keys
    unknown = [f"{name} ({file})" for name, file in sorted(named.items()) if name not in registered()]
    assert not unknown, f"Write down in tracing/registry.yaml what these mean: {', '.join(unknown)}"


def test_every_name_in_the_registry_is_in_the_code() -> None:
    used = found().literals
    unused = [name for name, entry in attributes().items() if name not in used and entry.set_by != "sdk"]
    unused += [name for name in metrics() if name not in used]
    assert not unused, f"Nobody sets these any more; take them out of tracing/registry.yaml: {', '.join(unused)}"


def test_every_entry_is_complete_and_its_example_is_of_its_type() -> None:
    for name, entry in attributes().items():
        assert entry.type in TYPES, name
        assert type(entry.example) is TYPES[entry.type], f"the example of {name} is {entry.example!r}"
        assert entry.meaning.strip(), name
        assert entry.stability in {"ours", "stable", "development"}, name
        assert entry.stability == "ours" or not name.startswith("onsale."), name
        assert entry.set_on, name
        assert set(entry.set_on) <= {"span", "event", "link", "resource", "metric"}, name
        assert bool(entry.spans) == bool({"span", "event", "link"} & set(entry.set_on)) or entry.set_by, name


@pytest.mark.parametrize("metric", sorted(metrics()))
def test_a_metric_is_complete_and_its_attributes_are_known(metric: str) -> None:
    entry = metrics()[metric]
    assert entry["instrument"] in {"counter", "updowncounter", "gauge", "histogram"}
    assert entry["unit"]
    assert entry["meaning"].strip()
    for name in entry.get("attributes", ()):
        assert "metric" in attributes()[name].set_on, f"{name} is an attribute of {metric}: say so in its set_on"


def faults_of(made: Span) -> list[str]:
    return unlike_registry([trace(made)])


def test_a_trace_that_tells_what_the_registry_says_has_no_fault() -> None:
    good: Attributes = {
        "onsale.order_id": "01a205b0",
        "onsale.total_minor": 9000,
        "onsale.currency": "EUR",
    }
    assert faults_of(span("a", "", "orders orders.capture_payment", attributes=good)) == []


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (span("a", "", "orders orders.x", attributes={"onsale.mood": "good"}), "it is not in tracing/registry.yaml"),
        (span("a", "", "orders orders.x", attributes={"onsale.total_minor": "9000"}), "should be of type int"),
        (span("a", "", "orders orders.x", attributes={"onsale.total_minor": True}), "should be of type int"),
        (span("a", "", "orders orders.x", attributes={"onsale.happening": "captured"}), "has it on event only"),
        (span("a", "", "tickets tickets.x", attributes={"onsale.total_minor": 1}), "has it of orders, web only"),
        (span("a", "", "orders commit", attributes={"onsale.total_minor": 1}), "has it on spans orders.*"),
        (span("a", "", "orders commit", links=(Link("b" * 32, "c" * 16, {"why": "so"}),)), "why on a link"),
    ],
)
def test_what_the_registry_does_not_say_is_found(made: Span, sentence: str) -> None:
    (fault,) = faults_of(made)
    assert sentence in fault


def test_what_an_event_tells_is_held_to_the_registry_too() -> None:
    cached = Event("cache", 0, {"onsale.cache.name": "free", "age": 3})
    made = span("a", "", "web GET /")
    (fault,) = faults_of(Span(**{**vars(made), "events": (cached,)}))
    assert "age on an event of web GET /" in fault
