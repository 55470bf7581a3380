"""Whatever an object refers to by name is there: ConfigMaps, Secrets and their keys, accounts, volumes, backends, scale targets."""

from collections.abc import Iterator, Mapping
from typing import Any

from k8s.objects import NAME, SYSTEM, Object, Pod, at
from k8s.places import Place

Found = Iterator[tuple[str, str]]
ANY = frozenset({"*"})  # a Secret whose keys nobody can tell before it exists


def references_exist(place: Place) -> Found:
    """Every reference of every pod."""
    secrets = secrets_of(place)
    for pod in place.all.pods():
        for sentence in _of_pod(place, pod, secrets):
            yield pod.owner.where, sentence


def _of_pod(place: Place, pod: Pod, secrets: Mapping[str, frozenset[str]]) -> Iterator[str]:
    account = pod.spec.get("serviceAccountName")
    if account and not place.all.named("ServiceAccount", account):
        yield f"runs as the ServiceAccount {account}, which does not exist. Add it, or correct the name."
    for name, key in secrets_used(pod):
        if name not in secrets:
            yield f"needs the Secret {name}, which nobody makes in {place.name}. {_how_to_make(place)}"
        elif key and key not in secrets[name] and secrets[name] != ANY:
            there = ", ".join(sorted(secrets[name])) or "none"
            yield f"needs the key {key} of the Secret {name}, which has {there}. Correct one of them."
    for name, key in maps_used(pod):
        if name not in place.config:
            yield f"needs the ConfigMap {name}, which does not exist in {place.name}. Add it to a configMapGenerator."
        elif key and key not in place.config[name]:
            yield f"needs the key {key} of the ConfigMap {name}, which has not got it. Correct one of them."
    yield from _volumes(place, pod)


def _volumes(place: Place, pod: Pod) -> Iterator[str]:
    there = {each["name"] for each in pod.spec.get("volumes") or []}
    there |= {at(each, "metadata", "name") for each in pod.owner.spec.get("volumeClaimTemplates") or []}
    for container in pod.containers():
        for mount in container.document.get("volumeMounts") or []:
            if mount["name"] not in there:
                yield (
                    f"{container.role} {container.name} mounts the volume {mount['name']}, which the pod does not have. "
                    "Add it."
                )
    for volume in pod.spec.get("volumes") or []:
        claim = at(volume, "persistentVolumeClaim", "claimName")
        if claim and not place.all.named("PersistentVolumeClaim", claim):
            yield f"mounts the PersistentVolumeClaim {claim}, which does not exist. Add it."


def _how_to_make(place: Place) -> str:
    if place.plan.makes_secrets:
        return "Add it to local/cluster.py, which makes the secrets there."
    return "Add an ExternalSecret to k8s/infra/production."


def secrets_used(pod: Pod) -> Iterator[tuple[str, str | None]]:
    """The Secrets that a pod cannot start without, and the key if one is named."""
    for each in pod.spec.get("imagePullSecrets") or []:
        yield each["name"], None
    yield from _in_environment(pod, "secretRef", "secretKeyRef")
    for volume in pod.spec.get("volumes") or []:
        sources = [*at(volume, "projected", "sources", default=[]), volume]
        for source in sources:
            secret = source.get("secret") or {}
            name = secret.get("secretName") or secret.get("name")
            if name and not secret.get("optional"):
                items = [item["key"] for item in secret.get("items") or []]
                yield from ((name, key) for key in items or [None])


def maps_used(pod: Pod, *, optional: bool = False) -> Iterator[tuple[str, str | None]]:
    """The same of ConfigMaps; with `optional`, those too without which a pod can do."""
    yield from _in_environment(pod, "configMapRef", "configMapKeyRef", optional=optional)
    for volume in pod.spec.get("volumes") or []:
        for source in [*at(volume, "projected", "sources", default=[]), volume]:
            found = source.get("configMap") or {}
            if found.get("name") and (optional or not found.get("optional")):
                items = [item["key"] for item in found.get("items") or []]
                yield from ((found["name"], key) for key in items or [None])


def _in_environment(pod: Pod, whole: str, single: str, *, optional: bool = False) -> Iterator[tuple[str, str | None]]:
    for container in pod.containers():
        for source in container.document.get("envFrom") or []:
            if (reference := source.get(whole)) and (optional or not reference.get("optional")):
                yield reference["name"], None
        for variable in container.document.get("env") or []:
            reference = at(variable, "valueFrom", single)
            if reference and (optional or not reference.get("optional")):
                yield reference["name"], reference["key"]


def secrets_of(place: Place) -> dict[str, frozenset[str]]:
    """Every Secret that exists in a place once all is applied, with its keys: written down, made by a job, or by an operator."""
    found = dict(place.secrets) if place.plan.makes_secrets else {}
    for each in place.all.objects:
        match each.kind:
            case "Secret":
                data = {**at(each.document, "data", default={}), **at(each.document, "stringData", default={})}
                found[each.name] = frozenset(data)
            case "ExternalSecret":
                name = at(each.spec, "target", "name") or each.name
                found[name] = _keys_of_external(each.spec)
            case "Certificate":
                found[each.spec["secretName"]] = frozenset({"tls.crt", "tls.key", "ca.crt"})
            case "Cluster":
                for suffix in ("ca", "server", "replication", "app"):
                    found[f"{each.name}-{suffix}"] = ANY
    return found


