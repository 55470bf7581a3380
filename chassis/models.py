"""Bases for what crosses the edge of a service."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Request(BaseModel):
    """A request's body: unknown fields are refused, so that a misspelt or injected one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _is_text_that_can_be_kept(cls, data: Any) -> Any:
        # Postgres keeps no NUL in text. Refused here, one bad request cannot fail the transaction that serves it and others.
        if _has_nul(data):
            raise ValueError("text with a NUL character cannot be kept")
        return data


class Response(BaseModel):
    """A response's body."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def _has_nul(data: Any) -> bool:
    waiting = [data]
    while waiting:
        match waiting.pop():
            case str() as words if "\0" in words:
                return True
            case dict() as fields:
                waiting.extend(fields.values())
            case list() as items:
                waiting.extend(items)
    return False
