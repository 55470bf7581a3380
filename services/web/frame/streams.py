"""Open streams of server-sent events: what is sent, who listens, and how many there may be."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
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


HEARTBEAT = b": still here\n\n"


async def streaming(stream: AsyncIterator[bytes]) -> StreamingResponse:
    """Answers with a stream, after its first message: what is refused before that is an error as on any page."""
    first = await anext(stream)

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for sent in stream:
            yield sent

    return StreamingResponse(whole(), headers=_HEADERS, media_type=_MEDIA_TYPE)


class Listener:
    """One open stream's queue. It holds some messages; a browser that does not take them is dropped and comes back."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_SIZE)
        # The span that caused what was queued last.
        self.caused_by: str | None = None
        self._dropped = False

    @property
    def is_dropped(self) -> bool:
        """Whether it was too slow, or everything ends."""
        return self._dropped

    def put(self, sent: bytes) -> None:
        """Queues a message, or drops the listener if it is too slow."""
        try:
            self._queue.put_nowait(sent)
        except asyncio.QueueFull:
            self.drop()

    def drop(self) -> None:
        """Ends the stream, also if its queue is full."""
        self._dropped = True
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def messages(self) -> AsyncIterator[bytes]:
        """What was queued, with heartbeats in silence, until it is dropped or long enough."""
        loop = asyncio.get_running_loop()
        # Streams that began in the same second, after a roll-out, do not end in the same second.
        end = loop.time() + LONGEST_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - jitter is no secret
        while not self._dropped and (left := end - loop.time()) > 0:
            try:
                sent = await asyncio.wait_for(self._queue.get(), min(HEARTBEAT_SECONDS, left))
            except TimeoutError:
                yield HEARTBEAT
                continue
            if sent is None:
                return
            yield sent


class Streams:
    """All open streams of this process: counted, bounded together and by who asks, and ended when the process stops."""

    def __init__(self, most: int, most_of_browser: int, most_of_address: int) -> None:
        self._most = most
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
    def listener(self, caller: Caller) -> Iterator[Listener]:
        """A listener as long as the block lasts. Raises TooManyStreams, TooManyStreamsOfOne."""
        self.check(caller)
        listener = Listener()
        with self._of_browser.one(caller.browser), self._of_address.one(caller.address):
            self._listeners.add(listener)
            try:
                yield listener
            finally:
                self._listeners.discard(listener)

    def end_all(self) -> None:
        """Ends every stream; browsers come back to another process."""
        for listener in list(self._listeners):
            listener.drop()

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
