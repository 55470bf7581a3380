"""What of the level `restricted` of the Pod Security Standards checkov does not know: a cluster would refuse the pod, and says so only
when it is applied. tests/manifests/test_scanners.py holds that checkov finds the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from k8s.objects import Container, Object, Pod, at

VOLUME_TYPES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
LEVEL = "pod-security.kubernetes.io/"
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def restricted(found: Object) -> Iterator[str]:
    """What the level `restricted` refuses of an object's pods, and checkov would let pass."""
    if found.kind == "Namespace":
        yield from _namespace(found)
    if found.pod is None:
        return
    yield from _pod(found.pod)
    for container in found.pod.containers():
        for sentence in _container(found.pod, container):
            yield f"{container.role} {container.name} {sentence}"


def _namespace(found: Object) -> Iterator[str]:
    if found.labels.get(f"{LEVEL}enforce") != "restricted":
        yield f"does not enforce Pod Security. Give it the label {LEVEL}enforce: restricted."


def _pod(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.get("volumes") or []:
        for kind in sorted(volume.keys() - {"name"} - VOLUME_TYPES):
            yield f"has the volume {volume['name']} of the type {kind}. Use one of {', '.join(sorted(VOLUME_TYPES))}."
    context = pod.spec.get("securityContext") or {}
    yield from (f"(pod) {each}" for each in _contexts(context))
    for sysctl in context.get("sysctls") or []:
        if sysctl.get("name") not in SAFE_SYSCTLS:
            yield f"sets the sysctl {sysctl.get('name')}, which is not among the safe ones. Remove it."
    for key, value in (at(pod.template, "metadata", "annotations", default={})).items():
        if key.startswith(APPARMOR_ANNOTATION) and value != "runtime/default" and not value.startswith("localhost/"):
            yield f"turns AppArmor off by the annotation {key}. Remove it."


def _contexts(context: Mapping[str, Any]) -> Iterator[str]:
    """What may stand neither in a pod's security context nor in a container's."""
    if at(context, "windowsOptions", "hostProcess"):
        yield "is a Windows host process. Remove securityContext.windowsOptions.hostProcess."
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type", "") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "sets an SELinux user, role or type of its own. Remove securityContext.seLinuxOptions."
    if at(context, "appArmorProfile", "type") not in {None, "RuntimeDefault", "Localhost"}:
        yield "turns AppArmor off. Remove securityContext.appArmorProfile, or make it RuntimeDefault."
    if at(context, "seccompProfile", "type") not in {None, "RuntimeDefault", "Localhost"}:
        yield "turns seccomp off. Set securityContext.seccompProfile.type: RuntimeDefault."
    if context.get("runAsUser") == 0:
        yield "runs as root (runAsUser: 0). Give it a user above 0."
    if context.get("runAsNonRoot") is False:
        yield "allows root (runAsNonRoot: false). Set securityContext.runAsNonRoot: true."


def _container(pod: Pod, container: Container) -> Iterator[str]:
    context = container.document.get("securityContext") or {}
    outer = pod.spec.get("securityContext") or {}
    yield from _contexts(context)
    if "runAsNonRoot" not in context and outer.get("runAsNonRoot") is not True:
        yield "may run as root. Set runAsNonRoot: true in the security context of the pod or of the container."
    if context.get("procMount", "Default") != "Default":
        yield "changes how /proc is mounted. Remove securityContext.procMount."
    yield from _host(container)


def _host(container: Container) -> Iterator[str]:
    handlers = {name: container.document.get(name) for name in _PROBES}
    handlers |= {name: at(container.document, "lifecycle", name) for name in ("postStart", "preStop")}
    for name, handler in handlers.items():
        for way in ("httpGet", "tcpSocket"):
            if at(handler, way, "host"):
                yield f"lets the node ask another host ({name}.{way}.host). Remove it: the pod itself is meant."
