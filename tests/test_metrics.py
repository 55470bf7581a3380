"""What services say waits: each question is answered from an index, and by the tables as they are."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from chassis.db import Database
from chassis.late import watch_of
from chassis.settings import ServiceSettings
from chassis.testing import Harness
from chassis.watching import LETTERS, OUTBOX, Watch
from chassis.work import Queue
from tracing.exposition import exposed_name
from tracing.instruments import OF_THE_CHASSIS, Instrument
from tracing.registry import metrics

SERVICES = Path(__file__).resolve().parent.parent / "services"


def watches_of(service: str) -> list[Watch]:
    module = importlib.import_module(f"services.{service}.watches")
    queries = importlib.import_module(f"services.{service}.queries")
    queues = [each for each in vars(queries).values() if isinstance(each, Queue)]
    return [each for each in vars(module).values() if isinstance(each, Watch)] + ([watch_of(queues)] if queues else [])


WATCHES = [
    *(("orders", each) for each in (OUTBOX, LETTERS)),
    *(
        (path.parent.name, each)
        for path in sorted(SERVICES.glob("*/watches.py"))
        for each in watches_of(path.parent.name)
    ),
]


@pytest.mark.parametrize(("service", "watch"), WATCHES, ids=[f"{service}-{watch.name}" for service, watch in WATCHES])
async def test_what_waits_is_asked_for_without_reading_a_table(harness: Harness, service: str, watch: Watch) -> None:
    class Settings(ServiceSettings):
        service_name = service

    database = Database(harness.settings(Settings))
    try:
        rows = await database.look(watch.statement, name=watch.name)
        assert all({*watch.shows, *watch.labels} <= {*row.keys()} for row in rows)
        async with database.reader() as reads:
            # A table without rows would be read as a whole, or sorted, whatever indexes there are.
            for way in ("seqscan", "bitmapscan", "sort"):
                await reads.execute(text(f"SET enable_{way} = off"), name="test")
            plan = "\n".join(line for (line,) in await reads.execute(text(f"EXPLAIN {watch.statement}"), name="test"))
        # Dead letters are few, and each is one too many.
        assert watch is LETTERS or ("Seq Scan" not in plan and "Sort" not in plan), plan
    finally:
        await database.close()


def instruments() -> dict[str, tuple[Instrument, str]]:
    """Every metric that the code can tell, and of which service it is."""
    found = {each.name: (each, "all") for each in OF_THE_CHASSIS}
    for path in SERVICES.glob("*/watches.py"):
        module = importlib.import_module(f"services.{path.parent.name}.watches")
        found |= {each.name: (each, path.parent.name) for each in vars(module).values() if isinstance(each, Instrument)}
    return found


def test_the_registry_says_of_each_metric_what_the_code_does() -> None:
    rows = {
        name: (each.kind, each.unit, each.meaning, sorted(each.attributes), service)
        for name, (each, service) in instruments().items()
    }
    written = {
        name: (
            entry["instrument"],
            entry["unit"],
            entry["meaning"],
            sorted(entry.get("attributes", ())),
            entry["services"] if entry["services"] == "all" else ", ".join(entry["services"]),
        )
        for name, entry in metrics().items()
    }
    assert written == rows


def test_the_guide_shows_each_metric_as_prometheus_calls_it() -> None:
    guide = (SERVICES.parent / "docs" / "guides" / "metrics.md").read_text()
    shown = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert shown == {
        exposed_name(each.name, each.unit, is_counter=each.kind == "counter") for each, _ in instruments().values()
    }


RULES = SERVICES.parent / "tracing" / "prometheus" / "rules.yaml"
# What Prometheus itself adds.
ADDED = {"job", "instance", "le"}
OF_THE_LANGUAGE = {"sum", "max", "min", "count", "rate", "histogram_quantile", "count_over_time", "by", "on", "unless"}


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}


def unknown_in(expression: str) -> list[str]:
    """What is neither a metric, nor a label of one that is asked for."""
    samples: dict[str, set[str]] = {"target_info": set()}
    for each, _ in instruments().values():
        name = exposed_name(each.name, each.unit, is_counter=each.kind == "counter")
        labels = {re.sub(r"\W", "_", attribute) for attribute in each.attributes}
        ends = ("_bucket", "_count", "_sum") if each.kind == "histogram" else ("",)
        samples |= {name + end: labels for end in ends}
    words = re.findall(r"[a-z_]\w*", re.sub(r'"[^"]*"|\[\w+\]', "", expression))
    labels = set().union(ADDED, *(samples[word] for word in words if word in samples))
    return [word for word in words if word not in {*samples, *labels, *OF_THE_LANGUAGE}]


@pytest.mark.parametrize("alert", alerts())
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(alert: str) -> None:
    rule = alerts()[alert]
    assert unknown_in(rule["expr"]) == []
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "action"}
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert all(re.search(rf"(by|on) \([^)]*\b{label}\b", rule["expr"]) for label in shown)


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        (
            "max by (onsale_order_state) (onsale_saga_overdue_minutes) > 60",
            ["onsale_order_state", "onsale_saga_overdue_minutes"],
        ),
        ("max by (mood) (onsale_saga_overdue_seconds) > 60", ["mood"]),
        ('rate(http_server_request_duration_seconds_count{job="web", status="500"}[5m])', ["status"]),
    ],
)
def test_an_alert_about_nothing_is_found(expression: str, unknown: list[str]) -> None:
    assert unknown_in(expression) == unknown
