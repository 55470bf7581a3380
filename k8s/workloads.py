"""What every pod has to say, as far as checkov does not ask for it: probes of the right kind, and variables in their order."""

import re
from collections.abc import Iterator
from typing import Any

from k8s.objects import Container, Object, Pod, at

# Kinds (label onsale.dev/kind) of pods that end by themselves.
JOB = "job"
SERVICE = "service"
_SUFFIXES = {
    "": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip
_QUANTITY = re.compile(r"([0-9.]+)([a-zA-Z]*)")
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# What answers each probe of a service: only readiness may ask others.
_PATHS = {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}


def quantity(value: Any) -> float:
    """A Kubernetes quantity as a number: `100m` is 0.1, `1Ki` is 1024. Raises ValueError for anything else."""
    match = _QUANTITY.fullmatch(str(value))
    if match is None or match[2] not in _SUFFIXES:
        raise ValueError(f"{value!r} is no quantity: write it like 250m, 1.5 or 256Mi.")
    return float(match[1]) * _SUFFIXES[match[2]]


def resources(found: Object) -> Iterator[str]:
    """No container asks for more than it may take: a cluster would refuse it. checkov finds those that ask for nothing or have no end."""
    for container in found.pod.containers() if found.pod else ():
        wanted = container.document.get("resources") or {}
        requests, limits = wanted.get("requests") or {}, wanted.get("limits") or {}
        for name in sorted(requests.keys() & limits.keys()):
            if quantity(requests[name]) > quantity(limits[name]):
                yield (
                    f"{container.role} {container.name} requests more {name} ({requests[name]}) than its limit ({limits[name]}). "
                    "Raise the limit."
                )


def probes(found: Object) -> Iterator[str]:
    """Services: three probes, of which only readiness asks others. All that stays up: readiness and liveness. Jobs: none."""
    if found.pod is None:
        return
    ends = found.kind in {"Job", "CronJob"}
    for container in found.pod.containers():
        if container.role != "container":
            continue
        there = {name for name in _PROBES if container.document.get(name)}
        if ends:
            yield from (
                f"container {container.name} of a job has a {name}. Remove it: jobs end." for name in sorted(there)
            )
            continue
        wanted = set(_PROBES) if found.pod.kind == SERVICE else {"readinessProbe", "livenessProbe"}
        for name in sorted(wanted - there):
            yield f"container {container.name} has no {name}. Without it the cluster cannot tell when it works."
        for name in sorted(there):
            yield from _probe(found.pod, container, name)


def _probe(pod: Pod, container: Container, name: str) -> Iterator[str]:
    probe = container.document[name]
    path = at(probe, "httpGet", "path") or _asked_over_bus(at(probe, "exec", "command", default=[]))
    if pod.kind == SERVICE and path != _PATHS[name]:
        yield (
            f"container {container.name}: its {name} asks {path or 'no path'}. Services answer it at {_PATHS[name]}: "
            + ("readiness asks the dependencies." if name == "readinessProbe" else "this one must ask no dependency.")
        )
    declared = {str(port.get("name", "")): port["containerPort"] for port in container.ports}
    for way in ("httpGet", "tcpSocket", "grpc"):
        port = at(probe, way, "port")
        if port is not None and port not in declared and port not in declared.values():
            yield f"container {container.name}: its {name} asks port {port}, on which it does not listen. Name one of its ports."


def _asked_over_bus(command: list[str]) -> str | None:
    """What a command asks its own process over the bus, if that is what it does."""
    *program, path = command or [""]
    return path if program == ["python", "-m", "chassis.ask_bus"] else None


def tokens(found: Object) -> Iterator[str]:
    """Nobody speaks to the cluster's API by a way that checkov does not know: an account's own, and a volume."""
    if found.kind == "ServiceAccount" and found.document.get("automountServiceAccountToken") is not False:
        yield "mounts its token everywhere. Set automountServiceAccountToken: false."
    if found.pod is None:
        return
    for volume in found.pod.spec.get("volumes") or []:
        sources = at(volume, "projected", "sources", default=[])
        if any("serviceAccountToken" in each for each in sources):
            yield f"mounts a token of the cluster's API by the volume {volume['name']}. Remove it."


def env_order(found: Object) -> Iterator[str]:
    """`$(NAME)` is replaced only if NAME stands before it; otherwise it is passed on as it is written."""
    for container in found.pod.containers() if found.pod else ():
        known: set[str] = set()
        listed = container.document.get("env") or []
        from_maps = bool(container.document.get("envFrom"))
        names = {each["name"] for each in listed}
        for each in listed:
            for reference in _REFERENCE.findall(str(each.get("value", ""))):
                if reference not in known and (reference in names or not from_maps):
                    yield (
                        f"{container.role} {container.name}: {each['name']} refers to $({reference}), which is not set before it. "
                        "Move it up."
                    )
            if each["name"] in known:
                yield f"{container.role} {container.name} sets {each['name']} twice. Remove one."
            known.add(each["name"])


def image_parts(image: str) -> tuple[str, str | None, str | None]:
    """Repository, tag and digest of an image; None for what is not there."""
    rest, _, digest = image.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}", tag or None, digest or None


def rolls(found: Object) -> Iterator[str]:
    """A Deployment of a service replaces its pods without being fewer for a moment."""
    if found.kind == "Deployment" and found.pod and found.pod.kind == SERVICE:
        unavailable = at(found.spec, "strategy", "rollingUpdate", "maxUnavailable")
        if str(unavailable) not in {"0", "0%"}:
            yield "may be fewer while it is replaced. Set strategy.rollingUpdate.maxUnavailable: 0."
