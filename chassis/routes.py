"""The short way to a use case. FastAPI finds out for each request what its function takes; here that is decided once.

It serves routes whose parameters are parts of the path, one JSON body, the request, the response, and dependencies on those. What
does not fit, and each request that would be refused as invalid, goes FastAPI's own way, so that there is one kind of refusal.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import Any, Self

from fastapi.dependencies.models import Dependant
from fastapi.params import Body
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
NO_CONTENT = 204

Values = dict[str, Any]
Parse = Callable[[Request], Awaitable[Values]]


class OperationRoute(APIRoute):
    """A route of an operation. Routers of operations are included without dependencies: those would not be asked here."""

    def get_route_handler(self) -> Any:
        """Called by FastAPI when the route is made, and when its router is included."""
        long_way = super().get_route_handler()
        if not _fits(self.dependant) or not (_is_model(self.response_model) or self.status_code == NO_CONTENT):
            return long_way
        steps = _steps(self.dependant.dependencies)
        function = _Step.of(self.dependant)
        parse = _parser(self.dependant)
        status = self.status_code or HTTPStatus.OK
        answers: TypeAdapter[Any] = TypeAdapter(self.response_model)

        async def short_way(request: Request) -> Any:
            try:
                values = await parse(request)
            except (ValidationError, _Unusual):
                return await long_way(request)
            found: Values = {}
            for step in steps:
                found[step.function] = await step.function(**step.arguments(request, None, values, found))
            said = Response(status_code=status)
            del said.headers["content-length"]
            answer = await function.function(**function.arguments(request, said, values, found))
            return answer if isinstance(answer, Response) else _response(answers, answer, said)

        return short_way


class _Unusual(Exception):
    """A request that FastAPI shall read."""


@dataclass(frozen=True)
class _Step:
    """A function, and the names under which it takes the request, the response, what others found, and what the request says."""

    function: Any
    request: str | None
    response: str | None
    found: tuple[tuple[str, Any], ...]
    values: tuple[str, ...]

    @classmethod
    def of(cls, dependant: Dependant) -> Self:
        """What FastAPI knows of a function."""
        found = tuple((each.name, each.call) for each in dependant.dependencies if each.name)
        values = tuple(each.name for each in (*dependant.path_params, *dependant.body_params))
        return cls(dependant.call, dependant.request_param_name, dependant.response_param_name, found, values)

    def arguments(self, request: Request, response: Response | None, values: Values, found: Values) -> Values:
        """What it is called with."""
        arguments: Values = {name: values[name] for name in self.values}
        for name, function in self.found:
            arguments[name] = found[function]
        if self.request:
            arguments[self.request] = request
        if self.response:
            arguments[self.response] = response
        return arguments


def _response(answers: TypeAdapter[Any], answer: Any, said: Response) -> Response:
    """An answer as JSON, with the status and the headers that the function set."""
    if said.status_code == NO_CONTENT:
        response = Response(status_code=NO_CONTENT, media_type=JSON)
    else:
        valid = answers.validate_python(answer, from_attributes=True)
        response = Response(answers.dump_json(valid, by_alias=True), said.status_code, media_type=JSON)
    response.headers.raw.extend(said.headers.raw)
    return response


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _fits(dependant: Dependant) -> bool:
    """Whether all that a function takes is of the kinds that are served here, and so for what it depends on."""
    others = (
        dependant.query_params,
        dependant.header_params,
        dependant.cookie_params,
        dependant.websocket_param_name,
        dependant.http_connection_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.concurrency,
    )
    body = [each.field_info for each in dependant.body_params]
    is_usual = not body or (len(body) == 1 and type(body[0]) is Body and _is_model(body[0].annotation))
    if any(others) or not is_usual or not iscoroutinefunction(dependant.call):
        return False
    return all(_fits(each) and not each.body_params for each in dependant.dependencies)


def _steps(dependencies: list[Dependant]) -> list[_Step]:
    """The dependencies in the order in which they are asked, each once."""
    steps: dict[Any, _Step] = {}
    for each in dependencies:
        for step in (*_steps(each.dependencies), _Step.of(each)):
            steps.setdefault(step.function, step)
    return list(steps.values())


def _fields(dependant: Dependant) -> list[Any]:
    """The parts of the path that a function and its dependencies take."""
    return [*dependant.path_params, *(part for each in dependant.dependencies for part in _fields(each))]


def _parser(dependant: Dependant) -> Parse:
    """Reads what a request says for a function and its dependencies. It raises ValidationError or `_Unusual`."""
    fields = {each.name: each for each in _fields(dependant)}
    body: tuple[str, Any] | None = next(
        ((each.name, each.field_info.annotation) for each in dependant.body_params), None
    )

    async def parse(request: Request) -> Values:
        values: Values = {}
        for name, part in fields.items():
            values[name], refused = part.validate(request.path_params.get(part.alias))
            if refused:
                raise _Unusual
        if body:
            if request.headers.get("content-type") != JSON:
                raise _Unusual
            name, model = body
            values[name] = model.model_validate_json(await request.body())
        return values

    return parse
