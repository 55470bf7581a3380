"""Who may reach whom in the namespace, and from outside: the contracts, and a table of what lies beneath them.

The policies are generated from this (k8s/policies.py), and the rendered ones are held against it (k8s/reach.py).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from contracts.pactfile import PACTS, edges
from k8s.objects import COMPONENT, KIND, NAME
from local.topology import SERVICES

OPENAPI = PACTS.parent / "openapi"
DATABASE_OF = "onsale.dev/database-of"
Scope = Literal["everywhere", "local", "production"]
SCOPES: tuple[Scope, ...] = ("everywhere", "local", "production")
Labels = tuple[tuple[str, str], ...]
Protocol = Literal["TCP", "UDP"]

HTTP = 8000
POSTGRES = 5432
NATS = 4222
OTLP = 4317
OTLP_HTTP = 4318
PROMETHEUS = 9090

# The namespaces of what is not ours, by the label that Kubernetes itself gives them. Installed elsewhere? Change it here.
GATEWAY_NAMESPACE = "gateway"
KEDA_NAMESPACE = "keda"
POSTGRES_OPERATOR_NAMESPACE = "cnpg-system"
MONITORING_NAMESPACE = "monitoring"
# Where the internet is not: addresses of clusters, of hosts, and of what clouds tell their machines (169.254.169.254).
PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")


@dataclass(frozen=True, order=True)
class Party:
    """Some pods by their labels: in our namespace, or in another; or, with `world`, addresses outside of the cluster.

    `optional`: there are places without it.
    """

    name: str
    pods: Labels = ()
    namespace: str | None = None
    world: Literal["internet", "anywhere"] | None = None
    optional: bool = field(default=False, compare=False)

    @property
    def is_ours(self) -> bool:
        """Whether its pods are in our namespace, so that policies of ours are about them."""
        return self.namespace is None and self.world is None


@dataclass(frozen=True, order=True)
class Edge:
    """Somebody opens connections to a port of somebody."""

    source: Party
    target: Party
    port: int
    protocol: Protocol = "TCP"
    # Why, in a few words.
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.source.name} to {self.target.name}:{self.port}"


def ours(name: str, kind: str, *, optional: bool = False, **more: str) -> Party:
    """Pods of our namespace, by the two labels that everything has."""
    return Party(name, tuple(sorted({NAME: name, KIND: kind, **more}.items())), optional=optional)


def service(name: str) -> Party:
    """A service: all of its Deployments."""
    return ours(name, "service")


def migration(name: str) -> Party:
    """The job that migrates a service's database."""
    return Party(f"{name}-migration", ((COMPONENT, "migration"), (NAME, name), (KIND, "job")))


def database(name: str) -> Party:
    """A service's own database: the server, or the pooler before it."""
    return Party(f"{name}-database", ((DATABASE_OF, name),), optional=True)


def elsewhere(name: str, namespace: str, *pods: tuple[str, str]) -> Party:
    """Pods of another namespace."""
    return Party(name, tuple(pods), namespace)


DNS = elsewhere("dns", "kube-system", ("k8s-app", "kube-dns"))
INTERNET = Party("internet", world="internet")
# Its address is whatever the cluster's maker chose, so that policies can only name its ports.
KUBERNETES = Party("kubernetes", world="anywhere")
EVERYBODY = Party("everybody")
BROKER = ours("nats", "broker")
COLLECTOR = ours("otel-collector", "telemetry")
JAEGER = ours("jaeger", "telemetry")
SHARED_DATABASE = ours("postgres", "database", optional=True)
BANK = ours("bank", "simulator")
MAILBOX = ours("mailbox", "simulator")


def of_scope(scope: Scope) -> list[Edge]:
    """The edges of a scope, in order."""
    found = {"everywhere": _everywhere, "local": _local, "production": _production}[scope]
    return sorted(set(found()))


def _everywhere() -> Iterator[Edge]:
    for edge in edges():
        if edge.kind == "asks":
            yield Edge(service(edge.consumer), service(edge.provider), HTTP, why="its contract")
    for name in SERVICES:
        if takes_people(name):
            yield Edge(service(name), service("accounts"), HTTP, why="the keys that vouch for people")
        for party in (service(name), migration(name)):
            yield Edge(party, database(name), POSTGRES, why="its own database")
        yield Edge(service(name), BROKER, NATS, why="bus and firehose")
        yield Edge(service(name), COLLECTOR, OTLP_HTTP, why="spans")
    yield Edge(EVERYBODY, DNS, 53, "UDP", why="names")
    yield Edge(EVERYBODY, DNS, 53, "TCP", why="names, where the answer is long")
    yield Edge(ours("stream", "job"), BROKER, NATS, why="makes the firehose's stream and consumers")


def takes_people(name: str, openapi: Path = OPENAPI) -> bool:
    """Whether a route of a service takes a person's token, so that it reads accounts' keys."""
    document: dict[str, Any] = json.loads((openapi / f"{name}.json").read_text(encoding="utf-8"))
    operations = [each for path in document["paths"].values() for each in path.values()]
    return any("person" in way for each in operations for way in each.get("security", []))


