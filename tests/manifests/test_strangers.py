"""A policy that lets ours reach, or be reached by, what no contract names is found: strange addresses, namespaces and ports."""

import pytest

from k8s.objects import Document
from tests.manifests.made_up import documents, said_by

FOREIGN = {"matchLabels": {"kubernetes.io/metadata.name": "strangers"}}
PLANTED: dict[str, tuple[Document, str]] = {
    "all of IPv6": ({"egress": [{"to": [{"ipBlock": {"cidr": "::/0"}}]}]}, "Deployment/orders to IPv6, port 80"),
    "the cloud's metadata": (
        {"egress": [{"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}], "ports": [{"port": 80}]}]},
        "Deployment/orders to the cloud's metadata, port 80",
    ),
    "a private network": (
        {"egress": [{"to": [{"ipBlock": {"cidr": "192.168.0.0/16"}}], "ports": [{"port": 6379}]}]},
        "Deployment/orders to a private network, port 6379",
    ),
    "a strange namespace": ({"ingress": [{"from": [{"namespaceSelector": FOREIGN}]}]}, "names the namespace strangers"),
    "namespaces of a team": (
        {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}]},
        "names the namespace {'matchLabels': {'team': 'a'}}",
    ),
    "a range of ports from all": ({"ingress": [{"ports": [{"port": 2000, "endPort": 2999}]}]}, "Deployment/orders, port 2"),
    "one port more from all": ({"ingress": [{"ports": [{"port": 6379}]}]}, "to Deployment/orders, port 6379"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_a_way_to_strangers_is_found(planted: str) -> None:
    rules, said = PLANTED[planted]
    types = [each.capitalize() for each in rules]
    spec = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "orders", "onsale.dev/kind": "service"}}}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "added"}}
    added = policy | {"spec": {**spec, "policyTypes": types, **rules}}
    found = said_by("policies", [*documents(), added])
    assert any(said in each for each in found), found
