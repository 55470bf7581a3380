"""What the policies of a place really allow, found by evaluating them as a cluster would, and held against what is needed.

It knows nothing of how they were made: it reads the rendered NetworkPolicies and the labels of the rendered pods.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from k8s import edges
from k8s.environment import mounted_maps
from k8s.objects import Build, Document, Object, Pod, at, matches
from k8s.places import Place, variables
from k8s.ports import FOR_BROWSERS, given_to_scalers, mentions

Found = Iterator[tuple[str, str]]
HERE = "onsale"
METADATA_NAME = "kubernetes.io/metadata.name"
# A port on which nobody listens: who may reach it may reach all of them.
ANY_PORT = 9999
SHOWN = 3
# What pods in a cluster, its API and the rest of the world have, as far as policies can tell.
POD_ADDRESS, API_ADDRESS, WORLD_ADDRESS = "10.1.2.3", "10.96.0.1", "203.0.113.10"
# Where nobody of ours has to go: what a cloud tells its machines, an office, and the world by its other protocol.
STRANGE_ADDRESSES = {
    "the cloud's metadata": "169.254.169.254",
    "a private network": "192.168.0.1",
    "IPv6": "2001:db8::1",
}
API_PORTS = frozenset({443, 6443, 8443})
WORLD_PORTS = frozenset({22, 25, 80, 443, 465, 587, 5432})
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # where it listens itself
DEFAULT_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "nats": 4222}
# Given to every service, needed by those that people's tokens reach: contracts/openapi says which.
GIVEN_TO_ALL = re.compile(r"[A-Z]+_PERSON_KEYS_URL")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+]*://[^\s\"'<>,]+")


@dataclass(frozen=True)
class Endpoint:
    """Something that connects or is connected to: pods of one owner here or elsewhere, or an address outside."""

    name: str
    labels: Mapping[str, str] = field(compare=False, default_factory=dict)
    ports: Mapping[str, int] = field(compare=False, default_factory=dict)
    namespace: str | None = HERE
    address: str = POD_ADDRESS

    @property
    def is_ours(self) -> bool:
        """Whether policies of our namespace are about it."""
        return self.namespace == HERE


@dataclass(frozen=True, order=True)
class Way:
    """A connection that is possible, or needed."""

    source: str
    target: str
    port: int
    protocol: str = "TCP"

    def __str__(self) -> str:
        return f"{self.source} to {self.target}, port {self.port if self.port != ANY_PORT else 'any'}"


def policies_fit(place: Place) -> Found:
    """Every connection that a contract or the infrastructure needs is allowed, and no other."""
    policies = list(place.all.of_kind("NetworkPolicy"))
    if not policies:
        if place.plan.environment == "production":
            yield "NetworkPolicy", "is missing. Let the overlay have k8s/components/network-policies."
        return
    points = [*inside(place.all), *outside()]
    needed = dict(demanded(place, points))
    component = f"k8s/components/network-policies/{scope_of(place)}"
    named = {point.name: point for point in points}
    for way in sorted(needed):
        if not allows(policies, named[way.source], named[way.target], way.port, way.protocol):
            what_to_do = f"Run `make documents`, correct the labels, or let the overlay have {component}."
            yield "NetworkPolicy", f"keeps {way} from each other, which {needed[way]} needs. {what_to_do}"
    for each in policies:
        for namespace in sorted(_strange_namespaces(each, points)):
            yield (
                each.where,
                f"names the namespace {namespace}: nobody of k8s/edges.py is there. Remove it, or say there who is.",
            )
    for where, ways in too_much(policies, points, {way for way, _ in meant(place, points)}).items():
        more = f" and {len(ways) - SHOWN} more" if len(ways) > SHOWN else ""
        listed = "; ".join(str(way) for way in ways[:SHOWN]) + more
        yield where, f"{listed}: nobody needs that. Remove it, or say in k8s/edges.py who does."
    for party in missing(place, points):
        yield (
            f"Party/{party}",
            f"of k8s/edges.py has no pods in {place.name}. Correct its labels there, or those of the pods.",
        )


def settings_can_be_followed(place: Place) -> Found:
    """Every address that somebody is given can really be reached from there: what settings say and policies allow agree.

    Pods are given addresses by their environment, arguments and mounted files; the gateway and the scaler, in other namespaces, by objects.
    """
    policies = list(place.all.of_kind("NetworkPolicy"))
    if not policies:
        return
    points = {point.name: point for point in [*inside(place.all), *outside()]}
    here = [point for point in points.values() if point.is_ours]
    for where, source, what, host, port in given(place):
        for target in [points["internet"]] if "." in host else behind(place.all, host, here):
            if not allows(policies, points[source], target, port, "TCP"):
                yield (
                    where,
                    (
                        f"is given {what}{host}:{port}, but no policy lets {source} reach {target.name} there. "
                        "Add the edge to its contract or to k8s/edges.py, or remove the address."
                    ),
                )


def given(place: Place) -> Iterator[tuple[str, str, str, str, int]]:
    """Who is given which address: the object that says it, who is to go there, by what, and host and port."""
    for pod in place.all.pods():
        for what, host, port in _given_to_pod(place, pod):
            yield pod.owner.where, pod.owner.where, what, host, port
    for each in place.all.of_kind("ScaledObject"):
        for key, value in given_to_scalers(each):
            yield from ((each.where, "keda", f"{key}=", host, port) for host, port in mentions(value))
    for each in place.all.of_kind("HTTPRoute"):
        for rule in each.spec.get("rules") or []:
            for backend in rule.get("backendRefs") or []:
                yield each.where, "gateway", "", backend["name"], backend.get("port", 0)


def _given_to_pod(place: Place, pod: Pod) -> Iterator[tuple[str, str, int]]:
    for container in pod.containers():
        found = variables(place, container)
        for name, value in found.items():
            if not FOR_BROWSERS.fullmatch(name) and not GIVEN_TO_ALL.fullmatch(name):
                yield from ((f"{name}=", host, port) for host, port in _addresses(value))
            other = name.removesuffix("_HOST") + "_PORT"
            if name.endswith("_HOST") and other in found and value != EVERY_ADDRESS:
                yield f"{name}=", value, int(found[other])
        for argument in container.document.get("args") or []:
            yield from (("", host, port) for host, port in mentions(str(argument)))
    for volume in pod.spec.get("volumes") or []:
        for name in mounted_maps(volume):
            for text in place.config.get(name, {}).values():
                yield from ((f"(in {name}) ", host, port) for host, port in mentions(text))


def _addresses(value: str) -> Iterator[tuple[str, int]]:
    for address in _ADDRESS.findall(value):
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        if parts.hostname and port:
            yield parts.hostname.removesuffix(".svc.cluster.local").removesuffix(".svc").removesuffix(f".{HERE}"), port


def inside(build: Build) -> Iterator[Endpoint]:
    """The pods of our namespace; those too that operators make."""
    for pod in build.pods():
        yield Endpoint(pod.owner.where, pod.labels, pod.ports())
    for each in build.of_kind("Cluster"):
        labels = {**_inherited(each), "cnpg.io/cluster": each.name, "cnpg.io/podRole": "instance"}
        for name, role in ((each.where, "primary"), (f"{each.where}'s replicas", "replica")):
            yield Endpoint(
                name, labels | {"cnpg.io/instanceRole": role}, {"postgresql": 5432, "status": 8000, "metrics": 9187}
            )
    for each in build.of_kind("Pooler"):
        labels = {**at(each.spec, "template", "metadata", "labels", default={}), "cnpg.io/poolerName": each.name}
        yield Endpoint(each.where, labels, {"pgbouncer": 5432, "metrics": 9127})


def _inherited(found: Object) -> dict[str, str]:
    return at(found.spec, "inheritedMetadata", "labels", default={})  # type: ignore[no-any-return]


def outside() -> Iterator[Endpoint]:
    """Peers outside of our namespace: those that the edges name, strangers in the same namespaces and in others, and the world."""
    yield Endpoint("dns", {"k8s-app": "kube-dns"}, {"dns": 53}, "kube-system")
    yield Endpoint("kubernetes", {}, {str(port): port for port in API_PORTS}, None, API_ADDRESS)
    yield Endpoint("internet", {}, {str(port): port for port in WORLD_PORTS}, None, WORLD_ADDRESS)
    for name, address in STRANGE_ADDRESSES.items():
        yield Endpoint(name, {}, {"http": 80, "https": 443}, None, address)
    names = {
        party.name: party
        for each in edges.SCOPES
        for edge in edges.of_scope(each)
        for party in (edge.source, edge.target)
    }
    for party in names.values():
        if party.namespace not in {None, "kube-system"}:
            ports = {edge.port for each in edges.SCOPES for edge in edges.of_scope(each) if edge.target == party}
            yield Endpoint(party.name, dict(party.pods), {str(port): port for port in ports}, party.namespace)
    yield Endpoint("a stranger in kube-system", {"app": "stranger"}, {"http": 8080}, "kube-system")
    yield Endpoint(
        "a stranger in another namespace", {"k8s-app": "kube-dns", "app": "stranger"}, {"http": 8080}, "default"
    )


def _strange_namespaces(policy: Object, points: Iterable[Endpoint]) -> set[str]:
    """Namespaces that a policy names, and in which nobody is whom we know; those too that it names by other labels."""
    known = {each.namespace for each in points if not each.name.startswith("a stranger")}
    rules = [
        (rule, side) for key, side in (("ingress", "from"), ("egress", "to")) for rule in policy.spec.get(key) or []
    ]
    selectors = [
        peer["namespaceSelector"]
        for rule, side in rules
        for peer in rule.get(side) or []
        if peer.get("namespaceSelector")
    ]
    wanted = [at(each, "matchLabels", default={}).get(METADATA_NAME, str(each)) for each in selectors]
    return {each for each in wanted if each not in known}


def too_much(policies: list[Object], points: list[Endpoint], needed: set[Way]) -> dict[str, list[Way]]:
    """What policies let through and nobody needs, by the side that lets it: each side is to be exact by itself.

    Those between two who are not ours are not our concern.
    """
    found: dict[str, list[Way]] = {}
    out = {each.name: _rules_about(policies, "Egress", each) for each in points}
    into = {each.name: _rules_about(policies, "Ingress", each) for each in points}
    for source in points:
        for target in points:
            said = [*_of_peer(out[source.name], "to", target), *_of_peer(into[target.name], "from", source)]
            for way in dict.fromkeys([*_ways(source, target), *_ways_named(source, target, said)]):
                if way in needed:
                    continue
                if source.is_ours and _lets(out[source.name], "to", target, target, way.port, way.protocol):
                    found.setdefault(f"NetworkPolicy lets out of {source.name}:", []).append(way)
                if target.is_ours and _lets(into[target.name], "from", source, target, way.port, way.protocol):
                    found.setdefault(f"NetworkPolicy lets into {target.name}:", []).append(way)
    return found


def _of_peer(rules: list[Document] | None, side: str, peer: Endpoint) -> list[Document]:
    return [rule for rule in rules or [] if _has_peer(rule.get(side), peer)]


def _ways_named(source: Endpoint, target: Endpoint, rules: Iterable[Document]) -> Iterator[Way]:
    """The ports that rules name, listened on or not, and those beside them: a range shows at its ends."""
    for each in (port for rule in rules for port in rule.get("ports") or []):
        if isinstance(first := each.get("port"), int):
            for port in sorted({near + step for near in (first, each.get("endPort", first)) for step in (-1, 0, 1)}):
                yield Way(source.name, target.name, port, each.get("protocol", "TCP"))


def _ways(source: Endpoint, target: Endpoint) -> Iterator[Way]:
    """Every connection that is to be tried between two."""
    for port in sorted({*target.ports.values(), ANY_PORT}):
        for protocol in ("TCP", "UDP") if port in {53, ANY_PORT} else ("TCP",):
            yield Way(source.name, target.name, port, protocol)


def allows(policies: list[Object], source: Endpoint, target: Endpoint, port: int, protocol: str) -> bool:
    """Whether a connection gets out of its source and into its target."""
    return _passes(policies, "Egress", source, target, target, port, protocol) and _passes(
        policies, "Ingress", target, source, target, port, protocol
    )


def _passes(
    policies: list[Object], way: str, subject: Endpoint, peer: Endpoint, listener: Endpoint, port: int, protocol: str
) -> bool:
    rules, side = _rules_about(policies, way, subject), "to" if way == "Egress" else "from"
    return not subject.is_ours or _lets(rules, side, peer, listener, port, protocol)


def _rules_about(policies: list[Object], way: str, subject: Endpoint) -> list[Document] | None:
    """What policies say of one side; None where none is about it, so that all is allowed."""
    concerned = [each.spec for each in policies if subject.is_ours and _is_about(each.spec, way, subject)]
    return [rule for spec in concerned for rule in spec.get(way.lower()) or []] if concerned else None


def _lets(
    rules: list[Document] | None, side: str, peer: Endpoint, listener: Endpoint, port: int, protocol: str
) -> bool:
    return rules is None or any(
        _has_peer(rule.get(side), peer) and _has_port(rule.get("ports"), listener, port, protocol) for rule in rules
    )


def _is_about(spec: Document, way: str, subject: Endpoint) -> bool:
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return way in types and matches(spec.get("podSelector"), subject.labels)


def _has_peer(peers: list[Document] | None, other: Endpoint) -> bool:
    return not peers or any(_is_peer(peer, other) for peer in peers)


def _is_peer(peer: Document, other: Endpoint) -> bool:
    if block := peer.get("ipBlock"):
        address = ipaddress.ip_address(other.address)
        return address in ipaddress.ip_network(block["cidr"]) and not any(
            address in ipaddress.ip_network(each) for each in block.get("except") or []
        )
    if other.namespace is None:
        return False
    theirs = {METADATA_NAME: other.namespace}
    there = matches(peer["namespaceSelector"], theirs) if "namespaceSelector" in peer else other.is_ours
    return there and ("podSelector" not in peer or matches(peer["podSelector"], other.labels))


def _has_port(ports: list[Document] | None, listener: Endpoint, port: int, protocol: str) -> bool:
    return not ports or any(_is_port(each, listener, port, protocol) for each in ports)


def _is_port(rule: Document, listener: Endpoint, port: int, protocol: str) -> bool:
    if rule.get("protocol", "TCP") != protocol:
        return False
    wanted: Any = rule.get("port")
    if isinstance(wanted, str):
        wanted = listener.ports.get(wanted)
    return (wanted is None and "port" not in rule) or (
        wanted is not None and wanted <= port <= rule.get("endPort", wanted)
    )


def demanded(place: Place, points: Iterable[Endpoint]) -> Iterator[tuple[Way, str]]:
    """Every connection that somebody needs in a place, and why."""
    listed = list(points)
    listening = {(each.name, port) for each in listed for port in each.ports.values()}
    return ((way, why) for way, why in meant(place, listed) if (way.target, way.port) in listening)


def meant(place: Place, points: Iterable[Endpoint]) -> Iterator[tuple[Way, str]]:
    """The same, and what a party's edges are for those of its pods that do not listen there: a pooler is asked like a server."""
    listed = list(points)
    for edge in edges_of(place):
        for source in _pods_of(edge.source, listed):
            for target in _pods_of(edge.target, listed):
                yield Way(source.name, target.name, edge.port, edge.protocol), f"“{edge.why}” ({edge})"


