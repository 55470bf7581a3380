"""From a pod of the manifests to the words of `docker create`: what Kubernetes would do for it, done by a container engine."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from k8s.objects import Build, Container, Pod, at, matches
from k8s.workloads import quantity
from local.cluster_secrets import Documents

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


@dataclass(frozen=True)
class Cluster:
    """What pods refer to: ConfigMaps by name, Secrets by name, Services by name with the labels that they select."""

    maps: Mapping[str, Mapping[str, str]]
    secrets: Documents = field(repr=False)
    services: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, build: Build, secrets: Documents) -> "Cluster":
        """That of a built place."""
        maps = {each.name: at(each.document, "data", default={}) for each in build.of_kind("ConfigMap")}
        services = {each.name: at(each.spec, "selector", default={}) for each in build.of_kind("Service")}
        return cls(maps, secrets, services)

    def names_of(self, labels: Mapping[str, str]) -> list[str]:
        """The Services that lead to pods with these labels."""
        chosen = ((name, selector) for name, selector in self.services.items() if selector)
        return sorted(name for name, selector in chosen if matches({"matchLabels": selector}, labels))


def environment(cluster: Cluster, pod: Pod, container: Container, pod_name: str) -> dict[str, str]:
    """What a container finds in its environment, in Kubernetes' order: `envFrom`, then `env` with its references replaced.

    Raises KeyError for a ConfigMap, a Secret or a key that is not there and not optional, as a pod would wait for it.
    """
    found: dict[str, str] = {}
    for source in container.document.get("envFrom") or []:
        found |= _all_of(cluster, source)
    for each in container.document.get("env") or []:
        if "valueFrom" not in each:
            found[each["name"]] = _REFERENCE.sub(lambda match: _replaced(match, found), str(each.get("value", "")))
        elif (value := _value(cluster, pod, each["valueFrom"], pod_name)) is not None:
            found[each["name"]] = value
    return found


def _all_of(cluster: Cluster, source: Mapping[str, Any]) -> dict[str, str]:
    name = at(source, "configMapRef", "name")
    data = cluster.maps[name] if name else cluster.secrets[source["secretRef"]["name"]].data
    return {source.get("prefix", "") + key: str(value) for key, value in data.items()}


def _value(cluster: Cluster, pod: Pod, source: Mapping[str, Any], pod_name: str) -> str | None:
    if path := at(source, "fieldRef", "fieldPath"):
        facts = {"metadata.name": pod_name, "metadata.namespace": "onsale", "spec.nodeName": "containers"}
        return facts[path]
    if wanted := source.get("secretKeyRef"):
        data = cluster.secrets[wanted["name"]].data if wanted["name"] in cluster.secrets else {}
    else:
        wanted = source["configMapKeyRef"]
        data = dict(cluster.maps.get(wanted["name"], {}))
    if wanted["key"] not in data and wanted.get("optional"):
        return None
    return str(data[wanted["key"]])


def _replaced(match: re.Match[str], known: Mapping[str, str]) -> str:
    """`$(NAME)` is what stands before under that name; unknown, it stays as it is written. `$$` is a `$`."""
    return "$" if match[0] == "$$" else known.get(match[1], match[0])


@dataclass(frozen=True)
class Mount:
    """A folder of this machine in a container."""

    source: Path
    target: str
    read_only: bool

    @property
    def words(self) -> list[str]:
        """For the engine."""
        return ["--volume", f"{self.source}:{self.target}:{'ro' if self.read_only else 'rw'}"]


def mounts(cluster: Cluster, pod: Pod, container: Container, folder: Path) -> list[Mount]:
    """Writes what the pod's volumes hold into `folder`, and says where the container finds them."""
    group = at(pod.spec, "securityContext", "fsGroup")
    volumes = {each["name"]: each for each in pod.spec.get("volumes") or []}
    claims = {each["metadata"]["name"] for each in pod.owner.spec.get("volumeClaimTemplates") or []}
    found = []
    for each in container.document.get("volumeMounts") or []:
        place = folder / each["name"]
        if not place.exists():
            place.mkdir()
            volume = volumes.get(each["name"], {"emptyDir": {}} if each["name"] in claims else {})
            _fill(cluster, volume, place, group)
        source = place / each["subPath"] if "subPath" in each else place
        found.append(Mount(source, each["mountPath"], bool(each.get("readOnly"))))
    return found


def _fill(cluster: Cluster, volume: Mapping[str, Any], place: Path, group: int | None) -> None:
    if "emptyDir" in volume:
        place.chmod(0o777)
        return
    for file, text, mode in _files(cluster, volume):
        path = place / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if os.geteuid() == 0:
            os.chown(path, 0, group if group is not None else 0)
            path.chmod(mode)
        else:
            path.chmod(0o444)  # an ordinary user cannot give files to the group of a pod


def _files(cluster: Cluster, volume: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Name, content and mode of each file of a ConfigMap's, a Secret's or a projected volume."""
    if projected := volume.get("projected"):
        for source in projected["sources"]:
            yield from ((name, text, projected.get("defaultMode", 0o644)) for name, text, _ in _files(cluster, source))
        return
    if reference := volume.get("secret"):
        data = cluster.secrets[reference.get("secretName") or reference["name"]].data
    elif reference := volume.get("configMap"):
        data = cluster.maps[reference["name"]]
    else:
        raise ValueError(f"Volumes like {json.dumps(volume)} are not translated yet.")
    wanted = {each["key"]: each["path"] for each in reference.get("items") or []} or {key: key for key in data}
    for key, name in wanted.items():
        yield name, data[key], reference.get("defaultMode", 0o644)


def confinement(pod: Pod, container: Container) -> list[str]:
    """User, capabilities, read-only root and limits, as the manifest says them."""
    whole, own = pod.spec.get("securityContext") or {}, container.document.get("securityContext") or {}
    words = [
        "--user",
        f"{own.get('runAsUser', whole.get('runAsUser'))}:{own.get('runAsGroup', whole.get('runAsGroup'))}",
    ]
    if "fsGroup" in whole:
        words += ["--group-add", str(whole["fsGroup"])]
    if own.get("readOnlyRootFilesystem"):
        words.append("--read-only")
    if own.get("allowPrivilegeEscalation") is False:
        words += ["--security-opt", "no-new-privileges"]
    words += [word for each in at(own, "capabilities", "drop", default=[]) for word in ("--cap-drop", each)]
    limits = at(container.document, "resources", "limits", default={})
    if "memory" in limits:
        memory = str(int(quantity(limits["memory"])))
        words += ["--memory", memory, "--memory-swap", memory]
    if "cpu" in limits:
        words += ["--cpus", f"{min(quantity(limits['cpu']), os.cpu_count() or 1):g}"]
    return words


def readiness(container: Container) -> list[str] | None:
    """A command that succeeds in the container when its readiness probe would; None if it has none."""
    probe = container.document.get("readinessProbe") or {}
    if command := at(probe, "exec", "command"):
        return [str(word) for word in command]
    if asked := probe.get("httpGet"):
        named = {str(each.get("name")): each["containerPort"] for each in container.ports}
        return http_probe(int(named.get(asked["port"], asked["port"])), str(asked.get("path", "/")))
    return None


def http_probe(port: int, path: str) -> list[str]:
    """A command that succeeds when something answers there with success."""
    script = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}{path}', timeout=4)"
    return ["python", "-c", script]
