"""What skaffold.yaml names is there; a name that is nobody's is found."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s import skaffold
from k8s.objects import Build
from local.topology import SERVICES
from tests.manifests.made_up import build, documents, put

DOCKERFILE = """FROM base AS dev
ARG SERVICE
ARG CODE=services/${SERVICE}
COPY chassis/ chassis/
COPY ${CODE}/ ${CODE}/
FROM dev AS service
"""


def config() -> dict[str, Any]:
    """A file with which nothing is wrong."""
    artifacts = [
        {
            "image": f"onsale/{name}",
            "docker": {"dockerfile": "Dockerfile", "target": "dev", "buildArgs": {"SERVICE": name}},
            "sync": {
                "manual": [
                    {"src": f"services/{name}/**/*.py", "dest": "/app"},
                    {"src": "chassis/**/*.py", "dest": "/app"},
                ]
            },
        }
        for name in SERVICES
    ]
    artifacts.append({"image": "onsale/bank", "docker": {"buildArgs": {"SERVICE": "bank", "CODE": "simulators"}}})
    strict = [
        {"op": "replace", "path": f"/build/artifacts/{at}/docker/target", "value": "service"}
        for at in range(len(SERVICES))
    ]
    return {
        "apiVersion": "skaffold/v4beta14",
        "kind": "Config",
        "metadata": {"name": "app"},
        "build": {"artifacts": artifacts},
        "test": [{"image": f"onsale/{name}", "custom": [{"command": f"make contracts SERVICE={name}"}]} for name in SERVICES],
        "manifests": {"kustomize": {"paths": ["k8s/overlays/local"]}},
        "portForward": [{"resourceType": "service", "resourceName": "web", "port": 8000}],
        "verify": [
            {
                "name": "buy",
                "container": {"name": "buy", "image": "onsale/bank", "args": ["a", "b"]},
                "executionMode": {"kubernetesCluster": {"jobManifestPath": "job.yaml"}},
            }
        ],
        "profiles": [{"name": "strict", "patches": strict}],
    }  # fmt: skip


FIRST = "build.artifacts.0"
PROFILE = "profiles.0.patches.0"
PLANTED: dict[str, tuple[str, Any, str]] = {
    "a field that does not exist": ("buidl", {}, "'buidl' was unexpected"),
    "a version without a schema": ("apiVersion", "skaffold/v3", "Use skaffold/v4beta14"),
    "a service that is not built": (FIRST, None, "does not build accounts"),
    "a service whose contracts are not checked": ("test.0", None, "does not check the contracts of accounts"),
    "contracts of another service": ("test.0.custom.0.command", "make contracts SERVICE=web", "checks web for the image"),
    "a test of no image": ("test.0.image", "onsale/nobody", "tests the image onsale/nobody"),
    "a Dockerfile that is not there": (f"{FIRST}.docker.dockerfile", "Dockerfiles", "by Dockerfiles, which is not there"),
    "one service built otherwise": (f"{FIRST}.docker.target", "service", "builds or syncs accounts in another way"),
    "one service not synced": (f"{FIRST}.sync", None, "builds or syncs accounts in another way"),
    "a stage that is not there": (f"{FIRST}.docker.target", "debug", "the stage debug"),
    "an argument that nobody reads": (f"{FIRST}.docker.buildArgs.COLOUR", "red", "tells the build of onsale/accounts COLOUR"),
    "an image of another service": (f"{FIRST}.docker.buildArgs.SERVICE", "web", "builds onsale/accounts from SERVICE=web"),
    "an image without a list": (f"{FIRST}.docker.buildArgs.SERVICE", "shop", "requirements/shop.txt is not there"),
    "a folder that is not there": (f"{FIRST}.docker.buildArgs.CODE", "services/a", "from the folder services/a"),
    "files that are not there": (f"{FIRST}.sync.manual.0.src", "services/accounts/**/*.js", "no file is called that"),
    "a place that the image has not got": (f"{FIRST}.sync.manual.0.dest", "/srv", "at /srv, where the image has no such code"),
    "another service's files": (f"{FIRST}.sync.manual.0.src", "services/web/**/*.py", "where the image has no such code"),
    "an overlay that is not there": ("manifests.kustomize.paths", ["k8s/overlays/none"], "deploys k8s/overlays/none"),
    "an image that nothing runs": (f"build.artifacts.{len(SERVICES)}.image", "onsale/shop", "builds onsale/shop, which nothing"),
    "an image that nobody makes": (f"build.artifacts.{len(SERVICES)}", None, "deploys the image onsale/bank"),
    "a port that nobody has": ("portForward.0.port", 80, "forwards service/web:80"),
    "a service that nobody has": ("portForward.0.resourceName", "shop", "forwards service/shop:8000"),
    "a module that is not there": ("requires", [{"configs": ["infra"]}], "requires the module infra"),
    "a job that is not there": ("verify.0.executionMode.kubernetesCluster.jobManifestPath", "no.yaml", "verifies by no.yaml"),
    "a verifier without the Job's arguments": ("verify.0.container.args", None, "where job.yaml has [['a', 'b']]"),
    "a verifier that nobody makes": ("verify.0.container.image", "onsale/x", "verifies with the image onsale/x"),
    "a patch of all but one": (PROFILE, None, "builds or syncs accounts in another way"),
    "a patch of nothing": (f"{PROFILE}.path", "/build/artifacts/99/docker", "a patch of a path that is not there"),
    "a profile that spoils": (f"{PROFILE}.value", "debug", "app -p strict: builds onsale/accounts up to the stage debug"),
}  # fmt: skip


def findings(folder: Path, *configs: dict[str, Any]) -> list[str]:
    """What is said about a file with these modules."""
    (folder / "skaffold.yaml").write_text(yaml.safe_dump_all(configs))
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "pyproject.toml").write_text("[project.optional-dependencies]\nshop = []\n")
    (folder / "job.yaml").write_text("kind: Job\nspec: {template: {spec: {containers: [{name: buy, args: [a, b]}]}}}")
    for path in ("chassis/a.py", "simulators/a.py", "k8s/overlays/local/kustomization.yaml"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    for name in SERVICES:
        (folder / "services" / name).mkdir(parents=True, exist_ok=True)
        (folder / "services" / name / "app.py").touch()

    def built(_path: str) -> Build:
        return build(documents())

    return [f"{where} {said}" for where, said in skaffold.all_findings(folder, built)]


def test_a_file_with_which_nothing_is_wrong_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, config()) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_wrong_with_the_file_is_found(tmp_path: Path, planted: str) -> None:
    path, value, said = PLANTED[planted]
    changed = config()
    put(changed, path, value)
    found = findings(tmp_path, changed)
    assert any(said in each for each in found), found


def test_a_profile_that_only_some_modules_have_is_found(tmp_path: Path) -> None:
    other = {"apiVersion": "skaffold/v4beta14", "kind": "Config", "metadata": {"name": "infra"}}
    assert any("has the profile strict in some modules only" in each for each in findings(tmp_path, config(), other))


def test_without_the_file_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert list(skaffold.all_findings(tmp_path, Build)) == []
