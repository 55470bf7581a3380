"""What is measured of each request, call, message and statement, where it passes by: inside of its span, which is the exemplar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from tracing.asgi import ASKED_METHOD, UNTRACED_PATHS
from tracing.instruments import (
    HTTP_SERVER_ACTIVE,
    HTTP_SERVER_DURATION,
    MESSAGE_PROCESSED,
)
from tracing.metrics import Metrics
from tracing.series import Series

SERVER_ERROR = 500
# A request that was given up before it had an answer (nginx' number for it).
GIVEN_UP = 499
# One name for all unknown routes and one for all unknown methods: strangers could otherwise make as many series as they like.
UNMATCHED = "(unmatched)"
OTHER_METHOD = "_OTHER"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """Wraps an ASGI application: how many requests there are, how long they take, and how they end.

    `unmeasured` are path prefixes of streams that live for minutes.
    """

    def __init__(self, app: Any, *, metrics: Metrics, unmeasured: tuple[str, ...] = ()) -> None:
        self._app = app
        self._metrics = metrics
        self._unmeasured = unmeasured or ("\0",)
        self._active = 0
        self._series: dict[tuple[str, str, int, str], Series] = {}
        metrics.show(HTTP_SERVER_ACTIVE, lambda: [(self._active, {})])

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED_PATHS or scope["path"].startswith(self._unmeasured):
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_and_note(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        failure = ""
        started = perf_counter()
        self._active += 1
        try:
            await self._app(scope, receive, send_and_note)
        except BaseException as error:
            failure = type(error).__name__
            status = status or (SERVER_ERROR if isinstance(error, Exception) else GIVEN_UP)
            raise
        finally:
            self._active -= 1
            self._note(scope, status or GIVEN_UP, failure, perf_counter() - started)

    def _note(self, scope: dict[str, Any], status: int, failure: str, seconds: float) -> None:
        # Each label has few values, whatever strangers ask for.
        method = scope.get(ASKED_METHOD, scope["method"])
        key = (
            method if method in METHODS else OTHER_METHOD,
            getattr(scope.get("route"), "path", None) or UNMATCHED,
            status,
            failure or (str(status) if status >= SERVER_ERROR else ""),
        )
        (self._series.get(key) or self._new(key)).add(seconds)

    def _new(self, key: tuple[str, str, int, str]) -> Series:
        method, route, status, error = key
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
        if error:
            attributes["error.type"] = error
        return self._series.setdefault(key, self._metrics.series(HTTP_SERVER_DURATION, attributes))


@contextmanager
def measured_processing(metrics: Metrics, subject: str, consumer: str = "") -> Iterator[Callable[[str], None]]:
    """How long a message was handled. The block says how that ended, at its end; "failed" if it says nothing.

    `subject` without what differs from message to message.
    """
    outcome = "failed"

    def ended(how: str) -> None:
        nonlocal outcome
        outcome = how

    attributes = {
        "messaging.system": "nats",
        "messaging.operation.name": "process",
        "messaging.destination.name": subject,
    }
    if consumer:
        attributes["messaging.consumer.group.name"] = consumer
    started = perf_counter()
    try:
        yield ended
    except BaseException as error:
        attributes["error.type"] = type(error).__name__
        raise
    finally:
        metrics.record(MESSAGE_PROCESSED, perf_counter() - started, {**attributes, "onsale.outcome": outcome})
