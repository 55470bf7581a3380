"""Every rule about what belongs together finds what it is there for."""

from dataclasses import replace
from typing import Any

import pytest

from k8s.images import PLACEHOLDER
from k8s.objects import Document
from tests.manifests.made_up import PLAN, documents, get, put, said_by, with_change, without

ORDERS = "Deployment/orders"
POD = "spec.template.spec"
MAIN = f"{POD}.containers.0"
LABELS = "spec.template.metadata.labels"
PRODUCTION = replace(PLAN, name="production", environment="production", makes_secrets=False)
PROJECTED = [
    {"name": "v", "projected": {"sources": [{"secret": {"name": "orders-key", "items": [{"key": "k", "path": "p"}]}}]}}
]
HPA = {"scaleTargetRef": {"kind": "Deployment", "name": "orders"}, "minReplicas": 3, "maxReplicas": 9}
SCALED = {"scaleTargetRef": {"name": "orders"}, "minReplicaCount": 3, "maxReplicaCount": 9}

# The rule, what is changed (object, path, value), and what must be said.
CHANGED: dict[str, tuple[str, str, str, Any, str]] = {
    # selectors
    "a selector that misses its pods": ("selectors", ORDERS, f"{LABELS}.onsale~dev/kind", "job", "does not select its own pods"),
    "a selector that takes others' pods": ("selectors", ORDERS, "spec.selector.matchLabels", {"onsale.dev/kind": "service"}, "too"),
    "a Service that sends to a job": ("selectors", "Service/orders", "spec.selector", {"app.kubernetes.io/name": "orders"}, "serve none"),
    "pods spread by others' labels": (
        "selectors",
        ORDERS,
        f"{POD}.topologySpreadConstraints",
        [{"labelSelector": {"matchLabels": {"app.kubernetes.io/name": "web"}}}],
        "spreads other pods",
    ),
    # budgets
    "a budget of nobody": ("disruption", "PodDisruptionBudget/orders", "spec.selector.matchLabels", {"a": "b"}, "protects nothing"),
    "a budget that lets none go": ("disruption", "PodDisruptionBudget/orders", "spec.maxUnavailable", 0, "never lets a pod go"),
    "a budget of all": ("disruption", "PodDisruptionBudget/orders", "spec.minAvailable", 1, "never lets a pod go while there are 1"),
    "a budget of all, in percent": ("disruption", "PodDisruptionBudget/orders", "spec.minAvailable", "100%", "never lets a pod go"),
    # settings
    "a setting that nobody reads": ("settings", "ConfigMap/orders", "data.ORDERS_HOLD_TTL", "5", "ORDERS_HOLD_TTL is no setting"),
    "a shared setting that nobody reads": ("settings", "ConfigMap/onsale", "data.ONSALE_COLOUR", "red", "ONSALE_COLOUR is no setting"),
    "another service's setting": ("settings", "ConfigMap/orders", "data.WEB_PUBLIC_URL", "http://x", "WEB_PUBLIC_URL is read by nobody"),
    "a needed setting that is missing": (
        "settings",
        "ConfigMap/orders",
        "data.ORDERS_PAYMENTS_URL",
        None,
        "has to know where others are: set ORDERS_PAYMENTS_URL, or ONSALE_TRANSPORT=bus",
    ),
    "a setting that is refused": ("settings", "ConfigMap/orders", "data.ORDERS_HOLD_TTL_SECONDS", "1", "HOLD_TTL_SECONDS is refused"),
    "a key file that nobody names": ("settings", "ConfigMap/onsale", "data.ONSALE_KEY_FILE", None, "KEY_FILE is not set"),
    "the wrong environment": ("settings", "ConfigMap/onsale", "data.ONSALE_ENVIRONMENT", "test", "but made-up is local"),
    "a service that does not exist": ("settings", "ConfigMap/orders", "data.ONSALE_SERVICE", "ordres", "no folder of services/"),
    "a migration without a database": ("settings", "Job/orders-migration", f"{MAIN}.env.2", None, "a migration needs the database"),
    "a bank without a key": ("settings", "Deployment/bank", f"{MAIN}.env.3", None, "BANK_API_KEY is not set"),
    "a setting too many": ("settings", "Deployment/bank", f"{MAIN}.env.7", {"name": "BANK_X", "value": "1"}, "BANK_X is no setting"),
    "an unread variable of a server": ("settings", "Deployment/nats", f"{MAIN}.env", [{"name": "N", "value": "1"}], "N is in no"),
    "an unread variable of a job": (
        "settings",
        "Job/stream",
        POD,
        {"containers": [{"name": "s", "image": "onsale/toolbox:1", "args": ["local.cluster"], "env": [{"name": "X_Y", "value": "1"}]}]},
        "X_Y is read by nobody in local/",
    ),
    # files, and what configurations take from the environment
    "a file that nothing mounts": ("files", "ConfigMap/onsale", "data.ONSALE_KEY_FILE", "/run/key.pem", "nothing is mounted there"),
    "a file that the Secret has not": (
        "files",
        "ConfigMap/onsale",
        "data.ONSALE_SERVICE_KEYS_FILE",
        "/run/onsale/public/keys.json",
        "the volume public there has services.jwks.json",
    ),
    "a file of a key that is shown elsewhere": (
        "files",
        ORDERS,
        f"{POD}.volumes.0.secret.items",
        [{"key": "key.pem", "path": "mine.pem"}],
        "the volume key there has mine.pem",
    ),
    "another's image": ("own-images", ORDERS, f"{MAIN}.image", "registry.example.org/onsale/payments:1", "labelled orders and runs"),
    "a migration of another's image": ("own-images", "Job/orders-migration", f"{MAIN}.image", "x/onsale/web:1", "labelled orders"),
    # references
    "a Secret that nobody makes": ("references", ORDERS, f"{MAIN}.env.0.valueFrom.secretKeyRef.name", "nowhere", "the Secret nowhere"),
    "a key that a Secret has not": ("references", ORDERS, f"{MAIN}.env.0.valueFrom.secretKeyRef.key", "user", "the key user"),
    "a key of a mounted Secret": ("references", ORDERS, f"{POD}.volumes", PROJECTED, "needs the key k of the Secret orders-key"),
    "a ConfigMap that is not there": ("references", ORDERS, f"{MAIN}.envFrom.0.configMapRef.name", "order", "the ConfigMap order,"),
    "a mounted ConfigMap that is not there": (
        "references",
        ORDERS,
        f"{POD}.volumes",
        [{"name": "v", "configMap": {"name": "files"}}],
        "the ConfigMap files",
    ),
    "a key that a ConfigMap has not": (
        "references",
        ORDERS,
        f"{MAIN}.env.0.valueFrom",
        {"configMapKeyRef": {"name": "onsale", "key": "X"}},
        "the key X of the ConfigMap onsale",
    ),
    "an account that is not there": ("references", ORDERS, f"{POD}.serviceAccountName", "order", "the ServiceAccount order"),
    "a volume that is not there": ("references", ORDERS, f"{MAIN}.volumeMounts", [{"name": "v"}], "mounts the volume v"),
    "a claim that is not there": (
        "references",
        ORDERS,
        f"{POD}.volumes",
        [{"name": "v", "persistentVolumeClaim": {"claimName": "disk"}}],
        "the PersistentVolumeClaim disk",
    ),
    "a ConfigMap of nobody": ("unused-maps", "ConfigMap/orders", "metadata.name", "ordres", "is used by no pod"),
    # ports
    "a Service of nobody": ("services", "Service/orders", "spec.selector", {"a": "b"}, "selects no pod"),
    "a Service of two": ("services", "Service/orders", "spec.selector", {"onsale.dev/kind": "service"}, "selects pods of"),
    "a Service's port that no pod has": ("services", "Service/orders", "spec.ports.0.targetPort", "web", "does not listen"),
    "a Service's port that is another": ("services", "Service/orders", "spec.ports.0.port", 80, "is reached at 80"),
    "a service that listens elsewhere": ("listening", "ConfigMap/onsale", "data.ONSALE_PORT", "8001", "listens on 8001, but declares 8000"),
    "a service's own port": ("listening", "ConfigMap/orders", "data.ORDERS_PORT", "8002", "listens on 8002"),
    "a service that nobody can reach": ("listening", "ConfigMap/onsale", "data.ONSALE_HOST", "127.0.0.1", "so that nobody reaches it"),
    "an address with a wrong port": (
        "addresses",
        "ConfigMap/orders",
        "data.ORDERS_CATALOG_URL",
        "http://catalog:8001",
        "catalog has no port 8001",
    ),
    "an address of nobody": ("addresses", "ConfigMap/orders", "data.ORDERS_CATALOG_URL", "http://catalogue:8000", "is nobody here"),
    "localhost for a pod": ("addresses", "ConfigMap/orders", "data.ORDERS_CATALOG_URL", "http://localhost:8000", "is nobody here"),
    "a host and a port apart": ("addresses", "ConfigMap/notifications", "data.NOTIFICATIONS_SMTP_PORT", "25", "mailbox has no port 25"),
    "a wrong port in a file": ("addresses", "ConfigMap/orders", "data.file", "endpoint: jaeger:4319 # no", "jaeger has no port 4319"),
    "a wrong port in an argument": ("addresses", "Deployment/nats", f"{MAIN}.args", ["--to=jaeger:1234"], "jaeger has no port 1234"),
    # namespace
    "an object of no namespace": ("namespace", "ConfigMap/orders", "metadata.namespace", None, "is in the namespace (none)"),
    "an object of another namespace": ("namespace", "ConfigMap/orders", "metadata.namespace", "default", "the namespace default"),
    # drain
    "no pause before the end": ("drain", ORDERS, f"{MAIN}.lifecycle.preStop", None, "stops at once"),
    "killed before it has drained": ("drain", ORDERS, f"{POD}.terminationGracePeriodSeconds", 15, "is killed after 15 s"),
    "a longer drain than is given": ("drain", "ConfigMap/orders", "data.ORDERS_DRAIN_SECONDS", "28", "drains 28 s"),
    # present
    "a service that runs another": ("present", "ConfigMap/orders", "data.ONSALE_SERVICE", "web", "is labelled orders and runs web"),
    "a service that is not served": ("present", ORDERS, f"{MAIN}.args", ["sleep"], "does not run chassis.serve"),
    "a service that nobody knows": ("present", ORDERS, "metadata.labels.app~kubernetes~io/name", "ordres", "does not know"),
}  # fmt: skip

