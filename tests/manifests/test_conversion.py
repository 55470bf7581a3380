"""Schemas of custom resources: what a cluster would drop in silence is refused, and the rest is as the project has it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from k8s.schemas.convert import schemas_of, strict, without_prose

SHOP: dict[str, Any] = {
    "type": "object",
    "description": "A shop.",
    "properties": {
        "name": {"type": "string", "minLength": 1, "default": "x"},
        "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "size": {"type": "integer", "format": "int32", "minimum": 0, "exclusiveMinimum": True},
        "note": {"type": "string", "nullable": True},
    },
    "required": ["name"],
    "oneOf": [{"required": ["port"]}, {"required": ["size"]}],
}


def refused(value: dict[str, Any]) -> bool:
    """Whether the converted schema has anything to say against a value."""
    return not Draft202012Validator(strict(SHOP)).is_valid(value)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "a", "port": 80},
        {"name": "a", "port": "http", "labels": {"any": "word"}, "anything": {"at": {"all": 1}}},
        {"name": "a", "size": 1, "note": None},
    ],
)
def test_what_the_project_takes_is_taken(value: dict[str, Any]) -> None:
    assert not refused(value)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "a", "port": 80, "nmae": "b"},
        {"port": 80},
        {"name": "", "port": 80},
        {"name": "a", "port": 8.5},
        {"name": "a", "port": 80, "labels": {"any": 1}},
        {"name": "a", "size": 0},
        {"name": "a"},
        {"name": "a", "port": 80, "size": 1},
    ],
)
def test_what_is_misspelt_missing_or_wrong_is_refused(value: dict[str, Any]) -> None:
    assert refused(value)


def test_only_stable_versions_are_taken_and_the_status_is_the_clusters_own() -> None:
    whole = {
        "type": "object",
        "properties": {"spec": SHOP, "status": {"type": "object"}},
        "required": ["spec", "status"],
    }
    versions = [
        {"name": name, "served": True, "schema": {"openAPIV3Schema": whole}} for name in ("v1", "v1beta1", "v2")
    ]
    versions[2]["served"] = False
    made = schemas_of({"spec": {"group": "shops.test", "names": {"kind": "Shop"}, "versions": versions}})
    assert list(made) == ["shops.test/shop_v1.json"]
    schema = made["shops.test/shop_v1.json"]
    assert "status" not in schema["properties"]
    assert schema["required"] == ["apiVersion", "kind", "metadata", "spec"]


def test_prose_goes_and_a_field_called_description_stays() -> None:
    found = {"description": "why", "properties": {"description": {"type": "string", "description": "of it"}}}
    assert without_prose(found) == {"properties": {"description": {"type": "string"}}}
