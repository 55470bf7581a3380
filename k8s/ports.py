"""Ports agree: of Services and their pods, of the services' settings, and of every address that somebody is given."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from k8s.objects import Build, Object, Pod, at, matches
from k8s.places import Place, program_of, services_of, variables

Found = Iterator[tuple[str, str]]

_URL = re.compile(r"\b[a-z][a-z0-9+]*://[^\s\"'<>,]+")
# `jaeger:4317`, `nats-0.nats-peers:6222`, `nats.onsale.svc.cluster.local:8222`; and the same as two lines of a file.
_HOST_AND_PORT = re.compile(
    r"(?<![\w.-])(?:[a-z][a-z0-9-]*-\d+\.)?([a-z][a-z0-9-]*)(?:\.onsale(?:\.svc(?:\.cluster\.local)?)?)?:(\d{2,5})\b"
)
_ON_TWO_LINES = re.compile(r"\bhostname: ([a-z][a-z0-9-]*)\s+port: \"?(\d{2,5})\b")
_CLUSTER = re.compile(r"\.onsale(\.svc(\.cluster\.local)?)?$")
# What a browser outside of the cluster is given: through a port-forward it lives on localhost.
FOR_BROWSERS = re.compile(r"[A-Z]+_(PUBLIC_URL|TRACE_URL|PAYMENT_ORIGINS|SHOP_URL)|PUBLIC_[A-Z]+_URL")


def services_fit(place: Place) -> Found:
    """A Service selects pods of one owner, and its ports are theirs, by the same number: an alias on a plain network is the same."""
    for service in place.all.of_kind("Service"):
        if service.spec.get("type") == "ExternalName" or not service.spec.get("selector"):
            continue
        pods = selected(place.all, service)
        owners = {pod.owner.where for pod in pods}
        if not owners and not _made_by_operator(place.all, service):
            yield service.where, "selects no pod. Correct spec.selector."
        if len(owners) > 1:
            yield service.where, f"selects pods of {' and '.join(sorted(owners))}. Its selector must take those of one."
        for pod in pods:
            yield from ((service.where, each) for each in _ports_of(service, pod))


def _ports_of(service: Object, pod: Pod) -> Iterator[str]:
    listening = pod.ports()
    for port in service.spec.get("ports") or []:
        target = port.get("targetPort", port["port"])
        number = listening.get(str(target)) if isinstance(target, str) else target
        if number not in listening.values():
            yield f"sends port {port['port']} to {target}, on which {pod.owner.where} does not listen. Name one of its ports."
        elif number != port["port"]:
            yield f"is reached at {port['port']}, and {pod.owner.where} listens on {number}. Use the same number for both."


def selected(build: Build, service: Object) -> list[Pod]:
    """The pods behind a Service."""
    return [pod for pod in build.pods() if matches({"matchLabels": service.spec["selector"]}, pod.labels)]


def _made_by_operator(build: Build, service: Object) -> bool:
    """Whether a Service's selector names something whose pods an operator makes."""
    selector = service.spec["selector"]
    names = {each.name for each in build.of_kind("Cluster", "Pooler")}
    return any(key.startswith("cnpg.io/") and value in names for key, value in selector.items())


def listening_agrees(place: Place) -> Found:
    """A service listens where its settings say, and a simulator where its command line says."""
    for pod in place.all.pods():
        for container in pod.containers():
            found = variables(place, container)
            ports = {str(each["containerPort"]) for each in container.ports}
            services = services_of(container, found)
            told = [_told(found, service.upper(), "8000") for service in services if place.has_port(service)]
            if program_of(container) == "simulators.bank":
                told = [_told(found, "BANK", "8020")]
            wrong = [sentence for port, host in told for sentence in _listens(port, host, ports)]
            if len(told) < len(services):
                wrong += _on_bus(found, set() if told else ports)
            yield from ((pod.owner.where, f"container {container.name} {each}") for each in wrong)


def _told(found: Mapping[str, str], prefix: str, default: str) -> tuple[str, str]:
    """The port and the host of what has variables of that prefix."""
    port = found.get(f"{prefix}_PORT", found.get("ONSALE_PORT", default))
    return port, found.get(f"{prefix}_HOST", found.get("ONSALE_HOST", "127.0.0.1"))


def _listens(port: str, host: str, ports: set[str]) -> Iterator[str]:
    if port not in ports:
        yield f"listens on {port}, but declares {', '.join(sorted(ports)) or 'no port'}. Make them agree."
    if host != "0.0.0.0":  # noqa: S104  # in a pod there is nothing else to bind
        yield f"listens on {host} alone, so that nobody reaches it. Set the host to 0.0.0.0."


