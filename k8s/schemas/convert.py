"""Makes the schemas in this folder from projects' CustomResourceDefinitions, and from skaffold's own schema.

    python -m k8s.schemas.convert FILE.yaml Cluster Pooler
    python -m k8s.schemas.convert v4beta14.json

A cluster drops fields that a definition does not name, silently; here they are refused, so that a misspelt one is found.
Descriptions, defaults and rules in CEL are left out: the schemas say which fields there are and what they may hold, no more.
Which file of which release each came from: README.md.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
# What JSON schema knows as well, and means the same by.
KEPT = [
    "type",
    "enum",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
]
# In OpenAPI these only hint at a width.
WIDTHS = ("int32", "int64", "float", "double", "password", "byte")

Schema = dict[str, Any]


def strict(found: Schema) -> Schema:
    """A structural schema as a JSON schema that refuses fields which the cluster would drop."""
    if found.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made: Schema = {key: found[key] for key in KEPT if key in found and found[key] not in WIDTHS}
    for bound in ("Minimum", "Maximum"):  # OpenAPI's are flags beside the bound, JSON schema's are the bound
        if made.pop(f"exclusive{bound}", False):
            made[f"exclusive{bound}"] = made.pop(bound.lower())
    if "items" in found:
        made["items"] = strict(found["items"])
    if "properties" in found:
        made["properties"] = {name: strict(each) for name, each in found["properties"].items()}
    made |= _additional(found)
    for word in ("allOf", "anyOf", "oneOf"):
        if word in found:
            made[word] = [_rule(each) for each in found[word]]
    if "not" in found:
        made["not"] = _rule(found["not"])
    if found.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    return made


def _additional(found: Schema) -> Schema:
    others = found.get("additionalProperties")
    if isinstance(others, dict):
        return {"additionalProperties": strict(others)}
    open_ended = others is True or found.get("x-kubernetes-preserve-unknown-fields") or "properties" not in found
    return {} if open_ended else {"additionalProperties": False}


def _rule(found: Schema) -> Schema:
    """A part of a structural schema that only restricts: it names some fields, and the others stay allowed."""
    made: Schema = {key: found[key] for key in KEPT if key in found and found[key] not in WIDTHS}
    if "properties" in found:
        made["properties"] = {name: _rule(each) for name, each in found["properties"].items()}
    if "items" in found:
        made["items"] = _rule(found["items"])
    for word in ("allOf", "anyOf", "oneOf"):
        if word in found:
            made[word] = [_rule(each) for each in found[word]]
    if "not" in found:
        made["not"] = _rule(found["not"])
    return made


def schemas_of(definition: Schema) -> dict[str, Schema]:
    """The schema of each version that a definition serves, by the path of its file; where some are stable, only those."""
    spec = definition["spec"]
    group, kind = spec["group"], spec["names"]["kind"]
    served = [version for version in spec["versions"] if version["served"] and not version.get("deprecated")]
    stable = [version for version in served if version["name"][1:].isdigit()]
    made = {}
    for version in stable or served:
        schema = strict(version["schema"]["openAPIV3Schema"])
        schema["properties"] |= {
            "apiVersion": {"const": f"{group}/{version['name']}"},
            "kind": {"const": kind},
            "metadata": {"type": "object"},
        }
        schema["properties"].pop("status", None)  # the cluster's to write
        schema["required"] = sorted({*schema.get("required", []), "apiVersion", "kind", "metadata"} - {"status"})
        made[f"{group}/{kind.lower()}_{version['name']}.json"] = schema
    return made


def without_prose(found: Any) -> Any:
    """Skaffold's schema, which is strict already, without what only an editor shows."""
    if isinstance(found, list):
        return [without_prose(each) for each in found]
    if not isinstance(found, dict):
        return found
    prose = ("description", "x-intellij-html-description", "examples", "preferredOrder")
    return {key: without_prose(each) for key, each in found.items() if key not in prose or isinstance(each, dict)}


def main(arguments: list[str]) -> int:
    """The command line: a file of definitions, and the kinds that are wanted of it; or skaffold's schema."""
    if not arguments:
        sys.stderr.write(
            "Say which file and which of its kinds: python -m k8s.schemas.convert FILE.yaml Cluster Pooler\n"
        )
        return 2
    file, kinds = Path(arguments[0]), arguments[1:]
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        _write(f"skaffold/config_{file.stem}.json", without_prose(json.loads(text)))
        return 0
    for definition in yaml.safe_load_all(text):
        if definition and definition["spec"]["names"]["kind"] in kinds:
            for path, schema in schemas_of(definition).items():
                _write(path, schema)
    return 0


def _write(path: str, schema: Schema) -> None:
    (HERE / path).parent.mkdir(exist_ok=True)
    (HERE / path).write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