def _local() -> Iterator[Edge]:
    """With simulators, one Jaeger, and jobs that make what production has been given."""
    yield Edge(service("payments"), BANK, 8020, why="authorise, capture, ask")
    yield Edge(BANK, service("payments"), HTTP, why="webhooks")
    yield Edge(BANK, service("web"), HTTP, why="webhooks, where payments has no port (components/transport/bus)")
    yield Edge(service("notifications"), MAILBOX, 8025, why="mail")
    for name in SERVICES:
        for party in (service(name), migration(name)):
            yield Edge(party, SHARED_DATABASE, POSTGRES, why="its own database, on the one server of the light profile")
    yield Edge(ours("databases", "job", optional=True), SHARED_DATABASE, POSTGRES, why="makes logins and databases")
    yield Edge(ours("secrets", "job"), KUBERNETES, 443, why="makes secrets")
    for port in (
        6443,
        8443,
    ):  # where the API really listens, behind its Service: kind, k3d and Docker Desktop; minikube
        yield Edge(ours("secrets", "job"), KUBERNETES, port, why="makes secrets")
    yield Edge(COLLECTOR, JAEGER, OTLP, why="spans")
    samples = Party("sample-events", ((COMPONENT, "sample-events"), (NAME, "catalog"), (KIND, "job")), optional=True)
    for target in (database("catalog"), SHARED_DATABASE):
        yield Edge(samples, target, POSTGRES, why="something to sell")
    buyer = ours("buy-a-ticket", "job", optional=True)
    for target, port in ((service("web"), HTTP), (BANK, 8020), (MAILBOX, 8026), (JAEGER, 16686)):
        yield Edge(buyer, target, port, why="buys a ticket and reads its trace")


def _production() -> Iterator[Edge]:
    """With operators, a gateway and the world."""
    gateway = elsewhere("gateway", GATEWAY_NAMESPACE)
    for name, why in (("web", "the shop"), ("payments", "the bank's webhooks"), ("tickets", "gates verify codes")):
        yield Edge(gateway, service(name), HTTP, why=why)
    # cert-manager answers for a moment when a certificate is due.
    yield Edge(
        gateway, Party("certificate-solver", ((NAME, "certificate-solver"),), optional=True), 8089, why="certificates"
    )
    yield from _operated_databases()
    yield from _kept_traces()
    yield Edge(BROKER, BROKER, 6222, why="one cluster of three")
    keda = elsewhere("keda", KEDA_NAMESPACE)
    yield Edge(keda, BROKER, 8222, why="how far consumers lag, to scale them")
    yield Edge(keda, service("inventory"), HTTP, why="how many wait, to scale it")
    yield Edge(service("payments"), INTERNET, 443, why="the bank")
    yield Edge(service("notifications"), INTERNET, 587, why="the mail server: submission")


def _operated_databases() -> Iterator[Edge]:
    """CloudNativePG: servers and poolers of one service, their operator, backups."""
    operator, monitoring = (
        elsewhere("postgres-operator", POSTGRES_OPERATOR_NAMESPACE),
        elsewhere("monitoring", MONITORING_NAMESPACE),
    )
    for name in SERVICES:
        own = database(name)
        yield Edge(own, own, POSTGRES, why="replicas follow the primary, poolers ask it")
        # Since CloudNativePG 1.27 a primary that reaches neither the API server nor the others is restarted as isolated.
        yield Edge(own, own, HTTP, why="instances ask each other whether they are alone")
        for port, why in ((8000, "asks each instance how it is"), (POSTGRES, "the same")):
            yield Edge(operator, own, port, why=why)
        for port in (443, 6443):
            yield Edge(
                own,
                KUBERNETES,
                port,
                why="each instance reads who is the primary; backups go out by the first port as well",
            )
        for port in (9127, 9187):
            yield Edge(monitoring, own, port, why="figures of the pooler, and of the server")


def _kept_traces() -> Iterator[Edge]:
    """Two tiers of collectors, a Jaeger that writes and one that reads."""
    sampler = ours("otel-sampler", "telemetry")
    writer = Party("jaeger-collector", ((COMPONENT, "collector"), (NAME, "jaeger"), (KIND, "telemetry")))
    yield Edge(COLLECTOR, sampler, OTLP, why="spans of one trace to one sampler")
    yield Edge(sampler, writer, OTLP, why="traces that are kept")
    yield Edge(JAEGER, INTERNET, 443, why="OpenSearch")
    monitoring = elsewhere("monitoring", MONITORING_NAMESPACE)
    for party in (COLLECTOR, sampler, JAEGER):
        yield Edge(monitoring, party, 8888, why="figures of the collectors")
    yield Edge(COLLECTOR, monitoring, PROMETHEUS, why="the services' metrics")
    for name in SERVICES:
        yield Edge(monitoring, service(name), HTTP, why="the same, for a Prometheus that fetches them itself")
