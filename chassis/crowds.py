"""Requests of which crowds come: a process serves so many of them at once, and refuses the others before it has read them.

What a process has begun it finishes in time, and a refusal costs a twentieth of an answer: so whoever is refused knows it at once, and
those who are served are as many as without the crowd. A crowd for one thing (an event) leaves room for those who want another.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from chassis.errors import Crowded
from chassis.problems import MEDIA_TYPE, document_of, problem_of
from tracing.instruments import CROWD_REFUSED
from tracing.metrics import Metrics

# Enough to keep a process busy, and few enough to be done within a tenth of a second: who is served waits for all of these.
MOST_AT_ONCE, MOST_OF_ONE = 96, 64
# What comes in a burst is served. A crowd that stays is served no sooner if more of it wait, and each refusal delays who is served.
MOST_OF_ONE_STAYING = 32
STAYS_SECONDS = 0.25

_PART = re.compile(r"\{(\w+)\}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_SOME_TRACE = "5" * 32


class Crowd:
    """The requests of one operation in this process. `part` is what crowds come for: a part of its path, such as `event_id`."""

    def __init__(self, method: str, path: str, part: str, metrics: Metrics) -> None:
        self._method = method.encode()
        pattern = _PART.sub(lambda found: "([^/?]+)" if found[1] == part else "[^/?]+", path)
        self._address = re.compile(pattern.encode())
        self._served: Counter[bytes] = Counter()
        self._all = 0
        self._refused_since = self._refused_last = 0.0
        self.refused = 0
        labels = {"http.request.method": method, "http.route": path}
        metrics.show(CROWD_REFUSED, lambda: [(self.refused, labels)])

    def wanted(self, method: bytes, url: bytes) -> bytes | None:
        """What a request is for, if it is one of these."""
        found = self._address.fullmatch(url) if method == self._method else None
        return found[1] if found else None

    def has_room(self, wanted: bytes) -> bool:
        """Whether one more is served; else it counts as refused."""
        if self._all < MOST_OF_ONE_STAYING:
            return True
        now = time.monotonic()
        stays = now - self._refused_last < STAYS_SECONDS < now - self._refused_since
        if self._all < MOST_AT_ONCE and self._served[wanted] < (MOST_OF_ONE_STAYING if stays else MOST_OF_ONE):
            return True
        if now - self._refused_last > STAYS_SECONDS:
            self._refused_since = now
        self._refused_last = now
        self.refused += 1
        return False

    def enter(self, app: Any, wanted: bytes) -> Any:
        """The ASGI application for one request that is served from now on until the application returns."""
        self._all += 1
        self._served[wanted] += 1

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self._leave(wanted)

        return serve

    def _leave(self, wanted: bytes) -> None:
        self._all -= 1
        self._served[wanted] -= 1
        if not self._served[wanted]:
            del self._served[wanted]


def crowd_of(crowds: Iterable[Crowd], method: bytes, url: bytes) -> tuple[Crowd, bytes] | None:
    """The crowd that a request is of, and what it is for; None if it is of none."""
    for crowd in crowds:
        if (wanted := crowd.wanted(method, url)) is not None:
            return crowd, wanted
    return None


def refusal(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The rest of an answer behind its first headers. It has no span: the trace that it names is the one with which the request came."""
    for name, value in headers:
        if name == b"traceparent" and (found := _TRACEPARENT.fullmatch(value)):
            return _TRACED.replace(_SOME_TRACE.encode(), found[1])
    return _UNTRACED


def _rest(trace_id: str | None) -> bytes:
    problem = problem_of(Crowded())
    body = orjson.dumps(document_of(problem, trace_id))
    lines = [
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        f"retry-after: {problem.retry_after_seconds}",
        *([f"x-trace-id: {trace_id}"] if trace_id else ()),
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode() + body


_UNTRACED, _TRACED = _rest(None), _rest(_SOME_TRACE)
