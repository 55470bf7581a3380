"""What the production guide tells people to apply would be taken by a cluster, and work behind the policies."""

import re
from collections.abc import Iterator

import pytest

from k8s import edges, policies, reach
from k8s.objects import Build, Document, Object, at, load, parse
from k8s.rendering import ROOT
from k8s.validation import valid

GUIDE = (ROOT / "docs/guides/production.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "k8s/infra/production/services/template/cluster.yaml"
AUTOSCALING = ROOT / "k8s/components/autoscaling"
DRILL = "Cluster/orders-drill"
# Whom a database that is restored must reach, and who must reach it.
NEEDED = [
    (DRILL, "kubernetes", 443),
    (DRILL, "kubernetes", 6443),
    (DRILL, "internet", 443),
    (DRILL, "dns", 53),
    ("postgres-operator", DRILL, 8000),
    ("postgres-operator", DRILL, 5432),
]


def applied() -> Iterator[Document]:
    """What the guide hands to `kubectl apply -f -`."""
    for text in re.findall(r"<<'YAML'\n(.*?)\nYAML\n", GUIDE, re.DOTALL):
        yield load(text)


def drill() -> Object:
    """The Cluster of the restore drill."""
    return next(each for each in map(Object.of, applied()) if each.where == DRILL)


def passes(cluster: Object, source: str, target: str, port: int) -> bool:
    """Whether production's policies let a connection from or to a Cluster's pods through."""
    points = {each.name: each for each in [*reach.inside(Build("the guide", (cluster,))), *reach.outside()]}
    scopes: tuple[edges.Scope, ...] = ("everywhere", "production")
    found = [Object.of(each) for scope in scopes for each in policies.policies(scope)]
    return reach.allows(found, points[source], points[target], port, "TCP")


def maxima() -> dict[str, int]:
    """Where each autoscaler stops, by the Deployment that it scales."""
    files = sorted(AUTOSCALING.glob("by-*.yaml"))
    found = [each.spec for file in files for each in parse(file.read_text(encoding="utf-8"))]
    return {
        each["scaleTargetRef"]["name"]: each.get("maxReplicas") or each["maxReplicaCount"]
        for each in found
        if "scaleTargetRef" in each
    }


def test_what_the_guide_applies_has_the_fields_of_its_kind() -> None:
    found = [Object.of(each) for each in applied()]
    assert [each.where for each in found] == [DRILL]
    assert [said for each in found for said in valid(each)] == []


@pytest.mark.parametrize(("source", "target", "port"), NEEDED)
def test_policies_let_the_restored_database_work(source: str, target: str, port: int) -> None:
    assert passes(drill(), source, target, port)


def test_without_its_labels_policies_would_stop_it() -> None:
    bare = drill().document | {"spec": {**drill().spec, "inheritedMetadata": {"labels": {}}}}
    found = [passes(Object.of(bare), *each) for each in NEEDED]
    assert found == [target == "dns" for _, target, _ in NEEDED]


def test_the_restored_database_is_as_the_running_one_where_it_has_to_be() -> None:
    running = parse(TEMPLATE.read_text(encoding="utf-8"))[0]
    for path in (("imageName",), ("postgresql", "parameters", "max_connections")):
        assert at(drill().spec, *path) == at(running.spec, *path)
    assert running.spec["inheritedMetadata"]["labels"].keys() == drill().spec["inheritedMetadata"]["labels"].keys()
    # Both, and the same memory: what a LimitRange gives to those who ask for nothing is too little to restore.
    resources = drill().spec["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]


def test_the_sizes_of_the_guide_are_within_what_the_autoscalers_allow() -> None:
    rows = re.findall(r"^\| ([a-z-]+) \| ([^|]+) \| (\d+) \|", GUIDE, re.MULTILINE)
    assert {name: int(most) for name, _, most in rows} == maxima()
    needed = {name: int(pods.split()[0]) for name, pods, _ in rows if pods[0].isdigit()}
    assert needed
    assert [name for name, pods in needed.items() if pods > maxima()[name]] == []
