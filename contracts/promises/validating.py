"""Loads the library that holds values against a JSON Schema, for whoever has a value: most commands only read schemas."""

import sys
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

# It builds a grammar when it is imported, which takes a second, for the formats `iri` and `iri-reference` alone.
_GRAMMAR = "rfc3987_syntax"


@cache
def validator_class() -> "type[Draft202012Validator]":
    """The validator of JSON Schema 2020-12. It checks all formats that a document here may have, which a test holds."""
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    left_out = _GRAMMAR not in modules
    if left_out:
        modules[_GRAMMAR] = None  # Python's way to say that there is none
    try:
        from jsonschema import Draft202012Validator
    finally:
        if left_out:
            del modules[_GRAMMAR]
    return Draft202012Validator
