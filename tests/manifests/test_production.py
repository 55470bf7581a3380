"""What production is promised, and what its autoscalers and routes go by: each broken promise is found."""

from dataclasses import replace
from typing import Any

import pytest

from k8s.objects import Document
from tests.manifests.made_up import PLAN, documents, get, put, said_by, without

PRODUCTION = replace(PLAN, name="production", environment="production", makes_secrets=False)
MAIN = "spec.template.spec.containers.0"


def added(kind: str, name: str, spec: Document) -> Document:
    """An object of a kind that the made-up place has none of."""
    return {"apiVersion": "group.example/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def whole() -> list[Document]:
    """The made-up place with enough of everything, a database, its pooler, and two autoscalers."""
    found = documents()
    for each in found:
        labels = each["metadata"]["labels"]
        if each["kind"] == "Deployment" and labels.get("onsale.dev/kind") in {"service", "broker"}:
            each["spec"]["replicas"] = 3
        if labels.get("app.kubernetes.io/component") == "migration":
            name = labels["app.kubernetes.io/name"]
            put(each, f"{MAIN}.env.2.value", f"postgresql://$(DATABASE_USER):x@{name}-postgres-rw:5432/a")
    put(get(found, "Job/stream"), f"{MAIN}.env", [{"name": "STREAM_REPLICAS", "value": "3"}])
    put(get(found, "Deployment/orders"), f"{MAIN}.resources.requests.cpu", "500m")
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": "nats"}}}
    synchronous = {"synchronous": {"method": "any", "number": 1, "dataDurability": "required"}}
    pooling = {"max_prepared_statements": "9", "ignore_startup_parameters": "statement_timeout, jit"}
    archiver = {"isWALArchiver": True, "parameters": {"barmanObjectName": "backups"}}
    lag = {"type": "nats-jetstream", "metadata": {"stream": "EVENTS", "consumer": "orders"}}
    load = {"type": "metrics-api", "metadata": {"url": "http://inventory:8000/load", "valueLocation": "waiting"}}
    cpu = {"type": "cpu", "metricType": "Utilization"}
    return [
        *found,
        added("PodDisruptionBudget", "nats", budget),
        added("ObjectStore", "backups", {}),
        added("Cluster", "orders-postgres", {"instances": 3, "postgresql": synchronous, "plugins": [archiver]}),
        added("Pooler", "orders-pooler", {"pgbouncer": {"poolMode": "transaction", "parameters": pooling}}),
        added("ScaledObject", "orders", {"scaleTargetRef": {"name": "orders"}, "minReplicaCount": 2, "triggers": [lag, cpu]}),
        added("ScaledObject", "inventory", {"scaleTargetRef": {"name": "inventory"}, "minReplicaCount": 2, "triggers": [load]}),
    ]  # fmt: skip


ORDERS = "ScaledObject/orders"
LAG = "spec.triggers.0.metadata"
DATABASE = "Cluster/orders-postgres"
POOLED = "spec.pgbouncer.parameters"
LABEL = "metadata.labels.app~kubernetes~io/name"
RULES = ("survives", "databases", "scalers", "utilisation", "named-maps")
# The rule, what is changed (object, path, value), and what must be said.
PLANTED: dict[str, tuple[str, str, str, Any, str]] = {
    "one pod of a service": ("survives", "Deployment/web", "spec.replicas", 1, "Deployment/web may be 1 alone. Let there be 2"),
    "a scaler that goes down to one": ("survives", ORDERS, "spec.minReplicaCount", 1, "Deployment/orders may be 1 alone"),
    "two brokers": ("survives", "Deployment/nats", "spec.replicas", 2, "may be 2 alone. Let there be 3"),
    "a broker without a budget": ("survives", "PodDisruptionBudget/nats", "spec.selector.matchLabels", {"a": "b"}, "nats has no"),
    "a database of two": ("survives", DATABASE, "spec.instances", 2, "has 2 instances"),
    "a stream on one broker": ("survives", "Job/stream", f"{MAIN}.env", [], "makes a stream of 1 replicas"),
    "a database that prefers to go on": (
        "databases",
        DATABASE,
        "spec.postgresql.synchronous.dataDurability",
        "preferred",
        "what is on one disk only",
    ),
    "a database without a second": ("databases", DATABASE, "spec.postgresql.synchronous", None, "what is on one disk only"),
    "a database without an archive": ("databases", DATABASE, "spec.plugins.0.isWALArchiver", False, "archives no log"),
    "an archive switched off": ("databases", DATABASE, "spec.plugins.0.enabled", False, "archives no log"),
    "an archive that is not there": ("databases", DATABASE, "spec.plugins.0.parameters.barmanObjectName", "b", "the ObjectStore b,"),
    "a pooler that forgets": ("databases", "Pooler/orders-pooler", f"{POOLED}.max_prepared_statements", "0", "forgets prepared"),
    "a pooler that refuses": ("databases", "Pooler/orders-pooler", f"{POOLED}.ignore_startup_parameters", "jit", "ask for statement"),
    "a migration by the pooler": (
        "databases",
        "Job/orders-migration",
        f"{MAIN}.env.2.value",
        "postgresql://a:b@orders-database:5432/c",
        "migrates by orders-database",
    ),
    "a stream that nobody makes": ("scalers", ORDERS, f"{LAG}.stream", "FACTS", "asks for the stream FACTS"),
    "a consumer that nobody is": ("scalers", ORDERS, f"{LAG}.consumer", "order", "the consumer order, which nobody is"),
    "another's consumer": ("scalers", ORDERS, f"{LAG}.consumer", "tickets", "scales orders by how far tickets lags"),
    "a path that nobody answers": ("scalers", "ScaledObject/inventory", f"{LAG}.url", "http://inventory:8000/metrics", "their figures at"),
    "a figure that nobody shows": ("scalers", "ScaledObject/inventory", f"{LAG}.valueLocation", "queue", "which shows waiting"),
    "a service without figures": ("scalers", "ScaledObject/inventory", f"{LAG}.url", "http://orders:8000/load", "which shows no figures"),
    "another's settings": ("named-maps", "ConfigMap/orders", LABEL, "web", "is read by Deployment/orders and has"),
    "settings of nobody": ("named-maps", "ConfigMap/onsale", LABEL, None, "name: (none)"),
    "a share of little": ("utilisation", "Deployment/orders", f"{MAIN}.resources.requests.cpu", "100m", "by the share of 100m"),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_whole_production_is_not_faulted(rule: str) -> None:
    assert said_by(rule, whole(), PRODUCTION) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_a_broken_promise_is_found(planted: str) -> None:
    rule, where, path, value, said = PLANTED[planted]
    found = whole()
    put(get(found, where), path, value)
    heard = said_by(rule, found, PRODUCTION)
    assert any(said in each for each in heard), heard


WEBHOOK = {"method": "POST", "path": {"type": "Exact", "value": "/webhooks/bank"}}
LIVE = {"path": {"type": "PathPrefix", "value": "/live"}}
# The service, the match, and what must be said.
ROUTED: dict[str, tuple[str, Document, str]] = {
    "a path that nobody answers": (
        "payments",
        WEBHOOK | {"path": {"type": "Exact", "value": "/bank"}},
        "sends POST /bank to payments",
    ),
    "a method that nobody answers": ("payments", WEBHOOK | {"method": "GET"}, "sends GET /webhooks/bank to payments"),
    "another service": ("tickets", WEBHOOK, "sends POST /webhooks/bank to tickets"),
    "all of a service": (
        "payments",
        {"method": "POST", "path": {"type": "PathPrefix", "value": "/"}},
        "lets in more of payments",
    ),
    "a page that is not there": (
        "web",
        LIVE | {"path": {"type": "PathPrefix", "value": "/lives"}},
        "sends any method /lives to web",
    ),
}


def routed(service: str, match: Document) -> list[str]:
    """What is said of a route with that match."""
    rule = {"matches": [match], "backendRefs": [{"name": service, "port": 8000}]}
    return said_by("routes", [*documents(), added("HTTPRoute", "any", {"rules": [rule]})], PRODUCTION)


@pytest.mark.parametrize("planted", ROUTED)
def test_a_route_to_what_nobody_answers_is_found(planted: str) -> None:
    service, match, said = ROUTED[planted]
    assert any(said in each for each in routed(service, match))
    assert routed("payments", WEBHOOK) == routed("web", LIVE) == []


def test_pages_scaled_by_cpu_ask_for_half_of_it() -> None:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
    }
    scaler = added("HorizontalPodAutoscaler", "web", {"scaleTargetRef": {"name": "web"}, "metrics": [metric]})
    assert any(
        "scales Deployment/web by the share of 100m" in each for each in said_by("utilisation", [*whole(), scaler])
    )


def test_elsewhere_one_of_each_will_do() -> None:
    assert said_by("survives", without("PodDisruptionBudget/orders")) == []