# What is taken away, and what must be said.
TAKEN = {
    "Deployment/orders": "Deployment/orders is missing",
    "Service/orders": "Service/orders is missing",
    "ConfigMap/orders": "ConfigMap/orders is missing",
    "ServiceAccount/orders": "ServiceAccount/orders is missing",
    "PodDisruptionBudget/orders": "PodDisruptionBudget/orders is missing",
    "Job/orders-migration": "Job/orders-migration is missing",
    "Deployment/bank": "Deployment/bank is missing",
}

# Kinds that the made-up place has none of: what is added, and what must be said.
ADDED: dict[str, tuple[str, str, Document, str]] = {
    "a scaler of nobody": ("targets", "HorizontalPodAutoscaler", HPA | {"scaleTargetRef": {"name": "ordres"}}, "scales Deployment/ordres"),
    "a scaler upside down": ("targets", "ScaledObject", SCALED | {"maxReplicaCount": 2}, "at least 3 and at most 2"),
    "a scaler without its key": (
        "targets",
        "ScaledObject",
        SCALED | {"triggers": [{"authenticationRef": {"name": "key"}}]},
        "the TriggerAuthentication key",
    ),
    "a scaler that asks nobody": (
        "addresses",
        "ScaledObject",
        SCALED | {"triggers": [{"metadata": {"natsServerMonitoringEndpoint": "nats.onsale.svc.cluster.local:8223"}}]},
        "nats has no port 8223",
    ),
    "a route to nowhere": ("targets", "HTTPRoute", {"rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]}, "sends to shop:80"),
    "a route of no gateway": ("targets", "HTTPRoute", {"parentRefs": [{"name": "door"}]}, "the Gateway door"),
    "a database without a password": (
        "targets",
        "Cluster",
        {"bootstrap": {"initdb": {"secret": {"name": "nothing"}}}},
        "needs the Secret nothing",
    ),
    "a pooler of nothing": ("targets", "Pooler", {"cluster": {"name": "gone"}}, "pools the Cluster gone"),
    "a database by its tag": ("digests", "Cluster", {"imageName": "postgres:18"}, "postgres:18 without a digest"),
    "a pooler by its tag": ("digests", "Pooler", {"pgbouncer": {"image": "pgbouncer:1"}}, "pgbouncer:1 without a digest"),
}  # fmt: skip


@pytest.mark.parametrize("planted", CHANGED)
def test_what_does_not_fit_together_is_found(planted: str) -> None:
    rule, where, path, value, said = CHANGED[planted]
    found = said_by(rule, with_change(where, path, value))
    assert any(said in each for each in found), found


@pytest.mark.parametrize("taken", TAKEN)
def test_what_is_missing_is_found(taken: str) -> None:
    found = said_by("present", without(taken))
    assert any(TAKEN[taken] in each for each in found), found


@pytest.mark.parametrize("planted", ADDED)
def test_what_points_nowhere_is_found(planted: str) -> None:
    rule, kind, spec, said = ADDED[planted]
    added = {"apiVersion": "group.example/v1", "kind": kind, "metadata": {"name": "added"}, "spec": spec}
    found = said_by(rule, [*documents(), added], PRODUCTION)
    assert any(said in each for each in found), found


def test_a_scaler_of_many_pods_lets_a_budget_keep_some() -> None:
    found = with_change("PodDisruptionBudget/orders", "spec.minAvailable", 2)
    assert said_by("disruption", found)
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "orders"},
        "spec": HPA,
    }
    assert said_by("disruption", [*found, scaler]) == []


