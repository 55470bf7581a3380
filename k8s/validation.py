"""Every object against the schema of its kind: Kubernetes' own from the wheel `kubernetes-validate`, and those in k8s/schemas."""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from kubernetes_validate import utils as _versions
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from k8s.objects import Object

SCHEMAS = Path(__file__).parent / "schemas"
SHOWN_CHARACTERS = 160
SHOWN_ERRORS = 5


def kubernetes_version() -> str:
    """The newest version whose schemas the wheel has, e.g. `1.37.0`."""
    return str(_versions.latest_version())


def valid(found: Object, schemas: Path = SCHEMAS) -> Iterator[str]:
    """What the schema of an object's kind refuses; unknown fields too. A kind without a schema is a finding."""
    version = str(found.document.get("apiVersion", ""))
    validator = _of_kubernetes(found.kind, version) or _of_custom(schemas, found.kind, version)
    if validator is None:
        yield (
            f"is of a kind without a schema ({version} {found.kind}). Correct apiVersion and kind, or add the schema as "
            f"k8s/schemas/{found.group or 'core'}/{found.kind.lower()}_{version.rpartition('/')[2]}.json."
        )
        return
    errors = sorted(validator.iter_errors(found.document), key=lambda each: each.json_path)
    for error in map(explained, errors[:SHOWN_ERRORS]):
        yield f"{error.json_path.removeprefix('$.')}: {_short(error)}. Correct it: the cluster would refuse it."


def explained(error: ValidationError) -> ValidationError:
    """The error itself, or of one about alternatives, that of the alternative which came nearest."""
    nearest = best_match([error])
    return error if nearest is None else nearest


def _short(error: ValidationError) -> str:
    said = error.message
    return said if len(said) <= SHOWN_CHARACTERS else f"{said[:SHOWN_CHARACTERS]}..."


def _folder() -> Any:
    return resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{kubernetes_version()}-local-strict"


@cache
def _registry() -> Registry[Any]:
    definitions = json.loads((_folder() / "_definitions.json").read_text(encoding="utf-8"))
    resource = Resource.from_contents(definitions, default_specification=DRAFT202012)
    empty: Registry[Any] = Registry()
    found: Registry[Any] = empty.with_resource(
        "_definitions.json", resource
    ).crawl()  # otherwise each reference would crawl it again
    return found


@cache
def _of_kubernetes(kind: str, version: str) -> Draft202012Validator | None:
    group, slash, number = version.rpartition("/")
    # rbac.authorization.k8s.io/v1 lies in role-rbac-v1.json, apps/v1 in deployment-apps-v1.json, v1 in service-v1.json.
    file = _folder() / f"{kind.lower()}-{group.partition('.')[0]}{'-' if slash else ''}{number}.json"
    if slash and "." in group and not group.endswith(".k8s.io"):
        return None  # somebody else's group: `postgresql.cnpg.io`
    if not file.is_file():
        return None
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")), registry=_registry())


@cache
def _of_custom(schemas: Path, kind: str, version: str) -> Draft202012Validator | None:
    group, _, number = version.rpartition("/")
    file = schemas / group / f"{kind.lower()}_{number}.json"
    if not group or not file.is_file():
        return None
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))
