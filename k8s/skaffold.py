"""skaffold.yaml: valid, and all that it names is there: images, folders, stages of the Dockerfile, Services and their ports."""

import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator

from k8s.objects import Build, Document, at
from k8s.validation import explained
from k8s.workloads import image_parts
from local.topology import SERVICES

Found = Iterator[tuple[str, str]]
Building = Callable[[str], Build]
SCHEMAS = Path(__file__).parent / "schemas/skaffold"
FILE = "skaffold.yaml"
OURS = "onsale/"
_COPIED = re.compile(r"^COPY (?!--from)(\S+?)/? ", re.MULTILINE)
_STAGE = re.compile(r"^FROM \S+ AS (\S+)", re.MULTILINE)
_ARGUMENT = re.compile(r"^ARG (\w+)", re.MULTILINE)
_APP = "/app"


@dataclass(frozen=True)
class Skaffold:
    """The file, and how folders that it deploys are built."""

    root: Path
    building: Building

    @cached_property
    def configs(self) -> list[Document]:
        """Its modules."""
        return [each for each in yaml.safe_load_all((self.root / FILE).read_text(encoding="utf-8")) if each]

    @cached_property
    def dockerfile(self) -> str:
        """The Dockerfile that all artifacts share."""
        path = self.root / "Dockerfile"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @cached_property
    def extras(self) -> frozenset[str]:
        """The services that need more than all images share, and so have a locked list of their own."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        return frozenset(at(project, "project", "optional-dependencies", default={}))

    def modules(self) -> Iterator[tuple[str, Document]]:
        """Every module as it is, and as each of its profiles makes it."""
        for config in self.configs:
            name = at(config, "metadata", "name", default="?")
            yield name, config
            for profile in config.get("profiles") or []:
                yield f"{name} -p {profile['name']}", patched(config, profile)

    def builds(self, config: Document) -> list[Build]:
        """What a module deploys."""
        return [self.building(path) for path in at(config, "manifests", "kustomize", "paths", default=[])]


def patched(config: Document, profile: Document) -> Document:
    """A module with a profile: its parts take the place of the module's, then its patches. A path that is not there raises KeyError."""
    made = copy.deepcopy(config)
    for part in profile.keys() - {"name", "activation", "patches", "requiresAllActivations"}:
        made[part] = profile[part]
    for patch in profile.get("patches") or []:
        *way, last = patch["path"].strip("/").split("/")
        inner: Any = made
        for step in way:
            inner = inner[int(step)] if isinstance(inner, list) else inner[step]
        key: Any = int(last) if isinstance(inner, list) else last
        if patch["op"] != "add":
            inner[key]  # what is replaced or removed has to be there
        if patch["op"] == "remove":
            del inner[key]
        else:
            inner[key] = patch["value"]
    return made


def all_findings(root: Path, building: Building) -> Found:
    """Everything that is wrong with the file; nothing if there is none."""
    if not (root / FILE).exists():
        return
    file = Skaffold(root, building)
    for config in file.configs:
        yield from ((FILE, each) for each in schema(config))
    yield from ((FILE, each) for each in _whole(file))
    try:
        modules = list(file.modules())
    except (KeyError, IndexError) as error:
        yield FILE, f"has a profile with a patch of a path that is not there: {error}. Correct the path."
        return
    for name, config in modules:
        for sentence in (*_artifacts(file, config), *_alike(config), *_deployed(file, config)):
            yield f"{FILE}, {name}:", sentence


def schema(config: Document, schemas: Path = SCHEMAS) -> Iterator[str]:
    """What the schema of its version refuses."""
    version = str(config.get("apiVersion", "")).removeprefix("skaffold/")
    path = schemas / f"config_{version}.json"
    if not path.is_file():
        known = ", ".join(sorted(each.stem.removeprefix("config_") for each in schemas.glob("config_*.json")))
        yield f"is written for skaffold/{version}, of which there is no schema here. Use skaffold/{known}."
        return
    for error in map(explained, Draft7Validator(json.loads(path.read_text(encoding="utf-8"))).iter_errors(config)):
        yield f"{error.json_path.removeprefix('$.')}: {error.message[:160]}. Correct it: skaffold would refuse it."


def _whole(file: Skaffold) -> Iterator[str]:
    names = {at(config, "metadata", "name") for config in file.configs}
    images = {each["image"] for config in file.configs for each in _artifacts_of(config)}
    tests = [test for config in file.configs for test in config.get("test") or []]
    for config in file.configs:
        for name in sorted({each for required in config.get("requires") or [] for each in required["configs"]} - names):
            yield f"requires the module {name}, which is not there. Correct it."
        for each in config.get("verify") or []:
            yield from _verified(file, each, images)
    for test in tests:
        yield from _tested(test, images)
    profiles = [{each["name"] for each in config.get("profiles") or []} for config in file.configs]
    for profile in sorted(set.union(*profiles) - set.intersection(*profiles)):
        yield f"has the profile {profile} in some modules only: `skaffold dev -p {profile}` would refuse the others. Add it to all."
    for service in SERVICES:
        if f"{OURS}{service}" not in images:
            yield f"does not build {service}. Add an artifact like that of orders."
        if f"{OURS}{service}" not in {test["image"] for test in tests}:
            yield f"does not check the contracts of {service}. Add a test like that of orders."


