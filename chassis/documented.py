"""An OpenAPI document that tells all of a route: whom it lets in, and how it refuses, not only what it gives when all is well."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal, Union, get_origin, get_type_hints

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, Field, create_model

from chassis.errors import STATUS_OF_CATEGORY, CallerNotAllowed, DeadlinePassed, NotAuthenticated, StoreUnavailable
from chassis.http import PERSON_HEADER
from chassis.identity import access_of, person, person_of_order
from chassis.manners import AnswersHead
from chassis.problems import MEDIA_TYPE

# Beside each operation: the services that it lets in.
CALLERS = "x-callers"
# Says whether asking twice is as if it were asked once.
REPEATABLE = "x-repeatable"
FIRST_REFUSAL = 400
_EVERYBODY = ("*",)
_JSON = "application/json"
_SCHEMES = {
    "service": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The calling service."},
    "person": {"type": "apiKey", "in": "header", "name": PERSON_HEADER, "description": "On whose behalf it calls."},
}


class ProblemOut(BaseModel):
    """A refusal (RFC 9457). `detail` is a sentence that says what to do, `code` is for programs."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    trace_id: str | None


Refusals = dict[int | str, dict[str, Any]]
# Every route may refuse with more than it declares, as a document or as a page: not signed in, not valid, too late, out of order.
ANY_REFUSAL: Refusals = {"default": {"model": ProblemOut, "description": "Any other refusal."}}
ANY_PAGE: Refusals = {"default": {"content": {"text/html": {}}, "description": "Any refusal."}}


class _RequestInvalid(Exception):
    """What FastAPI says of a request that does not fit its model; see chassis/problems.py."""

    code = "request_invalid"
    category = "invalid"


_OF_THE_CHASSIS = (NotAuthenticated, CallerNotAllowed, _RequestInvalid, DeadlinePassed, StoreUnavailable)


def refuses(*errors: type[Exception], without: tuple[str, ...] = ()) -> Refusals:
    """What a route's own refusals are, for its `responses=`: errors of the domain, and other services `without` which it cannot work.

    An error's annotated attributes are its facts, and promised; others may be there, and may go. What the chassis itself
    refuses with one of these statuses is described beside them.
    """
    models: dict[int, list[type[BaseModel]]] = defaultdict(list)
    own: tuple[Any, ...] = errors
    for error in own:
        models[_status_of(error)].append(_model_of(error))
    for provider in without:
        models[STATUS_OF_CATEGORY["unavailable"]].append(_unavailable(provider))
    for error in _OF_THE_CHASSIS:
        if _status_of(error) in models:
            models[_status_of(error)].append(_model_of(error))
    return {status: _response(status, found) for status, found in sorted(models.items())}


class Documented(FastAPI):
    """A FastAPI application whose document names the callers of each route, and the media type of its refusals."""

    def build_middleware_stack(self) -> Any:
        """The application with all that wraps it; HEAD is the outermost, so that it has the headers that GET leaves with."""
        return AnswersHead(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for operation, dependant in self._operations(document):
                _tell_access(operation, dependant)
                _tell_refusals(operation)
            document.setdefault("components", {})["securitySchemes"] = _SCHEMES
        return self.openapi_schema or {}

    def _operations(self, document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Dependant]]:
        for context in iter_route_contexts(self.routes):
            if isinstance(context.original_route, APIRoute) and context.include_in_schema:
                for method in context.methods or ():
                    yield document["paths"][context.path_format][method.lower()], context.dependant


def _tell_access(operation: dict[str, Any], dependant: Dependant) -> None:
    calls = list(_calls(dependant))
    callers = next(access for call in calls if (access := access_of(call)))
    if callers == _EVERYBODY:
        return
    operation[CALLERS] = sorted(callers)
    needed: dict[str, list[str]] = {"service": []}
    if person in calls or person_of_order in calls:
        needed["person"] = []
    operation["security"] = [needed]


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from _calls(each)


def _tell_refusals(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if (status == "default" or int(status) >= FIRST_REFUSAL) and _JSON in response["content"]:
            response["content"] = {MEDIA_TYPE: response["content"][_JSON]}


# Errors of domains have no base class in common, so they are of any type here: it is enough that they have a code and a category.
def _status_of(error: Any) -> int:
    return STATUS_OF_CATEGORY[error.category]


@cache
def _model_of(error: Any) -> type[BaseModel]:
    facts = {
        name: (kind, ...)
        for name, kind in get_type_hints(error).items()
        if get_origin(kind) is not ClassVar and not name.startswith("_")
    }
    return _problem(f"{error.__name__.lstrip('_')}Problem", error.code, _status_of(error), error.__doc__, facts)


@cache
def _unavailable(provider: str) -> type[BaseModel]:
    words = f"The service {provider} does not answer: try again."
    status = STATUS_OF_CATEGORY["unavailable"]
    return _problem(f"{provider.title()}UnavailableProblem", f"{provider}_unavailable", status, words, {})


def _problem(name: str, code: str, status: int, words: str | None, facts: dict[str, Any]) -> type[BaseModel]:
    members = {"code": (Literal[code], ...), "status": (Literal[status], ...), **facts}
    return create_model(name, __base__=ProblemOut, __doc__=words, **members)


def _response(status: int, models: list[type[BaseModel]]) -> dict[str, Any]:
    one_of: Any = models[0]
    if len(models) > 1:
        one_of = Annotated[Union[tuple(models)], Field(discriminator="code")]  # noqa: UP007  # made of a list
    return {"model": one_of, "description": HTTPStatus(status).phrase}
