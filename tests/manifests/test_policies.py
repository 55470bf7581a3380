"""The policies allow what is under contract and what lies beneath, and nothing else; a fault in either direction is found."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.pactfile import edges as pact_edges
from k8s import edges, policies, reach
from k8s.objects import Document, Object
from tests.manifests.made_up import PLAN, build, documents, get, put, said_by, without

POLICY = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "more"}}
ORDERS = {"matchLabels": {"app.kubernetes.io/name": "orders"}}
ANYWHERE = {"cidr": "0.0.0.0/0"}
BACKEND = reach.Endpoint("backend", {"app": "backend"}, {"http": 8000})
CLIENT = reach.Endpoint("client", {"app": "client", "tier": "front"}, {})
STRANGER = reach.Endpoint("stranger", {"app": "client"}, {}, "elsewhere")
OUTSIDE = reach.Endpoint("outside", {}, {}, None, "203.0.113.10")


def more(**spec: Any) -> list[Document]:
    """The place with one policy more, about orders."""
    return [*documents(), POLICY | {"spec": {"podSelector": ORDERS, **spec}}]


TOO_MUCH: dict[str, tuple[Document, str]] = {
    "all who want in": ({"ingress": [{}]}, "lets into Deployment/orders: Deployment/accounts to Deployment/orders, port 8000"),
    "every port": (
        {"ingress": [{"from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "web"}}}]}]},
        "lets into Deployment/orders: Deployment/web to Deployment/orders, port any",
    ),
    "a stranger's namespace": (
        {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {reach.METADATA_NAME: "default"}}}]}]},
        "lets into Deployment/orders: a stranger in another namespace to",
    ),
    "the world": (
        {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": ANYWHERE | {"except": ["10.0.0.0/8"]}}]}]},
        "lets out of Deployment/orders: Deployment/orders to internet, port 22",
    ),
    "addresses of the cluster": (
        {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
        "lets out of Deployment/orders: Deployment/orders to Deployment/accounts",
    ),
    "a wider port": ({"ingress": [{"ports": [{"port": 8000, "endPort": 9999}]}]}, "Deployment/accounts to Deployment/orders, port any"),
}  # fmt: skip
TAKEN = {
    "orders": "keeps Deployment/web to Deployment/orders, port 8000",
    "orders-database": "keeps Deployment/orders to Deployment/orders-database, port 5432",
    "orders-migration": "keeps Job/orders-migration to Deployment/orders-database, port 5432",
    "nats": "keeps Deployment/orders to Deployment/nats, port 4222",
    "otel-collector": "keeps Deployment/orders to Deployment/otel-collector, port 4318",
    "names": "keeps Deployment/orders to dns, port 53",
    "bank-local": "keeps Deployment/bank to Deployment/payments, port 8000",
}


def test_every_edge_under_contract_is_one() -> None:
    asked = {(edge.source.name, edge.target.name) for edge in edges.of_scope("everywhere") if edge.port == edges.HTTP}
    under_contract = {(edge.consumer, edge.provider) for edge in pact_edges() if edge.kind == "asks"}
    assert under_contract
    assert under_contract <= asked
    # Beside the contracts: who takes people's tokens reads the keys that vouch for them.
    assert {target for _, target in asked - under_contract} == {"accounts"}


def test_who_takes_people_is_read_from_what_they_promise() -> None:
    assert [name for name in ("accounts", "catalog", "orders", "tickets", "payments") if edges.takes_people(name)] == [
        "accounts",
        "orders",
        "tickets",
    ]


@pytest.mark.parametrize("planted", TOO_MUCH)
def test_a_policy_that_allows_too_much_is_found(planted: str) -> None:
    spec, said = TOO_MUCH[planted]
    found = said_by("policies", more(**spec))
    assert any(said in each for each in found), found


@pytest.mark.parametrize("taken", TAKEN)
def test_a_policy_that_is_missing_is_found(taken: str) -> None:
    found = said_by("policies", without(f"NetworkPolicy/{taken}"))
    assert any(TAKEN[taken] in each for each in found), found


def test_without_the_rule_that_denies_all_pods_without_a_policy_are_open() -> None:
    found = without("NetworkPolicy/deny-all")
    found.remove(get(found, "NetworkPolicy/jaeger-local"))
    assert any("lets into Deployment/jaeger: " in each for each in said_by("policies", found))


def test_a_side_that_is_open_is_found_though_the_other_is_closed() -> None:
    found = documents()
    everyone = {
        "to": [{"podSelector": {"matchLabels": {"onsale.dev/database-of": "orders"}}}],
        "ports": [{"port": 5432}],
    }
    get(found, "NetworkPolicy/catalog")["spec"]["egress"].append(everyone)
    said = said_by("policies", found)
    assert any(
        "lets out of Deployment/catalog: Deployment/catalog to Deployment/orders-database" in each for each in said
    )


def test_pods_that_no_policy_finds_are_reported() -> None:
    found = documents()
    for where in ("Deployment/nats", "Service/nats"):
        put(get(found, where), "metadata.labels.app~kubernetes~io/name", "broker")
    put(get(found, "Deployment/nats"), "spec.template.metadata.labels.app~kubernetes~io/name", "broker")
    said = said_by("policies", found)
    assert any("Party/nats of k8s/edges.py has no pods" in each for each in said)


def test_a_setting_that_policies_do_not_let_follow_is_found() -> None:
    found = documents()
    get(found, "ConfigMap/catalog")["data"]["CATALOG_ORDERS_URL"] = "http://orders:8000"
    (said,) = said_by("reachable", found)
    assert said.startswith(
        "Deployment/catalog is given CATALOG_ORDERS_URL=orders:8000, but no policy lets Deployment/catalog reach "
    )


@pytest.mark.parametrize(
    ("where", "given"),
    [("PAYMENTS_BANK_URL", "https://bank.example.org"), ("PAYMENTS_BANK_URL", "https://bank.example.org:8443/api")],
)
def test_an_address_outside_that_policies_do_not_let_reach_is_found(where: str, given: str) -> None:
    found = documents()
    get(found, "ConfigMap/payments")["data"][where] = given
    assert any(f"{where}=bank.example.org" in each and "reach internet" in each for each in said_by("reachable", found))


def test_a_host_and_a_port_apart_are_tried_too() -> None:
    found = documents()
    get(found, "ConfigMap/notifications")["data"]["NOTIFICATIONS_SMTP_HOST"] = "nats"
    get(found, "ConfigMap/notifications")["data"]["NOTIFICATIONS_SMTP_PORT"] = "8222"
    assert any("NOTIFICATIONS_SMTP_HOST=nats:8222" in each for each in said_by("reachable", found))


@pytest.mark.parametrize(
    ("kind", "spec", "said"),
    [
        (
            "ScaledObject",
            {"triggers": [{"metadata": {"url": "http://orders.onsale.svc.cluster.local:8000/load"}}]},
            "lets keda reach",
        ),
        ("HTTPRoute", {"rules": [{"backendRefs": [{"name": "orders", "port": 8000}]}]}, "lets gateway reach"),
    ],
)
def test_who_is_given_an_address_in_another_namespace_is_tried_too(kind: str, spec: Document, said: str) -> None:
    added = {"apiVersion": "group.example/v1", "kind": kind, "metadata": {"name": "added"}, "spec": spec}
    assert any(said in each and "Deployment/orders" in each for each in said_by("reachable", [*documents(), added]))


@pytest.mark.parametrize(
    "text", ["endpoint: jaeger:4317", 'resolver:\n  dns:\n    hostname: jaeger\n    port: "4317"\n']
)
def test_a_mounted_file_is_tried_too(text: str) -> None:
    found = documents()
    get(found, "ConfigMap/catalog")["data"]["file"] = text
    put(
        get(found, "Deployment/catalog"),
        "spec.template.spec.volumes",
        [{"name": "v", "configMap": {"name": "catalog"}}],
    )
    assert any("(in catalog) jaeger:4317" in each for each in said_by("reachable", found))
    get(found, "ConfigMap/catalog")["data"]["file"] = "# jaeger:4317"
    assert said_by("reachable", found) == []


def test_production_without_policies_is_found() -> None:
    found = [each for each in documents() if each["kind"] != "NetworkPolicy"]
    assert said_by("policies", found) == []
    production = replace(PLAN, environment="production", makes_secrets=False)
    assert any("is missing" in each for each in said_by("policies", found, production))


def test_an_operators_pods_have_policies_by_their_labels() -> None:
    cluster = {"inheritedMetadata": {"labels": {"onsale.dev/database-of": "orders"}}}
    pooler = {"template": {"metadata": {"labels": {"onsale.dev/database-of": "orders"}}}}
    made = build(
        {"apiVersion": "postgresql.cnpg.io/v1", "kind": kind, "metadata": {"name": "orders-database"}, "spec": spec}
        for kind, spec in (("Cluster", cluster), ("Pooler", pooler))
    )
    points = list(reach.inside(made))
    assert [point.name for point in points] == [
        "Cluster/orders-database",
        "Cluster/orders-database's replicas",
        "Pooler/orders-database",
    ]
    assert all(point.labels["onsale.dev/database-of"] == "orders" for point in points)
    assert [each.name for each in reach.behind(made, "orders-database-rw", points)] == ["Cluster/orders-database"]


def allows(spec: Document, source: reach.Endpoint, port: int = 8000) -> bool:
    """Whether one policy about the backend lets a connection in."""
    policy = Object.of(POLICY | {"spec": {"podSelector": {"matchLabels": {"app": "backend"}}, **spec}})
    return reach.allows([policy], source, BACKEND, port, "TCP")


FRONT = {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front"]}]}
EVALUATED: dict[str, tuple[Document, reach.Endpoint, int, bool]] = {
    "no rule lets nobody in": ({}, CLIENT, 8000, False),
    "an empty rule lets all in": ({"ingress": [{}]}, OUTSIDE, 9999, True),
    "a policy about what goes out says nothing of what comes in": ({"policyTypes": ["Egress"]}, CLIENT, 8000, True),
    "labels that fit": ({"ingress": [{"from": [{"podSelector": FRONT}]}]}, CLIENT, 8000, True),
    "labels of pods elsewhere do not fit": ({"ingress": [{"from": [{"podSelector": {}}]}]}, STRANGER, 8000, False),
    "all pods of any namespace": ({"ingress": [{"from": [{"namespaceSelector": {}}]}]}, STRANGER, 8000, True),
    "a namespace by its name": (
        {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {reach.METADATA_NAME: "elsewhere"}}}]}]},
        STRANGER,
        8000,
        True,
    ),
    "both selectors have to fit": (
        {"ingress": [{"from": [{"namespaceSelector": {}, "podSelector": FRONT}]}]},
        STRANGER,
        8000,
        False,
    ),
    "a named port": ({"ingress": [{"ports": [{"port": "http"}]}]}, CLIENT, 8000, True),
    "another port": ({"ingress": [{"ports": [{"port": 8001}]}]}, CLIENT, 8000, False),
    "a range of ports": ({"ingress": [{"ports": [{"port": 7000, "endPort": 9000}]}]}, CLIENT, 8000, True),
    "another protocol": ({"ingress": [{"ports": [{"port": 8000, "protocol": "UDP"}]}]}, CLIENT, 8000, False),
    "an address": ({"ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]}, OUTSIDE, 8000, True),
    "an address that is excepted": (
        {"ingress": [{"from": [{"ipBlock": ANYWHERE | {"except": ["203.0.113.0/28"]}}]}]},
        OUTSIDE,
        8000,
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EVALUATED)
def test_policies_are_evaluated_as_a_cluster_does(case: str) -> None:
    spec, source, port, passes = EVALUATED[case]
    assert allows(spec, source, port) is passes


def test_a_file_that_is_not_what_the_contracts_say_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "k8s/components/network-policies"
    assert len(policies.stale_files(folder)) == len(edges.SCOPES)
    for path, text in policies.files(folder).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert policies.stale_files(folder) == []
    (folder / "generated.yaml").write_text("# nothing\n")
    assert policies.stale_files(folder) == [
        "k8s/components/network-policies/generated.yaml is not what the contracts say. Run `make documents`."
    ]


def test_the_committed_policies_are_what_the_contracts_say() -> None:
    assert policies.stale_files() == []
