"""Kubernetes objects as the checks see them: parsed once, compared by what they say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Self

import yaml

Document = dict[str, Any]

NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
PART_OF = "app.kubernetes.io/part-of"
COMPONENT = "app.kubernetes.io/component"
KIND = "onsale.dev/kind"
SYSTEM = "onsale"

# Where each kind keeps the pods that it makes.
_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
_SEPARATOR = "\n---\n"


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Object:
    """One object. Two are equal if they say the same; nobody changes `document`."""

    text: str
    document: Document = field(compare=False, repr=False)

    @classmethod
    def of(cls, document: Document) -> Self:
        """The object of a parsed document."""
        return cls(json.dumps(document, sort_keys=True), document)

    @property
    def kind(self) -> str:
        """E.g. `Deployment`."""
        return str(self.document.get("kind", ""))

    @property
    def group(self) -> str:
        """The API group, without its version; empty for the core one."""
        group, slash, _ = str(self.document.get("apiVersion", "")).partition("/")
        return group if slash else ""

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return str(at(self.document, "metadata", "name", default=""))

    @property
    def namespace(self) -> str | None:
        """The namespace that it names, if it does."""
        return at(self.document, "metadata", "namespace")  # type: ignore[no-any-return]

    @property
    def labels(self) -> dict[str, str]:
        """Its own labels, not those of its pods."""
        return at(self.document, "metadata", "labels", default={})  # type: ignore[no-any-return]

    @property
    def spec(self) -> Document:
        """What is wanted; empty if the kind has none."""
        return self.document.get("spec") or {}

    @property
    def where(self) -> str:
        """As findings name it: `Deployment/orders`."""
        return f"{self.kind}/{self.name}"

    @cached_property
    def pod(self) -> "Pod | None":
        """The pod that it makes, if it makes one."""
        path = _TEMPLATES.get(self.kind)
        if path is None or self.group not in {"", "apps", "batch"}:
            return None
        template = at(self.document, *path) if path else self.document
        return Pod(self, template or {})


@dataclass(frozen=True)
class Container:
    """A container of a pod; `role` is `container`, `init container` or `ephemeral container`."""

    role: str
    document: Document

    @property
    def name(self) -> str:
        """Its name in its pod."""
        return str(self.document.get("name", ""))

    @property
    def image(self) -> str:
        """The image as it is written."""
        return str(self.document.get("image", ""))

    @property
    def ports(self) -> list[Document]:
        """What it says it listens on."""
        return self.document.get("ports") or []


@dataclass(frozen=True)
class Pod:
    """The pods that an object makes."""

    owner: Object
    template: Document = field(repr=False)

    @property
    def labels(self) -> dict[str, str]:
        """The labels that its pods carry."""
        return at(self.template, "metadata", "labels", default={})  # type: ignore[no-any-return]

    @property
    def spec(self) -> Document:
        """The pod's own specification."""
        return self.template.get("spec") or {}

    @property
    def kind(self) -> str:
        """What it is for: the label `onsale.dev/kind`, e.g. `service`."""
        return self.labels.get(KIND, "")

    def containers(self) -> Iterator[Container]:
        """All of them, in the order in which they start."""
        for key, role in (
            ("initContainers", "init container"),
            ("containers", "container"),
            ("ephemeralContainers", "ephemeral container"),
        ):
            for each in self.spec.get(key) or []:
                yield Container(role, each)

    def ports(self) -> dict[str, int]:
        """Named container ports, and the unnamed ones by their number."""
        listed = [port for each in self.containers() for port in each.ports]
        return {str(port.get("name", port["containerPort"])): int(port["containerPort"]) for port in listed}


@dataclass(frozen=True)
class Build:
    """What one kustomization says. `problem`: why it could not be built; then there are no objects."""

    name: str
    objects: tuple[Object, ...] = ()
    seconds: float = 0.0
    problem: str | None = None

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """Its objects of these kinds."""
        return (each for each in self.objects if each.kind in kinds)

    def named(self, kind: str, name: str) -> Object | None:
        """The object of that kind and name, if there is one."""
        return next((each for each in self.of_kind(kind) if each.name == name), None)

    def pods(self) -> Iterator[Pod]:
        """All pods that its objects make."""
        return (each.pod for each in self.objects if each.pod is not None)

    def and_(self, other: "Build", name: str) -> "Build":
        """Both together, as they run in one namespace. The first one's word counts where both have an object."""
        mine = {(each.group, each.where) for each in self.objects}
        added = tuple(each for each in other.objects if (each.group, each.where) not in mine)
        return Build(
            name,
            self.objects + added,
            self.seconds + other.seconds,
            "; ".join(filter(None, [self.problem, other.problem])) or None,
        )


def parse(text: str) -> tuple[Object, ...]:
    """The objects of a YAML stream. A document that was read before is not read again: builds share most of theirs."""
    return tuple(found for each in text.split(_SEPARATOR) if (found := _parsed(each.removeprefix("---\n"))) is not None)


@lru_cache(maxsize=20_000)
def _parsed(text: str) -> Object | None:
    document = load(text)
    return Object.of(document) if document else None


def load(text: str) -> Any:
    """One YAML document."""
    return yaml.load(text, _Loader)  # noqa: S506  # a safe loader, with one resolver less


def at(document: Any, *path: str, default: Any = None) -> Any:
    """The value at a path of keys; `default` where any of them is missing or null."""
    for key in path:
        if not isinstance(document, Mapping):
            return default
        document = document.get(key)
    return default if document is None else document


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector (matchLabels, matchExpressions) takes these labels. An empty one takes all, None takes none."""
    if selector is None:
        return False
    exact = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return exact and all(_holds(each, labels) for each in selector.get("matchExpressions") or [])


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"{operator} is no operator of a label selector: use In, NotIn, Exists or DoesNotExist.")
