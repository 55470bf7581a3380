"""What becomes of a pod in a container engine, and of policies in networks: without an engine."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from k8s.objects import Build, Object, Pod
from k8s.rendering import ROOT
from local.cluster_secrets import Document
from tests.containers.private_networks import networks_for, pairs_that_may_talk
from tests.containers.stand_ins import WHEELS, locked
from tests.containers.translation import Cluster, confinement, environment, mounts, readiness

CLUSTER = Cluster(
    maps={"orders": {"ORDERS_CATALOG_URL": "http://catalog:8000"}},
    secrets={"orders-database": Document("Opaque", {"username": "me", "password": "pa$(word)"})},
    services={"orders": {"app": "orders"}, "all": {"part-of": "onsale"}, "outside": {}},
)


def pod(container: dict[str, Any], *, kind: str = "Deployment", name: str = "orders", **spec: Any) -> Pod:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {**spec, "containers": [{"name": "service", "image": "onsale/orders:1", **container}]},
    }
    made = Object.of(
        {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {"template": template}}
    )
    assert made.pod is not None
    return made.pod


def environment_of(*variables: dict[str, Any], **more: Any) -> dict[str, str]:
    one = pod({"env": list(variables), **more})
    return environment(CLUSTER, one, next(one.containers()), "orders-1")


def test_a_variable_may_refer_to_those_before_it_and_to_no_others() -> None:
    found = environment_of(
        {"name": "EARLY", "value": "$(USER)"},
        {"name": "USER", "valueFrom": {"secretKeyRef": {"name": "orders-database", "key": "username"}}},
        {"name": "URL", "value": "postgresql://$(USER)@$(NOBODY)/$$(USER)"},
    )
    assert (found["EARLY"], found["URL"]) == ("$(USER)", "postgresql://me@$(NOBODY)/$(USER)")


def test_what_a_secret_says_is_not_replaced_a_second_time() -> None:
    secret = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "orders-database", "key": "password"}}}
    found = environment_of({"name": "word", "value": "no"}, secret, {"name": "URL", "value": "$(PASSWORD)"})
    assert found["URL"] == "pa$(word)"


def test_all_of_a_map_comes_with_its_prefix() -> None:
    source = {"prefix": "X_", "configMapRef": {"name": "orders"}}
    assert environment_of(envFrom=[source]) == {"X_ORDERS_CATALOG_URL": "http://catalog:8000"}


def test_a_missing_key_is_left_out_only_if_it_is_optional() -> None:
    missing = {"name": "drills", "key": "crash-at"}
    assert environment_of({"name": "A", "valueFrom": {"configMapKeyRef": {**missing, "optional": True}}}) == {}
    with pytest.raises(KeyError):
        environment_of({"name": "A", "valueFrom": {"configMapKeyRef": missing}})


def test_files_of_a_secret_have_its_names_content_and_mode(tmp_path: Path) -> None:
    item = {"key": "password", "path": "orders/password"}
    volume = {"name": "login", "secret": {"secretName": "orders-database", "items": [item], "defaultMode": 0o440}}
    one = pod(
        {"volumeMounts": [{"name": "login", "mountPath": "/run/login", "readOnly": True}]},
        volumes=[volume],
        securityContext={"fsGroup": 10001},
    )
    (mount,) = mounts(CLUSTER, one, next(one.containers()), tmp_path)
    file = mount.source / "orders" / "password"
    assert (file.read_text(), mount.words[-1].rsplit(":", 2)[1:]) == ("pa$(word)", ["/run/login", "ro"])
    assert not (mount.source / "username").exists()
    if os.geteuid() == 0:
        about = file.stat()
        assert (stat.S_IMODE(about.st_mode), about.st_gid) == (0o440, 10001)


def test_a_container_is_confined_as_its_manifest_says() -> None:
    own = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    one = pod(
        {"securityContext": own, "resources": {"limits": {"memory": "256Mi"}}},
        securityContext={"runAsUser": 10001, "runAsGroup": 10002, "fsGroup": 10003},
    )
    words = " ".join(confinement(one, next(one.containers())))
    for wanted in (
        "--user 10001:10002",
        "--group-add 10003",
        "--read-only",
        "--security-opt no-new-privileges",
        "--cap-drop ALL",
        f"--memory {256 << 20} --memory-swap {256 << 20}",
    ):
        assert wanted in words
    bare = pod({}, securityContext={"runAsUser": 1, "runAsGroup": 1})
    assert confinement(bare, next(bare.containers())) == ["--user", "1:1"]


def test_a_probe_asks_the_port_by_its_name() -> None:
    probe = {"httpGet": {"path": "/readyz", "port": "http"}}
    one = pod({"ports": [{"name": "http", "containerPort": 8000}], "readinessProbe": probe})
    command = readiness(next(one.containers()))
    assert command is not None
    assert "127.0.0.1:8000/readyz" in command[-1]


def test_services_lead_to_those_whom_they_select() -> None:
    assert CLUSTER.names_of({"app": "orders", "part-of": "onsale"}) == ["all", "orders"]


def test_every_pair_shares_a_network_and_strangers_share_none() -> None:
    wanted = {frozenset(pair) for pair in ("ab", "bc", "ac", "cd", "ef")}
    groups = networks_for(wanted)
    shared = {frozenset({one, other}) for group in groups for one in group for other in group if one != other}
    assert shared == wanted
    assert len(groups) == 3


def test_who_may_talk_is_what_policies_of_both_sides_allow() -> None:
    def policy(name: str, way: str, peer: str) -> Object:
        rule = {("to" if way == "egress" else "from"): [{"podSelector": {"matchLabels": {"app": peer}}}]}
        spec = {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Ingress", "Egress"],
            way: [rule],
        }
        made = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec}
        return Object.of(made)

    listening = {"ports": [{"name": "http", "containerPort": 8000}]}
    pods = [pod(listening, name=name).owner for name in ("orders", "catalog", "web")]
    policies = [
        policy("orders", "egress", "catalog"),
        policy("catalog", "ingress", "orders"),
        policy("web", "egress", "orders"),
    ]
    found = pairs_that_may_talk(Build("place", (*pods, *policies)), {})
    assert found == {frozenset({"Deployment/orders", "Deployment/catalog"})}


def test_stand_ins_are_installed_as_they_are_locked() -> None:
    text = locked((ROOT / "requirements" / "run.txt").read_text())
    assert all(f"{name}==" in text for name in WHEELS)
    assert text.count("==") == len(WHEELS)
    assert "--hash=sha256:" in text