def _keys_of_external(spec: Mapping[str, Any]) -> frozenset[str]:
    template = at(spec, "target", "template", "data", default={})
    if template and at(spec, "target", "template", "mergePolicy") != "Merge":
        return frozenset(template)
    if spec.get("dataFrom"):
        return ANY
    return frozenset({*template, *(each["secretKey"] for each in spec.get("data") or [])})


def targets_exist(place: Place) -> Found:
    """What scales, routes and clusters point at is there."""
    secrets = secrets_of(place)
    for each in place.all.objects:
        match each.kind:
            case "HorizontalPodAutoscaler" | "ScaledObject":
                yield from _scaled(place, each)
            case "HTTPRoute":
                yield from _routed(place, each)
            case "Cluster":
                for name in _secrets_of_cluster(each):
                    if name not in secrets:
                        yield (
                            each.where,
                            f"needs the Secret {name}, which nobody makes in {place.name}. {_how_to_make(place)}",
                        )
            case "Pooler":
                cluster = at(each.spec, "cluster", "name")
                if not place.all.named("Cluster", cluster):
                    yield each.where, f"pools the Cluster {cluster}, which does not exist. Correct spec.cluster.name."


def _scaled(place: Place, found: Object) -> Found:
    reference = found.spec.get("scaleTargetRef") or {}
    kind, name = reference.get("kind", "Deployment"), reference.get("name", "")
    if not place.all.named(kind, name):
        yield found.where, f"scales {kind}/{name}, which does not exist. Correct spec.scaleTargetRef."
    lowest = int(found.spec.get("minReplicas") or found.spec.get("minReplicaCount") or 0)
    highest = int(found.spec.get("maxReplicas") or found.spec.get("maxReplicaCount") or 100)
    if lowest > highest:
        yield found.where, f"wants at least {lowest} and at most {highest}. Raise the higher."
    for trigger in found.spec.get("triggers") or []:
        name = at(trigger, "authenticationRef", "name")
        if name and not any(
            place.all.named(kind, name) for kind in ("TriggerAuthentication", "ClusterTriggerAuthentication")
        ):
            yield found.where, f"asks by the TriggerAuthentication {name}, which does not exist. Add it."


def _routed(place: Place, found: Object) -> Found:
    for parent in found.spec.get("parentRefs") or []:
        if "namespace" not in parent and not place.all.named(parent.get("kind", "Gateway"), parent["name"]):
            yield (
                found.where,
                f"belongs to the Gateway {parent['name']}, which does not exist. Correct spec.parentRefs.",
            )
    for rule in found.spec.get("rules") or []:
        for backend in rule.get("backendRefs") or []:
            service = place.all.named("Service", backend["name"])
            ports = [port["port"] for port in service.spec.get("ports") or []] if service else []
            if backend.get("port") not in ports:
                yield (
                    found.where,
                    (
                        f"sends to {backend['name']}:{backend.get('port')}, which is no Service's port. Correct backendRefs."
                    ),
                )


def _secrets_of_cluster(found: Object) -> Iterator[str]:
    for path in (("bootstrap", "initdb", "secret"), ("superuserSecret",)):
        if name := at(found.spec, *path, "name"):
            yield name
    for role in at(found.spec, "managed", "roles", default=[]):
        if name := at(role, "passwordSecret", "name"):
            yield name


def maps_are_named_by_readers(place: Place) -> Found:
    """A service's ConfigMap carries its name, the shared one `onsale`: what is applied by that label has all that its pods need."""
    if place.plan.environment != "production":
        return
    for pod in place.all.pods():
        if pod.kind != "service":
            continue
        reader = pod.labels.get(NAME, "")
        for name in sorted({name for name, _ in maps_used(pod, optional=True)}):
            found = place.all.named("ConfigMap", name)
            if found and (carried := found.labels.get(NAME, "(none)")) not in {reader, SYSTEM}:
                yield (
                    found.where,
                    (
                        f"is read by {pod.owner.where} and has the label {NAME}: {carried}. Set {reader}, or {SYSTEM} where all read it: "
                        "an apply by that label would leave it out."
                    ),
                )


def maps_are_used(place: Place) -> Found:
    """A ConfigMap that nobody reads is a setting that somebody believes in."""
    used = {name for pod in place.all.pods() for name, _ in maps_used(pod, optional=True)}
    used |= {at(each, "name") for found in place.all.of_kind("Cluster") for each in _maps_of_cluster(found)}
    for each in place.all.of_kind("ConfigMap"):
        if each.name not in used:
            yield each.where, "is used by no pod. Remove it, or refer to it."


def _maps_of_cluster(found: Object) -> list[Mapping[str, Any]]:
    references: list[Mapping[str, Any]] = []
    for key in ("customQueriesConfigMap",):
        references += at(found.spec, "monitoring", key, default=[])
    references += at(found.spec, "bootstrap", "initdb", "postInitApplicationSQLRefs", "configMapRefs", default=[])
    return references
