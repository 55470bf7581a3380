"""HTTP as proxies, monitors and people expect it: HEAD, `Allow`, and a slash too many or too few in an address."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match

from tracing.asgi import ASKED_METHOD

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MOVED = 307

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class AnswersHead:
    """Wraps an ASGI application from the outside: HEAD gets the status and the headers of GET, and no body.

    A stream that would go on for minutes learns that nobody listens any more, as soon as it has begun.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        begun = asyncio.Event()
        has_ended = False

        async def receive_until_begun() -> Any:
            asking, waiting = asyncio.ensure_future(receive()), asyncio.ensure_future(begun.wait())
            try:
                await asyncio.wait((asking, waiting), return_when=asyncio.FIRST_COMPLETED)
                return {"type": "http.disconnect"} if begun.is_set() else asking.result()
            finally:
                asking.cancel()
                waiting.cancel()

        async def send_head(message: Any) -> None:
            nonlocal has_ended
            if message["type"] == "http.response.start":
                await send(message)
                begun.set()
            elif not has_ended and not message.get("more_body", False):
                has_ended = True
                await send({"type": "http.response.body", "body": b""})

        await self._app({**scope, "method": "GET", ASKED_METHOD: "HEAD"}, receive_until_begun, send_head)
        if begun.is_set() and not has_ended:
            await send({"type": "http.response.body", "body": b""})


def allowed_methods(request: Request) -> list[str]:
    """The methods that this address takes, over all routes and routers."""
    there = {method for method in METHODS if _is_route(request, request.scope["path"], method)}
    return [method for method in METHODS if method in there or (method == "HEAD" and "GET" in there)]


def other_address(request: Request) -> Response | None:
    """A redirect to the same address with a slash less or more at its end, if there is a route. It names neither scheme nor host.

    What `Host` or a proxy says may be anybody's: the browser stays with whom it asked.
    """
    path, raw = request.scope["path"], request.scope.get("raw_path") or b""
    other, raw_other = (path[:-1], raw[:-1]) if path.endswith("/") else (f"{path}/", raw + b"/")
    # An address that begins with two slashes would be another host's.
    if not other.startswith("/") or other.startswith(("//", "/\\")) or not raw_other.startswith(b"/"):
        return None
    if not _is_route(request, other, request.method):
        return None
    query = request.url.query
    return RedirectResponse(raw_other.decode("latin-1") + (f"?{query}" if query else ""), MOVED)


def _is_route(request: Request, path: str, method: str) -> bool:
    scope = {**request.scope, "path": path, "raw_path": path.encode(), "method": method, "root_path": ""}
    scope.pop("app_root_path", None)
    return any(route.matches(scope)[0] is Match.FULL for route in _routes(request))


def _routes(request: Request) -> Iterator[BaseRoute]:
    yield from request.app.router.routes
