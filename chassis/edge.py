"""What wraps every request of every service: its deadline, how large it may be, and the pin of what its caller has written."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import unquote_plus

from fastapi import HTTPException
from starlette.requests import Request

from chassis.consistency import current_policy
from chassis.db import required_pin, written_pin
from chassis.deadline import DEADLINE_HEADER, seconds_of_header, set_deadline
from chassis.errors import DeadlinePassed
from chassis.http import PIN_HEADER, provider_pins
from chassis.models import UNKEEPABLE
from chassis.problems import ErrorPage, Problem, note_refusal, problem_of

# The largest request that anybody has to make is a form with some hundred fields.
MAX_BODY_BYTES = 262_144
TOO_LARGE = 413
NOT_FOUND = 404
INVALID = 422

_WAL_POSITION = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")


class KeptPins(Protocol):
    """Lets a browser carry what its requests have written: positions in the logs of services' databases, by service.

    `own` is the name of the service that keeps them.
    """

    own: str

    def remembered(self, scope: Mapping[str, Any]) -> dict[str, str]:
        """Those that a request brings."""

    def kept(self, pins: Mapping[str, str]) -> str:
        """The cookie with which the answer gives them back."""


class EdgeMiddleware:
    """Ends a request whose caller does not wait any more (503), except for streams; carries pins in and out.

    A body of more than MAX_BODY_BYTES is refused (413) before it is kept, whether or not it says how long it is.

    `pins` keeps what a caller's requests have written at other services until their next request.
    """

    def __init__(
        self, app: Any, *, show: ErrorPage, streams: tuple[str, ...] = (), pins: KeptPins | None = None
    ) -> None:
        self._app = app
        self._show = show
        self._streams = streams
        self._pins = pins

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        before = self._pins.remembered(scope) if self._pins else {}
        pins = dict(before)
        provider_pins.set(pins)
        written_pin.set(None)
        current_policy.set(None)
        required_pin.set(pins.get(self._pins.own) if self._pins else None)
        if scope["path"].startswith(self._streams or ("\0",)):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        pin = request.headers.get(PIN_HEADER, "")
        # Anything that is not a WAL position is no pin.
        if self._pins is None and _WAL_POSITION.fullmatch(pin):
            required_pin.set(pin)
        if problem := _too_large(request) or _unkeepable(scope):
            note_refusal(problem)
            await self._show(request, problem)(scope, receive, send)
            return
        started = False

        async def send_with_pin(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if more := self._written(before, pins):
                    message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        try:
            async with asyncio.timeout(set_deadline(seconds_of_header(request.headers.get(DEADLINE_HEADER)))):
                await self._app(scope, _bounded(receive), send_with_pin)
        except TimeoutError:
            if started:
                raise
            await self._show(request, problem_of(DeadlinePassed()))(scope, receive, send)

    def _written(self, before: Mapping[str, str], pins: dict[str, str]) -> list[tuple[bytes, bytes]]:
        """The headers that say what this request has written: to another service its pin, to a browser a cookie."""
        own = written_pin.get()
        if self._pins is None:
            return [(PIN_HEADER.lower().encode(), own.encode())] if own else []
        if own:
            pins[self._pins.own] = own
        return [(b"set-cookie", self._pins.kept(pins).encode())] if pins != before else []


def _unkeepable(scope: dict[str, Any]) -> Problem | None:
    """The refusal of an address with a character that no database keeps: nothing has such a name."""
    if UNKEEPABLE.search(scope["path"]):
        return problem_of(HTTPException(NOT_FOUND))
    if UNKEEPABLE.search(unquote_plus(scope.get("query_string", b"").decode("latin-1"))):
        return Problem(INVALID, "request_invalid", "The address holds a NUL character, which no text has. Take it out.")
    return None


def _too_large(request: Request) -> Problem | None:
    """The refusal of a body that says itself that it is too large."""
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isdecimal() and len(length) < 20 else 0
    return problem_of(HTTPException(TOO_LARGE)) if announced > MAX_BODY_BYTES else None


def _bounded(receive: Any) -> Any:
    received = 0

    async def receive_some() -> Any:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            # This must be the framework's own error: it turns any other one that is raised while it reads a body into a 400.
            raise HTTPException(TOO_LARGE)
        return message

    return receive_some