def edges_of(place: Place) -> list[edges.Edge]:
    """The edges of a place: those that hold everywhere, and those of its kind."""
    return [*edges.of_scope("everywhere"), *edges.of_scope(scope_of(place))]


def scope_of(place: Place) -> edges.Scope:
    """Which kind of place it is."""
    return "local" if place.plan.makes_secrets else "production"


def missing(place: Place, points: Iterable[Endpoint]) -> list[str]:
    """The parties that should be in a place and have no pods there."""
    listed = list(points)
    parties = {party for edge in edges_of(place) for party in (edge.source, edge.target)}
    return sorted(each.name for each in parties if each.is_ours and not each.optional and not _pods_of(each, listed))


def _pods_of(party: edges.Party, points: Iterable[Endpoint]) -> list[Endpoint]:
    if party == edges.EVERYBODY:
        return [each for each in points if each.is_ours]
    if party.world == "anywhere":
        return list(points)  # its address is not known, so the port has to be open to all
    if not party.is_ours:
        return [each for each in points if each.name == party.name]
    wanted = {"matchLabels": dict(party.pods)}
    return [each for each in points if each.is_ours and matches(wanted, each.labels)]


def behind(build: Build, host: str, points: Iterable[Endpoint]) -> list[Endpoint]:
    """The pods that answer under a name: of a Service, of a Pooler, or of a Cluster of CloudNativePG."""
    if service := build.named("Service", host):
        return [
            each for each in points if matches({"matchLabels": service.spec.get("selector") or {"": ""}}, each.labels)
        ]
    cluster = re.sub(r"-(rw|ro|r)$", "", host)
    return [each for each in points if each.name in {f"Pooler/{host}", f"Cluster/{cluster}"}]