def _on_bus(found: Mapping[str, str], ports: set[str]) -> Iterator[str]:
    """What is wrong with a service that is asked over the bus."""
    if ports:
        yield f"is on the bus and opens no port. Remove {', '.join(sorted(ports))}."
    if (transport := found.get("ONSALE_TRANSPORT", "http")) != "bus":
        yield f"is on the bus, and ONSALE_TRANSPORT is {transport}. Set it to bus."


def addresses_exist(place: Place) -> Found:
    """Every address that a container is given, by its environment or a configuration file, is a Service's port in this place."""
    known = ports_by_host(place.all)
    for pod in place.all.pods():
        for container in pod.containers():
            found = variables(place, container)
            for name, value in found.items():
                if not FOR_BROWSERS.fullmatch(name):
                    yield from ((pod.owner.where, f"{name}: {each}") for each in _wrong_addresses(value, known))
            yield from ((pod.owner.where, each) for each in _wrong_hosts(found, known))
            for argument in [*(container.document.get("args") or []), *(container.document.get("command") or [])]:
                yield from ((pod.owner.where, f"an argument: {each}") for each in _wrong_mentions(str(argument), known))
    for each in place.all.of_kind("ScaledObject"):
        for key, value in given_to_scalers(each):
            yield from ((each.where, f"{key}: {sentence}") for sentence in _wrong_asked(value, known))
    for each in place.all.of_kind("ConfigMap"):
        for key, text in at(each.document, "data", default={}).items():
            yield from ((each.where, f"{key}: {sentence}") for sentence in _wrong_mentions(str(text), known))


def given_to_scalers(found: Object) -> Iterator[tuple[str, str]]:
    for trigger in found.spec.get("triggers") or []:
        yield from ((key, str(value)) for key, value in (trigger.get("metadata") or {}).items())


def _wrong_asked(value: str, known: dict[str, set[int]]) -> Iterator[str]:
    """An address that a scaler asks: it has to be of ours, and there."""
    for host, port in mentions(value):
        if wrong := _wrong(host, port, known):
            yield wrong


def ports_by_host(build: Build) -> dict[str, set[int]]:
    """The hosts that this place has, and their ports. Operators add theirs: those of CloudNativePG."""
    found: dict[str, set[int]] = {}
    for each in build.of_kind("Service"):
        found.setdefault(each.name, set()).update(port["port"] for port in each.spec.get("ports") or [])
    for each in build.of_kind("Cluster"):
        for role in ("rw", "ro", "r"):
            found[f"{each.name}-{role}"] = {5432}
    for each in build.of_kind("Pooler"):
        found[each.name] = {5432}
    return found


def _wrong_addresses(value: str, known: dict[str, set[int]]) -> Iterator[str]:
    for address in _URL.findall(value):
        parts = urlsplit(address)
        if parts.scheme == "file":
            continue
        host = _CLUSTER.sub("", parts.hostname or "")
        if "." in host:
            continue  # somewhere else in the world
        port = parts.port or {"http": 80, "https": 443, "postgresql": 5432, "nats": 4222}.get(parts.scheme, 0)
        if sentence := _wrong(host, port, known):
            yield sentence


def _wrong_hosts(found: dict[str, str], known: dict[str, set[int]]) -> Iterator[str]:
    """Host and port in two variables: `X_SMTP_HOST` and `X_SMTP_PORT`."""
    for name, host in found.items():
        other = name.removesuffix("_HOST") + "_PORT"
        if (
            name.endswith("_HOST")
            and other in found
            and "." not in host
            and (wrong := _wrong(host, int(found[other]), known))
        ):
            yield f"{name}: {wrong}"


def _wrong_mentions(text: str, known: dict[str, set[int]]) -> Iterator[str]:
    """`jaeger:4317` in a text: a host that exists, with a port that it has not."""
    for host, port in mentions(text):
        if host in known and (wrong := _wrong(host, port, known)):
            yield wrong


def _wrong(host: str, port: int, known: dict[str, set[int]]) -> str | None:
    if host not in known:
        return f"{host}:{port} is nobody here: no Service has that name. Correct the host, or add the Service."
    if port not in known[host]:
        return f"{host} has no port {port}, only {', '.join(map(str, sorted(known[host])))}. Correct the port."
    return None


def mentions(text: str) -> Iterator[tuple[str, int]]:
    """Every host with a port that a text names, comments aside."""
    said = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for host, port in [*_HOST_AND_PORT.findall(said), *_ON_TWO_LINES.findall(said)]:
        yield host, int(port)
