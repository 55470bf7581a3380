"""Every rule about a single object finds what it is there for."""

from typing import Any

import pytest

from k8s.objects import Object
from k8s.validation import valid
from tests.manifests.made_up import documents, findings, said_by, with_change

ORDERS = "Deployment/orders"
MIGRATION = "Job/orders-migration"
POD = "spec.template.spec"
MAIN = f"{POD}.containers.0"
SECURITY = f"{MAIN}.securityContext"

RESTRICTED: dict[str, tuple[str, Any, str]] = {
    "a folder of the host": (f"{POD}.volumes", [{"name": "v", "hostPath": {"path": "/"}}], "of the type hostPath"),
    "a network disk": (f"{POD}.volumes", [{"name": "v", "nfs": {"server": "s", "path": "/"}}], "of the type nfs"),
    "a sysctl that is not safe": (
        f"{POD}.securityContext.sysctls",
        [{"name": "kernel.msgmax", "value": "1"}],
        "kernel.msgmax",
    ),
    "AppArmor off": (f"{POD}.securityContext.appArmorProfile", {"type": "Unconfined"}, "turns AppArmor off"),
    "AppArmor off by annotation": (
        "spec.template.metadata.annotations",
        {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
        "turns AppArmor off",
    ),
    "a Windows host process": (f"{POD}.securityContext.windowsOptions", {"hostProcess": True}, "Windows host process"),
    "an SELinux type": (f"{SECURITY}.seLinuxOptions", {"type": "spc_t"}, "SELinux"),
    "an SELinux role": (f"{SECURITY}.seLinuxOptions", {"role": "sysadm_r"}, "SELinux"),
    "seccomp off": (f"{SECURITY}.seccompProfile", {"type": "Unconfined"}, "turns seccomp off"),
    "root by its number": (f"{SECURITY}.runAsUser", 0, "runs as root"),
    "root for the pod": (f"{POD}.securityContext.runAsUser", 0, "runs as root"),
    "root not forbidden": (f"{POD}.securityContext.runAsNonRoot", None, "may run as root"),
    "root allowed for a container": (f"{SECURITY}.runAsNonRoot", False, "allows root"),
    "an unmasked /proc": (f"{SECURITY}.procMount", "Unmasked", "/proc"),
    "a probe of another host": (f"{MAIN}.livenessProbe.httpGet.host", "10.0.0.1", "ask another host (livenessProbe"),
    "a hook to another host": (f"{MAIN}.lifecycle.postStart", {"httpGet": {"host": "h", "port": 1}}, "postStart"),
}
OTHERS: dict[str, tuple[str, str, str, Any, str]] = {
    "a field that does not exist": ("schema", ORDERS, f"{MAIN}.imagee", "x", "'imagee' was unexpected"),
    "a value of another type": ("schema", ORDERS, "spec.replicas", "three", "spec.replicas"),
    "a kind without a schema": ("schema", ORDERS, "apiVersion", "apps/v9", "of a kind without a schema"),
    "somebody else's kind": ("schema", ORDERS, "apiVersion", "apps.example/v1", "of a kind without a schema"),
    "a namespace without a level": (
        "restricted",
        "Namespace/onsale",
        "metadata.labels.pod-security~kubernetes~io/enforce",
        "baseline",
        "does not enforce Pod Security",
    ),
    "a limit below the request": ("resources", ORDERS, f"{MAIN}.resources.limits.memory", "8Mi", "requests more memory"),
    "no startup probe": ("probes", ORDERS, f"{MAIN}.startupProbe", None, "has no startupProbe"),
    "no readiness probe": ("probes", ORDERS, f"{MAIN}.readinessProbe", None, "has no readinessProbe"),
    "no liveness probe": ("probes", ORDERS, f"{MAIN}.livenessProbe", None, "has no livenessProbe"),
    "liveness that asks others": ("probes", ORDERS, f"{MAIN}.livenessProbe.httpGet.path", "/readyz", "must ask no dependency"),
    "readiness that asks nobody": ("probes", ORDERS, f"{MAIN}.readinessProbe.httpGet.path", "/livez", "answer it at /readyz"),
    "a probe of a port that is not there": ("probes", ORDERS, f"{MAIN}.livenessProbe.httpGet.port", "admin", "asks port admin"),
    "a server without liveness": ("probes", "Deployment/nats", f"{MAIN}.livenessProbe", None, "has no livenessProbe"),
    "a job with a probe": ("probes", MIGRATION, f"{MAIN}.livenessProbe", {"tcpSocket": {"port": 1}}, "of a job has a livenessProbe"),
    "a token as a volume": (
        "token",
        ORDERS,
        f"{POD}.volumes",
        [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
        "by the volume v",
    ),
    "an account that mounts": ("token", "ServiceAccount/orders", "automountServiceAccountToken", True, "mounts its token everywhere"),
    "a reference to what comes later": (
        "env-order",
        ORDERS,
        f"{MAIN}.env.1",
        {"name": "EARLY", "value": "$(ONSALE_NATS_URL)"},
        "which is not set before it",
    ),
    "a variable twice": ("env-order", ORDERS, f"{MAIN}.env.1", {"name": "NATS_USER", "value": "x"}, "sets NATS_USER twice"),
    "fewer while it is replaced": ("rolls", ORDERS, "spec.strategy.rollingUpdate.maxUnavailable", 1, "may be fewer"),
    "an object of nobody": ("labels", "ConfigMap/orders", "metadata.labels", {}, "has not the label app.kubernetes.io/part-of"),
    "pods without a name": (
        "labels",
        ORDERS,
        "spec.template.metadata.labels.app~kubernetes~io/name",
        None,
        "its pods: there is no label app.kubernetes.io/name",
    ),
    "a kind that is none": ("labels", ORDERS, "spec.template.metadata.labels.onsale~dev/kind", "thing", "It is one of broker"),
    "a service that says it is a job": ("labels", ORDERS, "spec.template.metadata.labels.onsale~dev/kind", "job", "is a Deployment"),
    "web without a path": ("labels", "Deployment/web", "spec.template.metadata.labels.app~kubernetes~io/component", None, "web's paths"),
}  # fmt: skip


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert findings(documents()) == []


@pytest.mark.parametrize("planted", RESTRICTED)
def test_what_the_level_restricted_refuses_is_found(planted: str) -> None:
    path, value, said = RESTRICTED[planted]
    found = said_by("restricted", with_change(ORDERS, path, value))
    assert any(said in each and each.startswith(ORDERS) for each in found), found


@pytest.mark.parametrize("planted", OTHERS)
def test_what_is_wrong_with_one_object_is_found(planted: str) -> None:
    rule, where, path, value, said = OTHERS[planted]
    found = said_by(rule, with_change(where, path, value))
    assert any(said in each and each.startswith(where) for each in found), found


def test_a_custom_resource_is_held_against_the_schema_of_its_project() -> None:
    spec = {"scaleTargetRef": {"name": "orders"}, "triggers": [{"type": "cpu", "metadata": {"value": "60"}}]}
    scaler = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "orders"}}
    assert list(valid(Object.of(scaler | {"spec": spec}))) == []
    (said,) = valid(Object.of(scaler | {"spec": spec | {"minReplicaCuont": 3}}))
    assert "'minReplicaCuont' was unexpected" in said
