"""Open streams: server-sent events, and what is behind sockets too: who listens, how many there may be, and why one ends."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from types import FrameType
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from services.web.frame.domain import TooManyStreams, TooManyStreamsOfOne
from services.web.frame.limits import Caller, Shares

HEARTBEAT_SECONDS = 15.0
# Streams end, so that browsers spread over all processes again and again, also after a roll-out.
LONGEST_SECONDS = 300.0
QUEUE_SIZE = 64
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_MEDIA_TYPE = "text/event-stream"


def message(event: str, data: object) -> bytes:
    """One server-sent event."""
    return b"event: " + event.encode() + b"\ndata: " + orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS) + b"\n\n"


def heartbeat_of(seconds: float) -> bytes:
    """What is sent in silence. It is an event and no comment, so that pages notice when it does not come."""
    return message("still-here", {"heartbeat_ms": int(seconds * 1000)})


async def streaming(stream: AsyncIterator[bytes]) -> StreamingResponse:
    """Answers with a stream, after its first message: what is refused before that is an error as on any page."""
    first = await anext(stream)

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for sent in stream:
            yield sent

    return StreamingResponse(whole(), headers=_HEADERS, media_type=_MEDIA_TYPE)


class End(StrEnum):
    """Why a stream ended."""

    AGE = "age"  # it was open for long enough
    RESTART = "restart"  # this process stops
    SLOW = "slow"  # its browser does not take what is sent
    GONE = "gone"  # its browser has left


class Listener:
    """One open stream's queue. It holds some messages; a browser that does not take them is dropped and comes back.

    `heartbeat` is what is sent in silence, every so many seconds; without one it is an event of a stream.
    """

    def __init__(self, heartbeat: bytes | None = None, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self.heartbeat = heartbeat or heartbeat_of(heartbeat_seconds)
        self._heartbeat_seconds = heartbeat_seconds
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_SIZE)
        # The span that caused what was queued last.
        self.caused_by: str | None = None
        self.end: End | None = None

    def put(self, sent: bytes) -> None:
        """Queues a message, or drops the listener if it is too slow."""
        try:
            self._queue.put_nowait(sent)
        except asyncio.QueueFull:
            self.drop(End.SLOW)

    def drop(self, why: End) -> None:
        """Ends the stream, also if its queue is full. The first reason counts."""
        self.end = self.end or why
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def messages(self) -> AsyncIterator[bytes]:
        """What was queued, with heartbeats in silence, until it is dropped or long enough."""
        loop = asyncio.get_running_loop()
        # Streams that began in the same second, after a roll-out, do not end in the same second.
        end = loop.time() + LONGEST_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - jitter is no secret
        while self.end is None:
            if (left := end - loop.time()) <= 0:
                self.end = End.AGE
                return
            try:
                async with asyncio.timeout(min(self._heartbeat_seconds, left)):
                    sent = await self._queue.get()
            except TimeoutError:
                yield self.heartbeat
                continue
            if sent is None:
                return
            yield sent


class Streams:
    """All open streams of this process: counted, bounded together and by who asks, and ended when the process stops."""

    def __init__(
        self,
        most: int,
        most_of_browser: int,
        most_of_address: int,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._most = most
        self.heartbeat_seconds = heartbeat_seconds
        self._of_browser = Shares(most_of_browser)
        self._of_address = Shares(most_of_address)
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    def check(self, caller: Caller) -> None:
        """Raises TooManyStreams if there is no place for another one, TooManyStreamsOfOne if none for this caller."""
        if self._of_browser.is_full(caller.browser) or self._of_address.is_full(caller.address):
            raise TooManyStreamsOfOne
        if len(self._listeners) >= self._most:
            raise TooManyStreams

    @contextmanager
    def listener(self, caller: Caller, heartbeat: bytes | None = None) -> Iterator[Listener]:
        """A listener as long as the block lasts. Raises TooManyStreams, TooManyStreamsOfOne."""
        self.check(caller)
        listener = Listener(heartbeat, self.heartbeat_seconds)
        with self._of_browser.one(caller.browser), self._of_address.one(caller.address):
            self._listeners.add(listener)
            try:
                yield listener
            finally:
                self._listeners.discard(listener)

    def end_all(self) -> None:
        """Ends every stream; browsers come back to another process."""
        for listener in list(self._listeners):
            listener.drop(End.RESTART)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Ends the streams as soon as the process is asked to stop, since a server first waits for open responses."""
        loop = asyncio.get_running_loop()
        with _also_on(signal.SIGTERM, loop, self.end_all), _also_on(signal.SIGINT, loop, self.end_all):
            yield
        self.end_all()


@contextmanager
def _also_on(number: signal.Signals, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> Iterator[None]:
    """Calls a function when the signal comes, before its present handler. Without a Python handler nothing changes."""
    handler = signal.getsignal(number)
    if not callable(handler) or handler is signal.default_int_handler:
        yield
        return

    def both(received: int, frame: FrameType | None) -> Any:
        loop.call_soon_threadsafe(call)
        return handler(received, frame)

    try:
        signal.signal(number, both)
    except ValueError:
        # Not the main thread, so no signals here either.
        yield
        return
    try:
        yield
    finally:
        if signal.getsignal(number) is both:
            signal.signal(number, handler)
