"""Where Onsale runs: an overlay with the infrastructure that it meets there, in one namespace."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from k8s.objects import Build, Container, Object, at
from local.topology import MONOLITH


@dataclass(frozen=True)
class Plan:
    """A place, before it is built. `environment` is what its services have to take themselves for."""

    name: str
    overlay: str
    infra: str
    environment: str = "local"
    makes_secrets: bool = True
    # What is applied there for a moment only.
    also: tuple[str, ...] = ()
    # What another place is without ports: scanners have seen it there.
    on_bus: bool = False
    # All services are one process.
    together: bool = False


_VERIFY = ("k8s/verify/job.yaml",)
PLANS = (
    Plan("local", "k8s/overlays/local", "k8s/infra/local", also=_VERIFY),
    Plan("drills", "k8s/overlays/drills", "k8s/infra/local"),
    Plan("light", "k8s/overlays/local", "k8s/infra/local/light"),
    Plan("ci", "k8s/overlays/ci", "k8s/infra/local/light", also=_VERIFY),
    Plan("production", "k8s/overlays/production", "k8s/infra/production", "production", makes_secrets=False),
    Plan("monolith", "k8s/overlays/monolith", "k8s/infra/local/bus", also=_VERIFY, on_bus=True, together=True),
    Plan("bus", "k8s/overlays/bus", "k8s/infra/local/bus", also=_VERIFY, on_bus=True),
    Plan(
        "production-bus",
        "k8s/overlays/production-bus",
        "k8s/infra/production-bus",
        "production",
        makes_secrets=False,
        on_bus=True,
    ),
)


@dataclass(frozen=True)
class Place:
    """A place as it was built. `secrets`: those that a job makes there, and the keys of each."""

    plan: Plan
    app: Build
    infra: Build
    secrets: Mapping[str, frozenset[str]]

    @property
    def name(self) -> str:
        """E.g. `production`."""
        return self.plan.name

    @cached_property
    def all(self) -> Build:
        """Everything that runs in its namespace."""
        return self.app.and_(self.infra, self.name)

    @cached_property
    def config(self) -> dict[str, dict[str, str]]:
        """The ConfigMaps, by name."""
        return {each.name: at(each.document, "data", default={}) for each in self.all.of_kind("ConfigMap")}

    def has_port(self, service: str) -> bool:
        """Whether a service listens there: over the bus it is asked without, and web alone has one."""
        return not self.plan.on_bus or service == "web"

    def home_of(self, service: str) -> str:
        """What the pods that run a service are named after, and their image: the service, or the one process of all."""
        return MONOLITH if self.plan.together else service


def variables(place: Place, container: Container) -> dict[str, str]:
    """What a container finds in its environment. A secret is a word that says which one it is; what is missing is left out.

    References like `$(NATS_USER)` are replaced as Kubernetes does it: by what stands before.
    """
    found: dict[str, str] = {}
    for source in container.document.get("envFrom") or []:
        prefix = source.get("prefix", "")
        if name := at(source, "configMapRef", "name"):
            found |= {prefix + key: str(value) for key, value in place.config.get(name, {}).items()}
        if name := at(source, "secretRef", "name"):
            found |= {prefix + key: stand_in(name, key) for key in sorted(place.secrets.get(name, ()))}
    for each in container.document.get("env") or []:
        value = _value(place, each)
        if value is not None:
            found[each["name"]] = _expanded(value, found)
    return found


def _value(place: Place, variable: Mapping[str, Any]) -> str | None:
    if "valueFrom" not in variable:
        return str(variable.get("value", ""))
    source = variable["valueFrom"]
    if secret := source.get("secretKeyRef"):
        if secret.get("optional") and secret["key"] not in place.secrets.get(secret["name"], ()):
            return None
        return stand_in(secret["name"], secret["key"])
    if reference := source.get("configMapKeyRef"):
        return place.config.get(reference["name"], {}).get(reference["key"])
    return "from-the-pod"  # its own name, address or limits


def stand_in(secret: str, key: str) -> str:
    """A secret's value for the checks: long enough for every rule, and a login where one is wanted."""
    if key == "username":
        owner, _, what = secret.rpartition("-")
        return f"onsale_{owner}" if what == "database" else owner
    return f"{secret}.{key}.a-stand-in-that-is-long-enough"


def _expanded(value: str, known: Mapping[str, str]) -> str:
    for name, word in known.items():
        value = value.replace(f"$({name})", word)
    return value


def services_of(container: Container, found: Mapping[str, str]) -> list[str]:
    """The services that a container runs, by its program and its variables; none if it runs something else."""
    match program_of(container):
        case "chassis.serve":
            return [found.get("ONSALE_SERVICE", "")]
        case "chassis.monolith":
            return found.get("ONSALE_SERVICES", "").split()
        case _:
            return []


def program_of(container: Container) -> str:
    """Which Python module a container of ours runs (`chassis.serve`); empty for others."""
    arguments = container.document.get("args") or []
    ours = container.image.startswith("onsale/") or "/onsale/" in container.image
    return str(arguments[0]) if ours and arguments else ""


def repository_of(container: Container) -> str:
    """The last part of the image's name: `postgres`, `orders`."""
    return container.image.partition("@")[0].rpartition("/")[2].partition(":")[0]


__all__ = ["PLANS", "Object", "Place", "Plan", "program_of", "repository_of", "services_of", "stand_in", "variables"]
