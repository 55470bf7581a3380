"""The lists of services in files of kustomize, skaffold and Prometheus are what the topology says."""

import shutil
from pathlib import Path

import pytest

from k8s import lists
from local.topology import SERVICES


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of these files alone."""
    for path in lists.files():
        to = tmp_path / path.relative_to(lists.ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    return tmp_path


def test_the_committed_lists_are_what_the_topology_says() -> None:
    assert lists.stale_files() == []


def test_a_service_more_stands_in_every_list(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "SERVICES", SERVICES | {"onemore": (), "web": (*SERVICES["web"], "onemore")})
    found = lists.stale_files(copy)
    assert {each.split()[0] for each in found} == {
        "k8s/base/kustomization.yaml",
        "k8s/base/web/browse/kustomization.yaml",
        "k8s/components/transport/bus/kustomization.yaml",
        "k8s/infra/local/databases/kustomization.yaml",
        "k8s/infra/local/databases/onemore/kustomization.yaml",
        "k8s/infra/local/light/databases.yaml",
        "k8s/infra/production/secrets/nats-users.yaml",
        "k8s/infra/production/services/kustomization.yaml",
        "k8s/infra/production/services/onemore/kustomization.yaml",
        "k8s/monolith/deployment.yaml",
        "k8s/monolith/kustomization.yaml",
        "k8s/overlays/monolith/kustomization.yaml",
        "skaffold.yaml",
        "tracing/prometheus/rules.yaml",
    }
    assert lists.files(copy)[copy / "skaffold.yaml"].count("SERVICE: onemore}") == 2  # as it is, and as it is shipped
    assert "WEB_ONEMORE_URL=http://onemore:8000" in lists.files(copy)[copy / "k8s/base/web/browse/kustomization.yaml"]


def test_a_folder_of_a_service_that_is_gone_is_reported(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "SERVICES", {name: SERVICES[name] for name in SERVICES if name != "accounts"})
    assert (
        "k8s/infra/local/databases/accounts is of no service. Run `make documents`, which removes it."
        in lists.stale_files(copy)
    )


def test_a_list_that_has_no_place_is_reported(copy: Path) -> None:
    file = copy / "k8s/base/kustomization.yaml"
    file.write_text(file.read_text().replace("# end of list", "# end"))
    (sentence,) = lists.stale_files(copy)
    assert sentence.startswith("k8s/base/kustomization.yaml has no lines `# list: services`")
