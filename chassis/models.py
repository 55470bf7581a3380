"""Bases for what crosses the edge of a service."""

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """A request's body: unknown fields are refused, so that a misspelt or injected one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Response(BaseModel):
    """A response's body."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
