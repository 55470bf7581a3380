"""Errors at the edge: RFC 9457 problem documents, each a sentence that says what to do, with the trace that explains it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_jsonable_python
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import ChassisError, facts_of, status_of
from chassis.http import ProviderUnavailable
from chassis.logs import log
from chassis.manners import allowed_methods, other_address
from tracing.spans import current_trace_id, note

MEDIA_TYPE = "application/problem+json"
SERVER_ERROR = 500
_CODES = {400: "request_unreadable", 404: "route_unknown", 405: "method_not_allowed", 413: "body_too_large"}
# These replace the framework's own texts, which are no sentences and do not say what to do.
_SENTENCES = {
    400: "The body cannot be read. Send what the Content-Type says, as UTF-8 and not nested too deeply.",
    404: "There is no such route. Look at the address again.",
    405: "This route does not take this method. Look at the service's OpenAPI document.",
    413: "The body is too large. Send less at once.",
}

_LOG = log(__name__)


@dataclass(frozen=True)
class Problem:
    """What went wrong, ready to be shown: as a problem document, or on a page."""

    status: int
    code: str
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)
    retry_after_seconds: int | None = None

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase


ErrorPage = Callable[[Request, Problem], Response]


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is. One without a category is our own mistake: 500, and nothing of it is shown."""
    if isinstance(error, RequestValidationError):
        return Problem(422, "request_invalid", _sentence_of(error), {"errors": _validation_errors(error)})
    if isinstance(error, HTTPException):
        sentence = _SENTENCES.get(error.status_code, f"The request was refused: {error.detail}.")
        return Problem(error.status_code, _CODES.get(error.status_code, "refused"), sentence)
    status = status_of(error)
    if status == SERVER_ERROR:
        sentence = "Something went wrong on our side. Try again; if it stays, send us the trace id."
        return Problem(SERVER_ERROR, "internal_error", sentence)
    facts = facts_of(error)
    code = str(facts.pop("code", None) or getattr(error, "code", "refused"))
    retry_after = getattr(error, "retry_after_seconds", None)
    return Problem(status, code, str(error), facts, retry_after)


def document_of(problem: Problem, trace_id: str | None) -> dict[str, Any]:
    """The problem as a document."""
    return {
        # As answers write them: times in UTC end in Z.
        **to_jsonable_python(problem.facts),
        "type": f"urn:onsale:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "trace_id": trace_id,
    }


def problem_response(_request: Request | None, problem: Problem) -> Response:
    """The problem as `application/problem+json`."""
    document = document_of(problem, current_trace_id())
    headers = {"Retry-After": str(problem.retry_after_seconds)} if problem.retry_after_seconds else None
    return Response(orjson.dumps(document), problem.status, headers, MEDIA_TYPE)


def handle_errors(app: FastAPI, errors: type[Exception] | None, page: ErrorPage | None) -> None:
    """Lets the application answer every error with a problem document, or with `page` where one is given."""
    show = page or problem_response

    async def known(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if problem.code == "route_unknown" and (elsewhere := other_address(request)) is not None:
            return elsewhere
        note_refusal(problem)
        if problem.status >= SERVER_ERROR:
            _LOG.warning("answered with a problem", code=problem.code, status=problem.status, error=str(error))
        response = show(request, problem)
        if problem.code == "method_not_allowed":
            response.headers["Allow"] = ", ".join(allowed_methods(request))
        return response

    for kind in (
        ChassisError,
        ProviderUnavailable,
        RequestValidationError,
        HTTPException,
        *([errors] if errors else []),
    ):
        app.add_exception_handler(kind, known)
    app.add_middleware(_LastResort, show=show)


def note_refusal(problem: Problem) -> None:
    """Says in the request's span with which code it was refused: its status alone tells many refusals alike."""
    if problem.status < SERVER_ERROR:
        note({"onsale.refusal": problem.code})


class _LastResort:
    """Answers what nothing else did, and writes its traceback to the log."""

    def __init__(self, app: Any, show: ErrorPage) -> None:
        self._app = app
        self._show = show

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def note(message: Any) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:
            _LOG.exception("a request failed", error=type(error).__name__)
            if started:
                raise
            response = self._show(Request(scope, receive), problem_of(error))
            await response(scope, receive, send)


def _validation_errors(error: RequestValidationError) -> list[dict[str, str]]:
    # Without the values: they may be personal, and they may not even be text.
    return [{"field": _path(each["loc"]), "problem": each["msg"]} for each in error.errors()]


def _sentence_of(error: RequestValidationError) -> str:
    fields = ", ".join(dict.fromkeys(f"{each['field']} ({each['problem']})" for each in _validation_errors(error)))
    return f"The request is not valid: {fields}. Correct it and send it again."


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
