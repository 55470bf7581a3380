"""Files that somebody has to read are mounted there, and what a configuration takes from the environment is in it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from k8s.environment import mounted_maps
from k8s.objects import Container, Pod, at
from k8s.places import Place, repository_of, services_of, variables
from k8s.references import ANY, secrets_of

Found = Iterator[tuple[str, str]]
_FILE = "_FILE"
# `$ORDERS` as a value of NATS' configuration. `$JS.API` and `$G` are subjects and accounts of its own: in quotes.
_FROM_ENVIRONMENT = re.compile(r"(?<![\w\"'.])\$([A-Z][A-Z0-9_]*)\b(?!\.)")


def files_are_mounted(place: Place) -> Found:
    """A setting that names a file names one that a mounted Secret or ConfigMap really has."""
    secrets = secrets_of(place)
    for pod in place.all.pods():
        for container in pod.containers():
            found = variables(place, container)
            if not services_of(container, found):
                continue
            for name, path in found.items():
                if name.endswith(_FILE) and path and (wrong := _missing(place, pod, container, path, secrets)):
                    yield pod.owner.where, f"container {container.name}: {name} is {path}, {wrong}"


def _missing(
    place: Place, pod: Pod, container: Container, path: str, secrets: Mapping[str, frozenset[str]]
) -> str | None:
    mount = _mount_of(container, PurePosixPath(path))
    if mount is None:
        return "and nothing is mounted there. Mount the volume that has it, or correct the path."
    volume: Mapping[str, Any] = next(
        (each for each in pod.spec.get("volumes") or [] if each["name"] == mount["name"]), {}
    )
    files = _files_of(place, volume, secrets)
    inner = str(PurePosixPath(path).relative_to(mount["mountPath"]))
    wanted = mount.get("subPath", "") if inner == "." else inner
    if files == ANY or wanted in files:
        return None
    return f"and the volume {mount['name']} there has {', '.join(sorted(files)) or 'no files'}. Correct one of them."


def _mount_of(container: Container, path: PurePosixPath) -> Mapping[str, Any] | None:
    """The mount in which a path lies: the innermost."""
    around = [each for each in container.document.get("volumeMounts") or [] if path.is_relative_to(each["mountPath"])]
    return max(around, key=lambda each: len(each["mountPath"]), default=None)


def _files_of(place: Place, volume: Mapping[str, Any], secrets: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What a volume shows: keys of Secrets and ConfigMaps, by the paths that they are given."""
    found: set[str] = set()
    for source in [*at(volume, "projected", "sources", default=[]), volume]:
        for kind in ("secret", "configMap"):
            if shown := source.get(kind):
                name = shown.get("secretName") or shown.get("name", "")
                keys = secrets.get(name, frozenset()) if kind == "secret" else frozenset(place.config.get(name, {}))
                items = {item["path"] for item in shown.get("items") or [] if item["key"] in keys or keys == ANY}
                found |= items if shown.get("items") else keys
    return frozenset(found)


def passwords_are_there(place: Place) -> Found:
    """Every `$NAME` of NATS' mounted configuration is in the environment of the server that reads it."""
    secrets = secrets_of(place)
    for pod in place.all.pods():
        maps = [name for volume in pod.spec.get("volumes") or [] for name in mounted_maps(volume)]
        taken = {each for name in maps for text in place.config.get(name, {}).values() for each in _taken(text)}
        for container in pod.containers():
            if repository_of(container) == "nats":
                for name in sorted(taken - _environment(place, container, secrets)):
                    yield (
                        pod.owner.where,
                        (
                            f"container {container.name}: its configuration takes ${name} from the environment, which has not got it. "
                            "Add the key to the Secret, or the Secret to envFrom."
                        ),
                    )


def _taken(text: str) -> set[str]:
    said = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return set(_FROM_ENVIRONMENT.findall(said))


def _environment(place: Place, container: Container, secrets: Mapping[str, frozenset[str]]) -> set[str]:
    found = {each["name"] for each in container.document.get("env") or []}
    for source in container.document.get("envFrom") or []:
        prefix = source.get("prefix", "")
        if name := at(source, "configMapRef", "name"):
            found |= {prefix + key for key in place.config.get(name, {})}
        if name := at(source, "secretRef", "name"):
            keys = secrets.get(name, frozenset())
            found |= {prefix + key for key in (place.secrets.get(name, frozenset()) if keys == ANY else keys)}
    return found
