"""Bases for what crosses the edge of a service."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

# Postgres keeps no NUL in text, and UTF-8 has no half of a pair of surrogates.
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


class Keepable(BaseModel):
    """What comes from outside and may be kept: refused here, one bad text cannot fail the transaction that serves it and others."""

    @model_validator(mode="before")
    @classmethod
    def _is_text_that_can_be_kept(cls, data: Any) -> Any:
        if _has_unkeepable(data):
            raise ValueError("text with a NUL character or half of a surrogate pair cannot be kept")
        return data


class Request(Keepable):
    """A request's body: unknown fields are refused, so that a misspelt or injected one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Response(BaseModel):
    """A response's body."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def _has_unkeepable(data: Any) -> bool:
    waiting = [data]
    while waiting:
        match waiting.pop():
            case str() as words if UNKEEPABLE.search(words):
                return True
            case dict() as fields:
                waiting.extend(fields.keys())
                waiting.extend(fields.values())
            case list() as items:
                waiting.extend(items)
    return False