def test_an_external_secret_makes_a_secret_with_its_keys() -> None:
    found = with_change(
        "Deployment/orders", f"{MAIN}.env.0.valueFrom.secretKeyRef", {"name": "from-outside", "key": "login"}
    )
    external = {"kind": "ExternalSecret", "apiVersion": "v1", "metadata": {"name": "any"}}
    spec = {"target": {"name": "from-outside"}, "data": [{"secretKey": "login"}]}
    assert any("from-outside" in each for each in said_by("references", found))
    assert said_by("references", [*found, external | {"spec": spec}]) == []
    other = said_by("references", [*found, external | {"spec": spec | {"data": [{"secretKey": "user"}]}}])
    assert any("the key login of the Secret from-outside" in each for each in other)


def test_production_takes_nothing_that_a_job_makes_elsewhere() -> None:
    found = said_by("references", documents(), PRODUCTION)
    assert any(
        "Deployment/orders needs the Secret orders-database" in each and "ExternalSecret" in each for each in found
    )


def test_production_knows_that_it_is_production() -> None:
    found = said_by("settings", documents(), PRODUCTION)
    assert any("runs with environment=local, but production is production" in each for each in found)
    changed = with_change("ConfigMap/onsale", "data.ONSALE_ENVIRONMENT", "production")
    refused = said_by("settings", changed, PRODUCTION)
    # Production's settings refuse what the others take: a shop without https, accounts without its signing key.
    assert any("Deployment/web" in each and "https://" in each for each in refused)
    assert any("Deployment/accounts" in each and "signing_key_file" in each for each in refused)


