"""Everything that has to be there for each service, is called what it should be, and selects its own pods alone."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from k8s.objects import COMPONENT, KIND, NAME, PART_OF, SYSTEM, Build, Object, Pod, at, matches
from k8s.places import Place, program_of, services_of, variables
from k8s.ports import selected
from local.topology import SERVICES

ROOT = Path(__file__).resolve().parent.parent
Found = Iterator[tuple[str, str]]

KINDS = {"service", "simulator", "database", "broker", "telemetry", "job"}
SIMULATORS = ("bank", "mailbox")
PATHS = {"browse", "checkout"}
# What belongs to no namespace.
CLUSTER_WIDE = {
    "Namespace",
    "ClusterSecretStore",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "PriorityClass",
}
# Kubernetes gives the rest of the pod this much at least, after the service has drained.
SLACK_SECONDS = 2


def services_are_there(place: Place) -> Found:
    """Every service that exists is in every place, whole."""
    for service in SERVICES:
        if not (ROOT / "k8s/base" / service / "kustomization.yaml").is_file():
            yield (
                f"k8s/base/{service}",
                "is missing. Make a folder like k8s/base/orders; `make documents` adds it to the lists.",
            )
        yield from _of_service(place, service)
    known = {place.home_of(service) for service in SERVICES}
    for each in place.all.of_kind("Deployment"):
        if each.labels.get(KIND) == "service" and each.labels.get(NAME) not in known:
            yield (
                each.where,
                f"runs {each.labels.get(NAME)}, which local/topology.py does not know. Add it there, or remove it.",
            )
    if place.plan.makes_secrets:
        for name in SIMULATORS:
            if not place.all.named("Service", name) or not any(
                pod.labels.get(NAME) == name for pod in place.all.pods()
            ):
                yield (
                    f"Deployment/{name}",
                    f"is missing in {place.name}, with its Service: the simulator belongs into k8s/infra/local.",
                )


def _of_service(place: Place, service: str) -> Found:
    home = place.home_of(service)
    deployments = [
        each
        for each in place.all.of_kind("Deployment")
        if each.labels.get(NAME) == home and each.labels.get(KIND) == "service"
    ]
    if not deployments:
        yield (
            f"Deployment/{home}",
            f"is missing in {place.name}. Add k8s/base/{service}, or k8s/monolith for all of them.",
        )
    for each in deployments:
        yield from _around(place, service, each)
        yield from ((each.where, sentence) for sentence in _runs(place, service, each))
    if not place.all.named("ServiceAccount", service):
        yield f"ServiceAccount/{service}", f"is missing in {place.name}. k8s/base/template makes it."
    if not any(
        each.labels.get(NAME) == service and each.labels.get(COMPONENT) == "migration"
        for each in place.all.of_kind("Job")
    ):
        yield (
            f"Job/{service}-migration",
            f"is missing in {place.name}: nobody would migrate its database. k8s/base/template makes it.",
        )


def _around(place: Place, service: str, deployment: Object) -> Found:
    """What every Deployment of a service has beside it. A Service has the name by which others ask, also where all are one process."""
    wanted = {"ConfigMap": deployment.name, "PodDisruptionBudget": deployment.name}
    if place.has_port(service):
        wanted["Service"] = service if place.plan.together else deployment.name
    for kind, name in sorted(wanted.items()):
        if not _is_there(place.all, kind, name):
            yield (
                f"{kind}/{name}",
                f"is missing in {place.name}: every Deployment of a service has one. k8s/base/template makes it.",
            )


def _runs(place: Place, service: str, deployment: Object) -> Iterator[str]:
    """What is wrong with the program that a Deployment starts for a service."""
    program = "chassis.monolith" if place.plan.together else "chassis.serve"
    containers = list(deployment.pod.containers()) if deployment.pod else []
    if program not in {program_of(container) for container in containers}:
        yield f"does not run {program}. Set args: [{program}]."
    for container in containers:
        run = services_of(container, variables(place, container))
        if place.plan.together and service not in run:
            yield f"does not run {service}. Add it to ONSALE_SERVICES."
        if not place.plan.together and run and run != [service]:
            yield f"is labelled {service} and runs {run[0]} (ONSALE_SERVICE). Make them agree."


def _is_there(build: Build, kind: str, name: str) -> bool:
    """Whether there is one of that name. That of a generated ConfigMap ends with ten characters of its hash."""
    named = re.compile(re.escape(name) + ("(-[a-z0-9]{10})?" if kind == "ConfigMap" else ""))
    return any(named.fullmatch(each.name) for each in build.of_kind(kind))


def labels(found: Object) -> Iterator[str]:
    """Labels by which components patch, policies select and people look for things."""
    if found.labels.get(PART_OF) != SYSTEM:
        yield f"has not the label {PART_OF}: {SYSTEM}. Add it."
    if found.pod is None:
        return
    for carrier, carried in (("", found.labels), ("its pods: ", found.pod.labels)):
        for name in (NAME, PART_OF):
            if not carried.get(name):
                yield f"{carrier}there is no label {name}. Add it."
        if carried.get(KIND) not in KINDS:
            yield f"{carrier}the label {KIND} is {carried.get(KIND, 'missing')}. It is one of {', '.join(sorted(KINDS))}."
    if (found.pod.kind == "job") != (found.kind in {"Job", "CronJob"}):
        yield f"is a {found.kind} whose pods say {KIND}: {found.pod.kind}. Jobs, and they alone, are `job`."
    path = found.pod.labels.get(COMPONENT, "missing")
    if found.labels.get(NAME) == "web" and found.pod.kind == "service" and path not in PATHS:
        yield f"its pods: the label {COMPONENT} is {path}. web's paths are {' and '.join(sorted(PATHS))}."


def selectors_are_exact(build: Build) -> Found:
    """What selects pods takes its own, and no others: two Deployments that share one selector fight for ever."""
    pods = list(build.pods())
    for found in build.of_kind("Deployment", "StatefulSet", "DaemonSet"):
        selector = found.spec.get("selector") or {}
        if found.pod and not matches(selector, found.pod.labels):
            yield found.where, "does not select its own pods. Make spec.selector agree with the labels of the template."
        for other in _others(pods, found, selector):
            yield found.where, f"selects pods of {other} too. Make spec.selector finer."
        for spread in found.pod.spec.get("topologySpreadConstraints") or [] if found.pod else []:
            if found.pod and not matches(spread.get("labelSelector"), found.pod.labels):
                yield found.where, "spreads other pods than its own. Correct topologySpreadConstraints.labelSelector."
    for found in build.of_kind("Service"):
        jobs = (
            [pod.owner.where for pod in selected(build, found) if pod.kind == "job"]
            if found.spec.get("selector")
            else []
        )
        for job in jobs:
            yield found.where, f"sends requests to the pods of {job}, which serve none. Make spec.selector finer."


def _others(pods: list[Pod], found: Object, selector: Mapping[str, object]) -> list[str]:
    return [pod.owner.where for pod in pods if pod.owner != found and matches(selector, pod.labels)]


def disruption_budgets_let_go(build: Build) -> Found:
    """A budget protects one workload, and never keeps a node from being drained."""
    for found in build.of_kind("PodDisruptionBudget"):
        owners = [pod.owner for pod in build.pods() if matches(found.spec.get("selector"), pod.labels)]
        if len(owners) != 1 and not _cnpg(build, found):
            named = " and ".join(each.where for each in owners) or "nothing"
            yield found.where, f"protects {named}. Its selector must take the pods of one workload."
        fewest = min((fewest_pods(build, each) for each in owners), default=1)
        if _blocks(found, fewest):
            yield (
                found.where,
                (
                    f"never lets a pod go while there are {fewest}: a node could not be drained. "
                    "Set maxUnavailable: 1 instead of minAvailable."
                ),
            )


def _cnpg(build: Build, found: Object) -> bool:
    chosen = at(found.spec, "selector", "matchLabels", default={})
    names = {each.name for each in build.of_kind("Cluster", "Pooler")}
    return any(key.startswith("cnpg.io/") and value in names for key, value in chosen.items())


def fewest_pods(build: Build, owner: Object) -> int:
    """How few pods there may be: what an autoscaler goes down to, or the replicas."""
    for each in build.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        reference = each.spec.get("scaleTargetRef") or {}
        if (reference.get("kind", "Deployment"), reference.get("name")) == (owner.kind, owner.name):
            return int(each.spec.get("minReplicas") or each.spec.get("minReplicaCount") or 1)
    return int(owner.spec.get("replicas", 1))


def _blocks(found: Object, fewest: int) -> bool:
    available, unavailable = found.spec.get("minAvailable"), found.spec.get("maxUnavailable")
    if available is not None:
        if str(available).endswith("%"):
            return -(-fewest * int(str(available)[:-1]) // 100) >= fewest
        return int(available) >= fewest
    return unavailable is not None and str(unavailable) in {"0", "0%"}


def namespaces_agree(place: Place) -> Found:
    """All is in one namespace: what says none lands in whichever the person who applies it is."""
    for found in place.all.objects:
        if found.kind not in CLUSTER_WIDE and found.namespace != SYSTEM:
            yield (
                found.where,
                f"is in the namespace {found.namespace or '(none)'}. Set `namespace: {SYSTEM}` in the kustomization.",
            )


def pods_have_time_to_drain(place: Place) -> Found:
    """The end of a pod: first nobody sends it anything new (preStop), then it finishes (drain_seconds), then it is killed."""
    for pod in place.all.pods():
        for container in pod.containers():
            found = variables(place, container)
            services = services_of(container, found)
            if not services:
                continue
            pause = at(container.document, "lifecycle", "preStop", "sleep", "seconds", default=0)
            drain = max(_drain_seconds(found, service) for service in services)
            given = pod.spec.get("terminationGracePeriodSeconds", 30)
            if not pause:
                yield (
                    pod.owner.where,
                    (
                        f"container {container.name} stops at once, while others still send it requests. "
                        "Set lifecycle.preStop.sleep.seconds: 5."
                    ),
                )
            if given < pause + drain + SLACK_SECONDS:
                yield (
                    pod.owner.where,
                    (
                        f"is killed after {given} s, but it pauses {pause} s and drains {drain:.0f} s. "
                        f"Set terminationGracePeriodSeconds above {pause + drain + SLACK_SECONDS:.0f}."
                    ),
                )


def _drain_seconds(found: Mapping[str, str], service: str) -> float:
    return float(found.get(f"{service.upper()}_DRAIN_SECONDS", found.get("ONSALE_DRAIN_SECONDS", "10")))
