"""What wraps every request of every service: its deadline, and the pin of what its caller has written."""

import asyncio
from typing import Any

from starlette.requests import Request

from chassis.db import required_pin, written_pin
from chassis.deadline import DEADLINE_HEADER, seconds_of_header, set_deadline
from chassis.errors import DeadlinePassed
from chassis.http import PIN_HEADER
from chassis.problems import ErrorPage, problem_of


class EdgeMiddleware:
    """Ends a request whose caller does not wait any more (503), except for streams; carries pins in and out."""

    def __init__(self, app: Any, *, show: ErrorPage, streams: tuple[str, ...] = ()) -> None:
        self._app = app
        self._show = show
        self._streams = streams

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._streams or ("\0",)):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        required_pin.set(request.headers.get(PIN_HEADER))
        written_pin.set(None)
        started = False

        async def send_with_pin(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if pin := written_pin.get():
                    message["headers"] = [*message.get("headers", []), (PIN_HEADER.lower().encode(), pin.encode())]
            await send(message)

        try:
            async with asyncio.timeout(set_deadline(seconds_of_header(request.headers.get(DEADLINE_HEADER)))):
                await self._app(scope, receive, send_with_pin)
        except TimeoutError:
            if started:
                raise
            await self._show(request, problem_of(DeadlinePassed()))(scope, receive, send)
