"""The configuration of collectors and Jaeger: it is whole, and what must not be kept is removed before anything else happens."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tracing.process import LIFECYCLE

TRACING = Path(__file__).resolve().parents[2] / "tracing"
REDACTION = TRACING / "collector" / "redaction" / "redaction.yaml"
# Each program, and the files that it is given together.
PROGRAMS = {
    "local collector": (REDACTION, TRACING / "collector" / "local" / "collector.yaml"),
    "gateway": (REDACTION, TRACING / "collector" / "gateway" / "collector.yaml"),
    "sampler": (TRACING / "collector" / "sampler" / "collector.yaml",),
    "local jaeger": (TRACING / "jaeger" / "local" / "jaeger.yaml",),
    "jaeger that writes": (TRACING / "jaeger" / "production" / "collector.yaml",),
    "jaeger that reads": (TRACING / "jaeger" / "production" / "query.yaml",),
}
KINDS = ("receivers", "processors", "exporters")


def configuration(program: str) -> dict[str, Any]:
    """What a program makes of its files: sections are joined."""
    joined: dict[str, Any] = {}
    for file in PROGRAMS[program]:
        for section, parts in yaml.safe_load(file.read_text()).items():
            joined[section] = {**joined.get(section, {}), **parts}
    return joined


def undefined(found: dict[str, Any]) -> list[str]:
    """What is used and not there."""
    service = found["service"]
    used = [("extensions", name) for name in service["extensions"]]
    for pipeline in service["pipelines"].values():
        used += [(kind, name) for kind in KINDS for name in pipeline.get(kind, [])]
    return [f"{kind}: {name}" for kind, name in used if name not in found.get(kind, {})]


def redacted(text: str) -> str:
    """A value of an attribute, as it is kept."""
    for pattern in yaml.safe_load(REDACTION.read_text())["processors"]["redaction"]["blocked_values"]:
        text = re.sub(pattern, "****", text)
    return text


def masked(name: str) -> bool:
    """Whether the value of an attribute of that name is removed altogether."""
    patterns = yaml.safe_load(REDACTION.read_text())["processors"]["redaction"]["blocked_key_patterns"]
    return any(re.search(pattern, name) for pattern in patterns)


@pytest.mark.parametrize("program", PROGRAMS)
def test_whatever_a_pipeline_uses_is_there(program: str) -> None:
    assert undefined(configuration(program)) == []


def test_a_part_that_is_missing_is_reported() -> None:
    found = configuration("sampler")
    del found["processors"]["tail_sampling"]
    assert undefined(found) == ["processors: tail_sampling"]


@pytest.mark.parametrize("program", ["local collector", "gateway"])
def test_spans_of_services_are_redacted_before_they_are_handed_on(program: str) -> None:
    processors = configuration(program)["service"]["pipelines"]["traces"]["processors"]
    assert processors[:2] == ["memory_limiter", "redaction"]


def test_late_spans_follow_the_decision_on_their_trace() -> None:
    sampling = configuration("sampler")["processors"]["tail_sampling"]
    assert all(size > sampling["num_traces"] for size in sampling["decision_cache"].values())


def test_errors_slow_traces_and_money_are_kept_and_a_share_of_the_rest() -> None:
    policies = configuration("sampler")["processors"]["tail_sampling"]["policies"]
    named = {policy["name"]: policy[policy["type"]] for policy in policies}
    assert named["errors"] == {"status_codes": ["ERROR"]}
    assert named["slow"]["threshold_ms"] <= 1_000
    assert named["purchases"] == {"key": "service.name", "values": ["payments"]}
    assert 0 < named["share-of-the-rest"]["sampling_percentage"] < 100


def test_what_explains_the_gaps_of_other_traces_is_kept() -> None:
    policies = configuration("sampler")["processors"]["tail_sampling"]["policies"]
    (lives,) = [policy["string_attribute"] for policy in policies if policy["name"] == "lives-of-processes"]
    assert lives == {"key": LIFECYCLE, "values": ["start", "stop"]}


@pytest.mark.parametrize("program", ["local collector", "gateway", "sampler", "jaeger that writes"])
def test_memory_is_limited_before_anything_else_happens(program: str) -> None:
    found = configuration(program)
    for pipeline in found["service"]["pipelines"].values():
        assert pipeline["processors"][0] == "memory_limiter"
    assert found["processors"]["memory_limiter"]["limit_percentage"] <= 85


def test_all_types_of_values_are_redacted_and_nothing_else_is_dropped() -> None:
    found = configuration("local collector")["processors"]["redaction"]
    assert found["redact_all_types"]
    assert found["allow_all_keys"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no mailbox for anna.b+c@example.org", "no mailbox for ****"),
        ("/?to=anna%40example.org", "/?to=****"),
        ("Bearer abc.def", "****"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln", "token ****"),
        ("code OS1.AETJW2VTAGRALMGDRBZPZNFATDOCIBC3", "code ****"),
        ("postgresql://onsale_orders:word@orders-database:5432/x", "****orders-database:5432/x"),
        ("4242 4242 4242 4242", "****"),
    ],
)
def test_secrets_and_addresses_are_removed_wherever_they_stand(said: str, kept: str) -> None:
    assert redacted(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "01a205b0-c255-711d-9c68-c06507fece3f",
        "695ec3ca04f8690d7181fb4a759a0767",
        "1764000000000000000",
        "/orders/01a205b0-c255-711d-9c68-c06507fece3f/pay",
        "SELECT id FROM sign_in_tokens WHERE email = $1",
        "8893-36F4",
    ],
)
def test_what_helps_to_find_a_trace_stays(said: str) -> None:
    assert redacted(said) == said


@pytest.mark.parametrize(
    ("name", "removed"),
    [
        ("http.request.header.authorization", True),
        ("http.request.header.cookie", True),
        ("user.email", True),
        ("access_token", True),
        ("http.route", False),
        ("db.query.text", False),
        ("onsale.event.id", False),
    ],
)
def test_names_that_promise_a_secret_lose_their_value(name: str, removed: bool) -> None:
    assert masked(name) == removed


@pytest.mark.parametrize("program", ["local collector", "gateway"])
def test_the_collectors_that_services_know_take_metrics_too(program: str) -> None:
    pipeline = configuration(program)["service"]["pipelines"]["metrics"]
    assert pipeline["receivers"] == ["otlp"]
    assert pipeline["processors"][:2] == ["memory_limiter", "redaction"]
    assert pipeline["exporters"]
