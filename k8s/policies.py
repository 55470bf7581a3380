"""`python -m k8s.policies`: writes the NetworkPolicies from the contracts and the table beneath them (k8s/edges.py).

Nothing may speak to anything, but what is written here; one policy for each party, both ways. What is the same everywhere, and
what only one kind of place has, are files of their own.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from k8s.edges import DNS, EVERYBODY, PRIVATE, SCOPES, Edge, Party, Scope, of_scope
from k8s.objects import NAME, PART_OF, SYSTEM, Document

FOLDER = Path(__file__).parent / "components/network-policies"
COMMAND = "`make documents`"
HEAD = (
    f"# Written by {COMMAND} from the contracts and k8s/edges.py: whoever changes those, changes this. Not by hand.\n"
)
METADATA_NAME = "kubernetes.io/metadata.name"


def files(folder: Path = FOLDER) -> dict[Path, str]:
    """Every file by its path, as the contracts say it now."""
    return {folder / _file_of(scope): HEAD + _text(policies(scope)) for scope in SCOPES}


def _file_of(scope: Scope) -> str:
    return "generated.yaml" if scope == "everywhere" else f"{scope}/generated.yaml"


def stale_files(folder: Path = FOLDER) -> list[str]:
    """A sentence for each file that is not what the contracts say."""
    return [
        f"{path.relative_to(folder.parents[2])} is not what the contracts say. Run {COMMAND}."
        for path, text in files(folder).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def policies(scope: Scope) -> list[Document]:
    """The policies of a scope, by name."""
    found = of_scope(scope)
    parties = sorted({party for edge in found for party in (edge.source, edge.target) if party.is_ours})
    suffix = "" if scope == "everywhere" else f"-{scope}"
    general = [_deny_all(), _dns([edge for edge in found if edge.target == DNS])] if scope == "everywhere" else []
    return [*general, *(_policy(party, found, suffix) for party in parties if party != EVERYBODY)]


def _deny_all() -> Document:
    return _document("deny-all", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def _dns(found: Iterable[Edge]) -> Document:
    ports = [{"port": edge.port, "protocol": edge.protocol} for edge in sorted(found)]
    egress = [{"to": [_peer(DNS)], "ports": ports}]
    return _document("names", {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress})


def _policy(party: Party, found: list[Edge], suffix: str) -> Document:
    spec: Document = {"podSelector": {"matchLabels": dict(party.pods)}, "policyTypes": ["Ingress", "Egress"]}
    heard = [edge for edge in found if edge.target == party]
    asked = [edge for edge in found if edge.source == party]
    if heard:
        spec["ingress"] = _rules("from", ((edge.source, edge) for edge in heard))
    if asked:
        spec["egress"] = _rules("to", ((edge.target, edge) for edge in asked))
    return _document(f"{party.name}{suffix}", spec, party)


def _rules(way: str, pairs: Iterable[tuple[Party, Edge]]) -> list[Document]:
    """One rule for each port, with all who may use it. A rule without peers allows every peer, and stands alone."""
    by_port: dict[tuple[int, str, bool], list[Party]] = {}
    for other, edge in pairs:
        by_port.setdefault((edge.port, edge.protocol, other.world == "anywhere"), []).append(other)
    made = []
    for (port, protocol, anywhere), others in sorted(by_port.items()):
        rule: Document = {} if anywhere else {way: [_peer(other) for other in sorted(others)]}
        made.append(rule | {"ports": [{"port": port, "protocol": protocol}]})
    return made


def _peer(party: Party) -> Document:
    if party.world == "internet":
        return {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(PRIVATE)}}
    pods: Document = {"podSelector": {"matchLabels": dict(party.pods)}} if party.pods else {}
    if party.namespace is None:
        return pods
    return {"namespaceSelector": {"matchLabels": {METADATA_NAME: party.namespace}}} | pods


def _document(name: str, spec: Document, party: Party | None = None) -> Document:
    labels = {PART_OF: SYSTEM} | {key: value for key, value in (party.pods if party else ()) if key == NAME}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


class _Plain(yaml.SafeDumper):
    """Without anchors: the same labels may stand in many places."""

    def ignore_aliases(self, data: Any) -> bool:  # the signature is PyYAML's
        return True


def _text(documents: list[Document]) -> str:
    return yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=120)


def main() -> None:
    """Writes the files."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