def _verified(file: Skaffold, verify: Document, images: set[str]) -> Iterator[str]:
    path = at(verify, "executionMode", "kubernetesCluster", "jobManifestPath")
    if path and not (file.root / path).is_file():
        yield f"verifies by {path}, which is not there. Add it."
    elif path:
        # skaffold keeps the Job's environment and volumes, and puts its own arguments, or none, in the place of the Job's.
        job = yaml.safe_load((file.root / path).read_text(encoding="utf-8"))
        said = [each.get("args") for each in at(job, "spec", "template", "spec", "containers", default=[])]
        if (arguments := at(verify, "container", "args", default=None)) not in said:
            yield f"verifies with the arguments {arguments}, where {path} has {said}. Say the same: skaffold does not take the Job's."
    if (image := str(at(verify, "container", "image"))) not in images:
        yield f"verifies with the image {image}, which no artifact makes. Correct it."


def _tested(test: Document, images: set[str]) -> Iterator[str]:
    if test["image"] not in images:
        yield f"tests the image {test['image']}, which no artifact makes. Correct it."
    for custom in test.get("custom") or []:
        named = re.findall(r"SERVICE=(\w+)", custom["command"])
        if named != [test["image"].removeprefix(OURS)]:
            yield f"checks {' '.join(named) or 'no service'} for the image {test['image']}. Name that service."


def _artifacts_of(config: Document) -> list[Document]:
    return at(config, "build", "artifacts", default=[])  # type: ignore[no-any-return]


def _artifacts(file: Skaffold, config: Document) -> Iterator[str]:
    for artifact in _artifacts_of(config):
        docker = artifact.get("docker") or {}
        arguments = docker.get("buildArgs") or {}
        service = arguments.get("SERVICE", "")
        name = artifact["image"]
        if not (file.root / docker.get("dockerfile", "Dockerfile")).is_file():
            yield f"builds {name} by {docker.get('dockerfile', 'Dockerfile')}, which is not there. Correct it."
            continue
        if docker.get("target") not in {None, *_STAGE.findall(file.dockerfile)}:
            yield f"builds {name} up to the stage {docker['target']}, which the Dockerfile has not got. Correct target."
        for each in sorted(arguments.keys() - set(_ARGUMENT.findall(file.dockerfile))):
            yield f"tells the build of {name} {each}, which the Dockerfile does not read. Correct buildArgs."
        if name != f"{OURS}{service}":
            yield f"builds {name} from SERVICE={service or '(nothing)'}. Make them agree."
        if service in file.extras and not (file.root / f"requirements/{service}.txt").is_file():
            yield f"builds {name}, and requirements/{service}.txt is not there. Run `make lock`."
        code = arguments.get("CODE", f"services/{service}")
        if not (file.root / code).is_dir():
            yield f"builds {name} from the folder {code}, which is not there. Correct CODE."
        for rule in at(artifact, "sync", "manual", default=[]):
            yield from _synced(file, name, code, rule)


def _alike(config: Document) -> Iterator[str]:
    """Services are built and synced in one way: a profile that patches all but one is a slip of an index."""
    found: dict[str, list[str]] = {}
    for artifact in _artifacts_of(config):
        if (service := artifact["image"].removeprefix(OURS)) in SERVICES:
            rules = at(artifact, "sync", "manual", default=[])
            way = [
                artifact.get("docker", {}).get("target"),
                [[each["src"].replace(service, "*"), each.get("dest")] for each in rules],
            ]
            found.setdefault(json.dumps(way), []).append(service)
    if len(found) > 1:
        fewest = min(found.values(), key=len)
        yield f"builds or syncs {', '.join(fewest)} in another way than the other services. Treat all alike (target, sync)."


def _synced(file: Skaffold, name: str, code: str, rule: Document) -> Iterator[str]:
    """A file is put below `dest` by its path in the checkout; so that is where the image has to have it."""
    source = rule["src"]
    if not any(file.root.glob(source)):
        yield f"syncs {source} into {name}, and no file is called that. Correct src."
    copied = {each.replace("${CODE}", code) for each in _COPIED.findall(file.dockerfile)}
    folder = source.partition("*")[0].rstrip("/")
    if (
        rule.get("dest") != _APP
        or rule.get("strip")
        or not any(folder == each or folder.startswith(f"{each}/") for each in copied)
    ):
        yield f"syncs {source} into {name} at {rule.get('dest')}, where the image has no such code. Its code is below {_APP}."


def _deployed(file: Skaffold, config: Document) -> Iterator[str]:
    for path in at(config, "manifests", "kustomize", "paths", default=[]):
        if not (file.root / path / "kustomization.yaml").is_file():
            yield f"deploys {path}, which is not there. Correct manifests.kustomize.paths."
            return
    builds = file.builds(config)
    used = {image_parts(each.image)[0] for build in builds for pod in build.pods() for each in pod.containers()}
    made = {each["image"] for each in _artifacts_of(config)}
    verifying = {at(each, "container", "image") for each in config.get("verify") or []}
    for image in sorted(each for each in used - made if each.startswith(OURS)):
        yield f"deploys the image {image}, which no artifact of this module makes. Add one."
    for image in sorted(made - used - verifying):
        yield f"builds {image}, which nothing in its manifests runs. Remove the artifact."
    for each in config.get("portForward") or []:
        yield from _forwarded(builds, each)


def _forwarded(builds: list[Build], forward: Document) -> Iterator[str]:
    name, port = forward["resourceName"], forward["port"]
    services = [found for build in builds if (found := build.named("Service", name))]
    if forward["resourceType"].lower() != "service" or not any(
        port == each["port"] for service in services for each in service.spec.get("ports") or []
    ):
        yield f"forwards {forward['resourceType']}/{name}:{port}, which its manifests have not got. Correct portForward."
