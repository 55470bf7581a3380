"""The HTTP protocol of our servers: uvicorn's, with a bound on how long a request's headers take, and how large they are."""

from asyncio import TimerHandle, Transport
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from chassis.crowds import Crowd, crowd_of, refusal
from chassis.limits import MOST_HEADER_BYTES

HEADERS_SECONDS = 10.0
UNAVAILABLE = 503

_TOO_LATE = b"408 Request Timeout", b"The headers of the request did not come in time. Send it again.\n"
_TOO_LARGE = b"431 Request Header Fields Too Large", b"The headers of the request are too large. Send less at once.\n"


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections whose headers do not end. A connection on which nothing was said at all is ended quietly.

    A request for which the process has no room (`crowds`) is answered here. What else comes of it is bounded as headers are.
    """

    def __init__(self, *given: Any, crowds: Sequence[Crowd] = (), **more: Any) -> None:
        super().__init__(*given, **more)
        self._crowds = crowds
        self._is_refused = False
        self._entering: tuple[Crowd, bytes] | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begins to count: the first request has its time from now on, each further one from its first byte on."""
        super().connection_made(transport)
        self._in_headers = False
        self._header_bytes = 0
        self._timer: TimerHandle | None = self.loop.call_later(HEADERS_SECONDS, self._end, _TOO_LATE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Counts no more."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes some bytes, unless they are too many for headers."""
        was_in_body = self.cycle is not None and self.cycle.more_body and not self._in_headers
        super().data_received(data)
        if not self._in_headers:
            return
        if not was_in_body:
            self._header_bytes += len(data)
        if self._header_bytes > MOST_HEADER_BYTES:
            self._end(_TOO_LARGE)
        elif self._timer is None:
            # Most headers come at once: those cost no timer.
            self._timer = self.loop.call_later(HEADERS_SECONDS, self._end, _TOO_LATE)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_headers = True
        self._header_bytes = 0
        self._stop_timer()

    def on_headers_complete(self) -> None:
        """The headers are there; what comes now is the body, which has bounds of its own (chassis/edge.py)."""
        self._in_headers = False
        self._stop_timer()
        if self._crowds and not self._has_room():
            self._is_refused = self._in_headers = True
        elif len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEADER_BYTES:
            self._end(_TOO_LARGE)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body, unless the request was refused before it began."""
        if not self._is_refused and not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of the body."""
        if self._is_refused:
            self._is_refused = self._in_headers = False
            self._refuse()
        elif not self.transport.is_closing():
            super().on_message_complete()

    def _has_room(self) -> bool:
        """Whether this request is served. What came before an answer was read, or waits to be asked for its body, is never refused."""
        self._entering = None
        if self.expect_100_continue or not (self.cycle is None or self.cycle.response_complete):
            return True
        self._entering = crowd_of(self._crowds, self.parser.get_method(), self.url)
        return self._entering is None or self._entering[0].has_room(self._entering[1])

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called by uvicorn when a request begins to be served."""
        entering, self._entering = self._entering, None
        super()._start_asgi_task(cycle, entering[0].enter(app, entering[1]) if entering else app)

    def _refuse(self) -> None:
        if (
            self.flow.write_paused
        ):  # who reads none of some hundred refusals is no caller of ours, and is kept no room for them
            self.transport.abort()
            return
        head = b"".join(b"%b: %b\r\n" % header for header in self.server_state.default_headers)
        self.transport.write(STATUS_LINE[UNAVAILABLE] + head + refusal(self.headers))
        if self.parser.should_keep_alive():
            self.on_response_complete()
        else:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, why: tuple[bytes, bytes]) -> None:
        if self.transport.is_closing():
            return
        status, sentence = why
        if self._in_headers or why is _TOO_LARGE:
            length = str(len(sentence)).encode()
            head = b"HTTP/1.1 " + status + b"\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            self.transport.write(head + b"content-length: " + length + b"\r\n\r\n" + sentence)
        self._in_headers = False
        self.transport.close()
