"""The descriptors of services for a developer portal (`services/*/catalog-info.yaml`, in Backstage's format), held against the code.

What a service provides and consumes is written there for people; here it is compared with what it really offers and needs.
"""

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.completeness.edges import Need, declared_needs
from contracts.completeness.services import System, real
from contracts.pactfile import ContractBroken

NAME = "catalog-info.yaml"
API_VERSION = "backstage.io/v1alpha1"
# Backstage's own rules for names and references.
ENTITY_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
OWNER = re.compile(r"(?:group|user):[a-z0-9-]+/[A-Za-z0-9][-A-Za-z0-9_.]*")
REQUIRED = {"Component": ("type", "lifecycle", "owner", "system"), "API": ("type", "lifecycle", "owner", "definition")}
WIDTH = 140

Entity = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """An API as a descriptor has to have it: its name, its kind, and the document that describes it."""

    name: str
    type: str
    document: Path


def problems_of_descriptors(system: System) -> list[str]:
    """A sentence for everything that a descriptor says and that is not so, and for what it does not say."""
    code = declared_needs(system)
    offered = Counter(api.name for service in system.names() for api in apis_of(system, service))
    problems = [
        f"{count} services offer an API {name}; names are for all of them."
        for name, count in offered.items()
        if count > 1
    ]
    return [*problems, *(each for service in system.names() for each in _problems_of(system, service, code))]


def apis_of(system: System, service: str) -> list[Api]:
    """What a service offers, as entities: its HTTP API, each of its facts, each of its bus messages."""
    documents, declared = system.documents, system.service(service)
    http = [Api(f"{service}-http", "openapi", documents / "openapi" / f"{service}.json")]
    published = [
        Api(api_of(subject), "jsonschema", documents / "events" / f"{subject}.schema.json")
        for subject in [*declared.facts, *declared.messages]
    ]
    return [*(http if _is_documented(http[0].document) else []), *published]


def _is_documented(document: Path) -> bool:
    """Whether there is an HTTP API at all: a document that tells of some route."""
    return document.exists() and bool(json.loads(document.read_text(encoding="utf-8")).get("paths"))


def write_apis(system: System | None = None) -> None:
    """Writes into each descriptor which APIs its service provides and consumes."""
    system = system or real()
    needs = declared_needs(system)
    for service in system.names():
        path = system.folder / service / NAME
        consumed = sorted({_api_needed(need) for need in needs if need.edge.consumer == service})
        lists = {"providesApis": [api.name for api in apis_of(system, service)], "consumesApis": consumed}
        text = path.read_text(encoding="utf-8")
        for what, names in lists.items():
            written = f"  {what}: [{', '.join(names)}]"
            if len(written) > WIDTH:
                alone = written.partition(": ")[2]
                filled = textwrap.fill(
                    alone, WIDTH, break_on_hyphens=False, initial_indent=" " * 4, subsequent_indent=" " * 5
                )
                written = f"  {what}:\n{filled}"
            text = re.sub(rf"  {what}:\s*\[[^\]]*\]", written, text)
        path.write_text(text, encoding="utf-8")


def api_of(subject: str) -> str:
    """The name of the API that a subject is: `events.orders.order_confirmed.v1` is `order-confirmed`."""
    return subject.split(".")[2].replace("_", "-")


def read_entities(path: Path) -> list[Entity]:
    """The entities of a descriptor. Raises ContractBroken if it is no YAML, or no mapping."""
    try:
        entities = [entity for entity in yaml.safe_load_all(path.read_text(encoding="utf-8")) if entity]
    except yaml.YAMLError as error:
        raise ContractBroken(f"{path} cannot be read: {error}") from error
    if not all(isinstance(entity, dict) for entity in entities):
        raise ContractBroken(
            f"{path} cannot be read: each of its documents is to be a mapping, like `kind: Component`."
        )
    return entities


def _problems_of(system: System, service: str, code: Iterable[Need]) -> Iterator[str]:
    path = system.folder / service / NAME
    if not path.exists():
        yield f"{path} is missing: a service says there who owns it, what it provides, and what it consumes."
        return
    entities = read_entities(path)
    for entity in entities:
        yield from _malformed(path, entity)
    components = [entity for entity in entities if entity.get("kind") == "Component"]
    if [_name(entity) for entity in components] != [service]:
        yield f"{path} is to have one Component, and its name is {service}."
        return
    spec = components[0].get("spec", {})
    apis = apis_of(system, service)
    offered = {api.name: f"{service} offers it" for api in apis}
    yield from _lists_differ(path, "providesApis", spec.get("providesApis", []), offered)
    needed = {_api_needed(need): str(need) for need in code if need.edge.consumer == service}
    yield from _lists_differ(path, "consumesApis", spec.get("consumesApis", []), needed)
    described = {_name(entity): entity for entity in entities if entity.get("kind") == "API"}
    for name, count in Counter(_name(entity) for entity in entities if entity.get("kind") == "API").items():
        if count > 1:
            yield f"{path} describes the API {name} {count} times. A portal shows one of them: keep one."
    for api in apis:
        yield from _problems_of_api(path, api, described.get(api.name))
    for name in sorted(described.keys() - offered.keys()):
        yield f"{path} describes the API {name}, but {service} does not offer it. Remove it."


def _malformed(path: Path, entity: Entity) -> Iterator[str]:
    """What Backstage would refuse, or show without an owner."""
    kind, name, spec = entity.get("kind"), _name(entity), entity.get("spec", {})
    if entity.get("apiVersion") != API_VERSION or kind not in REQUIRED:
        yield f"{path}: {name} is no entity of {API_VERSION} of a kind that is used here ({', '.join(REQUIRED)})."
        return
    if not ENTITY_NAME.fullmatch(name):
        yield f"{path}: {name!r} is no name of an entity: letters, digits and -_. in the middle, at most 63."
    if missing := [each for each in REQUIRED[kind] if not spec.get(each)]:
        yield f"{path}: the {kind} {name} lacks {', '.join(missing)} in its spec."
    elif not OWNER.fullmatch(spec["owner"]):
        yield f"{path}: {spec['owner']!r}, the owner of {name}, is not like group:default/team-checkout."


def _problems_of_api(path: Path, api: Api, entity: Entity | None) -> Iterator[str]:
    if entity is None:
        yield f"{path} has no API entity {api.name}, though the service offers it. Describe it there."
        return
    spec = entity.get("spec", {})
    if spec.get("type") != api.type:
        yield f"{path}: the API {api.name} is of type {api.type}, not {spec.get('type')}."
    text = spec.get("definition", {}).get("$text", "")
    if (path.parent / text).resolve() != api.document.resolve():
        yield f"{path}: the API {api.name} is described by {api.document}, not by {text or 'nothing'}."
    elif not api.document.is_file():
        yield f"{path}: {text}, the definition of {api.name}, is not there. Run `make documents`."


def _lists_differ(path: Path, what: str, written: list[str], real: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(real.keys() - set(written)):
        yield f"{path}: {what} lacks {name} ({real[name]})."
    for name in sorted(set(written) - real.keys()):
        yield f"{path}: {what} has {name}, but the code does not say so. Remove it."
    if repeated := sorted({name for name in written if written.count(name) > 1}):
        yield f"{path}: {what} has {', '.join(repeated)} more than once."


def _api_needed(need: Need) -> str:
    return f"{need.edge.provider}-http" if need.edge.kind == "asks" else api_of(need.what)


def _name(entity: Entity) -> str:
    return str(entity.get("metadata", {}).get("name", ""))
