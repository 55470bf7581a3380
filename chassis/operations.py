"""What a service offers: each operation declared once, as a value, and the router made from it. FastAPI serves, OpenAPI describes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.datastructures import Default
from fastapi.params import Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from chassis.consistency import CONSISTENCY, Policy, declared
from chassis.documented import REPEATABLE, refuses
from chassis.http import REPEATABLE_METHODS
from chassis.idempotency import NEEDS_KEY
from chassis.identity import calls_from, open_to_all
from chassis.routes import OperationRoute

EVERYBODY = ("*",)

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation, as whoever offers it promises it.

    `callers` are the services that it lets in, or EVERYBODY. `answers` is the model of a success with `status`, None for an
    empty one, a dictionary for a document that a standard describes; `also` are other successes with the same model, in words.
    `media_type` is that of a file. `refuses` are errors of the domain, `without` the services without which it cannot work.
    `keyed`: it needs an Idempotency-Key. `repeatable`: asked twice, it is as if it were asked once; by default what HTTP or a
    key makes so. `reads` says how old what it reads may be: every GET says so; without it the primary is read.
    """

    method: str
    path: str
    callers: tuple[str, ...]
    answers: type[BaseModel] | type[dict[str, Any]] | None = None
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    refuses: tuple[type[Exception], ...] = ()
    without: tuple[str, ...] = ()
    keyed: bool = False
    repeatable: bool = False
    media_type: str = "application/json"
    reads: Policy | None = None

    def __post_init__(self) -> None:
        if self.method == "GET" and self.reads is None:
            raise ValueError(f"{self}: say with reads= how old what it reads may be.")
        object.__setattr__(self, "repeatable", self.repeatable or self.keyed or self.method in REPEATABLE_METHODS)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @cached_property
    def access(self) -> Depends:
        """The dependency that lets its callers in; as a parameter's default it gives the caller's name."""
        return open_to_all if self.callers == EVERYBODY else calls_from(*self.callers)


def serves(router: APIRouter, operation: Operation) -> Callable[[Handler], Handler]:
    """A decorator: the function answers the operation, as it is declared."""
    answers: dict[int | str, dict[str, Any]] = dict(refuses(*operation.refuses, without=operation.without))
    answers |= {status: {"model": operation.answers, "description": words} for status, words in operation.also.items()}
    is_file = operation.media_type != "application/json"
    if is_file:
        answers[operation.status] = {
            "content": {operation.media_type: {"schema": {"type": "string", "format": "binary"}}}
        }

    def register(handler: Handler) -> Handler:
        router.add_api_route(
            operation.path,
            handler,
            methods=[operation.method],
            status_code=operation.status,
            response_model=None if is_file else operation.answers,
            dependencies=[operation.access, *([Depends(declared(operation.reads))] if operation.reads else [])],
            responses=answers,
            openapi_extra={
                REPEATABLE: operation.repeatable,
                **(NEEDS_KEY if operation.keyed else {}),
                **({CONSISTENCY: operation.reads.document()} if operation.reads else {}),
            },
            # With its own default FastAPI writes a model as JSON by the quick way.
            response_class=Response if is_file else Default(JSONResponse),
            route_class_override=OperationRoute,
        )
        return handler

    return register
