"""Building: every folder, every set of components, and the same objects in whatever order components are named."""

from pathlib import Path

import pytest

from k8s.objects import Build, Object, parse
from k8s.rendering import Rendering, differences

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, labels: {kind: service}}
spec:
  template:
    spec:
      containers: [{name: service, image: onsale/orders}]
"""
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
BY_LABEL = """patches:
  - target: {kind: Deployment, labelSelector: kind=service}
    patch: |-
      {apiVersion: apps/v1, kind: Deployment, metadata: {name: any}, spec: WHAT}
"""


def component(what: str) -> str:
    """A component that changes something of every service."""
    return COMPONENT + BY_LABEL.replace("WHAT", what)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small tree with two components that do not meet."""
    write(tmp_path, "k8s/base/kustomization.yaml", "resources: [deployment.yaml]\n")
    write(tmp_path, "k8s/base/deployment.yaml", DEPLOYMENT)
    write(tmp_path, "k8s/components/few/kustomization.yaml", component("{replicas: 2}"))
    write(tmp_path, "k8s/components/slow/kustomization.yaml", component("{minReadySeconds: 9}"))
    write(
        tmp_path,
        "k8s/overlays/local/kustomization.yaml",
        "resources: [../../base]\ncomponents: [../../components/few]\n",
    )
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    """Writes a file of a tree."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_every_folder_and_every_set_of_components_is_built(root: Path) -> None:
    with Rendering(root) as rendering:
        assert rendering.folders() == ["k8s/overlays/local"]
        (local,) = rendering.builds(rendering.folders())
        combined = rendering.combinations()
    assert local.problem is None
    assert local.objects[0].spec["replicas"] == 2
    assert [each.name for each in combined] == [
        "base with no component",
        "base with few",
        "base with slow",
        "base with few, slow",
    ]
    assert [
        (each.objects[0].spec.get("replicas"), each.objects[0].spec.get("minReadySeconds")) for each in combined
    ] == [
        (None, None),
        (2, None),
        (None, 9),
        (2, 9),
    ]


def test_a_component_that_does_not_build_says_why(root: Path) -> None:
    write(root, "k8s/components/slow/kustomization.yaml", COMPONENT + "resources: [gone.yaml]\n")
    with Rendering(root) as rendering:
        problems = {each.name: each.problem for each in rendering.combinations()}
    assert problems["base with few"] is None
    assert "does not build" in str(problems["base with slow"])
    assert "gone.yaml" in str(problems["base with few, slow"])


def test_components_that_meet_in_one_field_are_found(root: Path) -> None:
    with Rendering(root) as rendering:
        all_of_them, orders = rendering.combinations()[-1], rendering.orders()
        assert orders
        assert not any(list(differences(all_of_them, each)) for each in orders)
    write(root, "k8s/components/slow/kustomization.yaml", component("{replicas: 9}"))
    with Rendering(root) as rendering:
        found = [said for each in rendering.orders() for said in differences(rendering.combinations()[-1], each)]
    assert any(said.startswith("apps/Deployment/orders differs between") for said in found)


def test_an_object_that_only_one_order_has_is_found() -> None:
    one = Build("one", parse(DEPLOYMENT))
    assert list(differences(one, Build("other"))) == [
        "apps/Deployment/orders is in one of them only between “one” and “other”: components must change different fields, by label."
    ]


def test_the_order_of_things_with_names_does_not_matter() -> None:
    def with_volumes(*names: str) -> Build:
        volumes = [{"name": name, "emptyDir": {}} for name in names]
        return Build(
            "any",
            (Object.of({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"volumes": volumes}}),),
        )

    assert list(differences(with_volumes("a", "b"), with_volumes("b", "a"))) == []
    assert list(differences(with_volumes("a", "b"), with_volumes("a"))) != []


def test_yaml_is_read_as_kubernetes_does() -> None:
    (found,) = parse(
        "---\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  since: 2026-11-23\n  text: |\n    one\n    ---\n    two\n"
    )
    assert found.document["data"] == {"since": "2026-11-23", "text": "one\n---\ntwo\n"}