def test_production_wants_digests_and_a_release_real_ones() -> None:
    assert any("onsale/orders:1 without a digest" in each for each in said_by("digests", documents(), PRODUCTION))
    assert said_by("digests", documents()) == []
    found = documents()
    for each in found:
        if "template" in each.get("spec", {}):
            put(each, f"{MAIN}.image", f"somebody/something:1@{PLACEHOLDER}")
    assert said_by("digests", found, PRODUCTION) == []
    assert any(
        "has a placeholder for the digest of somebody/something:1" in each
        for each in said_by("release", found, PRODUCTION)
    )
    put(get(found, ORDERS), f"{MAIN}.image", "onsale/orders@sha256:" + "1" * 64)
    assert not any(each.startswith("Deployment/orders ") for each in said_by("release", found, PRODUCTION))


@pytest.mark.parametrize("address", ["https://tickets.example.org", "Onsale <tickets@onsale.example>"])
def test_a_release_has_no_made_up_addresses(address: str) -> None:
    found = said_by("addresses-to-fill-in", with_change("ConfigMap/orders", "data.X", address), PRODUCTION)
    assert any("which is nobody's" in each for each in found)


def test_a_password_that_the_server_is_not_given_is_found() -> None:
    found = with_change(
        "ConfigMap/orders", "data", {"users.conf": 'users: [{user: web, password: $WEB}]\nx: "$JS.API"'}
    )
    server = get(found, "Deployment/nats")
    put(server, f"{MAIN}.image", "nats:2")
    put(server, f"{POD}.volumes", [{"name": "users", "configMap": {"name": "orders"}}])
    assert any("takes $WEB from the environment" in each for each in said_by("passwords", found))
    put(server, f"{MAIN}.envFrom", [{"secretRef": {"name": "nats-users"}}])
    assert said_by("passwords", found) == []


def test_pods_that_an_operator_makes_are_behind_their_service() -> None:
    found = with_change("Service/orders", "spec.selector", {"cnpg.io/poolerName": "orders-database"})
    assert any("Service/orders selects no pod" in each for each in said_by("services", found))
    pooler = {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Pooler",
        "metadata": {"name": "orders-database"},
        "spec": {},
    }
    assert said_by("services", [*found, pooler]) == []
