"""Errors as pages: what happened, what to do, where to go, and the trace that explains it."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response

from chassis.problems import ErrorPage, Problem, problem_response
from services.web.frame.cookies import Cookies
from services.web.frame.rendering import Renderer
from services.web.frame.visitors import Visitor

_HOME = {"href": "/", "words": "See all events"}
_TITLES = {
    "page_unknown": "There is nothing here",
    "route_unknown": "There is nothing here",
    "event_unknown": "We do not know this event",
    "order_unknown": "We do not find this order",
    "tickets_unknown": "No tickets yet",
    "form_too_old": "This page was too old",
    "session_ended": "Please sign in again",
    "too_many_guests": "Very many orders have begun here",
    "too_many_streams": "Very many people are here",
    "method_not_allowed": "That is not possible here",
    "request_invalid": "There is nothing here",
    "internal_error": "Something went wrong on our side",
}
_TEXTS = {
    "route_unknown": "There is no such page. Look at the address again, or start from the list of events.",
    "request_invalid": "The address is not complete. Look at it again, or start from the list of events.",
    "method_not_allowed": "Start from the list of events.",
    "internal_error": "It is not your fault, and it is written down. Try again; if it stays, tell us the number below.",
}
_BUSY = "We cannot do this right now"
_BUSY_TEXT = "A part of our shop does not answer. Nothing was charged and nothing was lost. Try again in a few seconds."
_UNAVAILABLE = 503


def make_error_page(cookies: Cookies, renderer: Renderer) -> ErrorPage:
    """Shows problems as pages to browsers, and as problem documents to programs (`/api`, `/live`)."""

    def show(request: Request, problem: Problem) -> Response:
        if request.url.path.startswith(("/api/", "/live/")):
            return problem_response(request, problem)
        known: Visitor | None = getattr(request.state, "visitor", None)
        visitor = known or cookies.stranger(request)
        title, text = _words(problem)
        response = renderer.page(
            request,
            visitor,
            "frame/error.html",
            status=404 if problem.code == "request_invalid" else problem.status,
            code=problem.code,
            title=title,
            text=text,
            links=_links(request, problem),
        )
        if problem.retry_after_seconds:
            response.headers["Retry-After"] = str(problem.retry_after_seconds)
        return response

    return show


def _words(problem: Problem) -> tuple[str, str]:
    if problem.status == _UNAVAILABLE and problem.code not in _TITLES:
        return _BUSY, _BUSY_TEXT
    return _TITLES.get(problem.code, "That did not work"), _TEXTS.get(problem.code, problem.detail)


def _links(request: Request, problem: Problem) -> list[dict[str, str]]:
    path = request.url.path
    sign_in = {"href": f"/sign-in?next={quote(path)}", "words": "Sign in"}
    again = {"href": path if request.method == "GET" else "/", "words": "Try again"}
    choices: dict[str, Callable[[], list[dict[str, str]]]] = {
        "session_ended": lambda: [sign_in, _HOME],
        "order_unknown": lambda: [sign_in, _HOME],
        "too_many_guests": lambda: [{"href": "/my/orders", "words": "See my orders"}, sign_in, _HOME],
        "tickets_unknown": lambda: [{"href": path.removesuffix("/tickets.pdf"), "words": "Back to the order"}, _HOME],
    }
    if problem.code in choices:
        return choices[problem.code]()
    return [again, _HOME] if problem.status >= 500 and request.method == "GET" else [_HOME]
