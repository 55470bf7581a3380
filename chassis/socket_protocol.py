"""uvicorn's WebSocket protocol, bounded. Imported where the library for sockets is installed: see chassis/sockets.py."""

import asyncio
from asyncio import TimerHandle
from asyncio.transports import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# How long the other side has for taking what was sent last.
LAST_BYTES_SECONDS = 5.0
# What a browser says as long as one socket is open, all together: it answers some pings, of ten bytes each, and says goodbye.
MOST_SAID_BYTES = 16 * 1024


class LastBytes:
    """Ends a connection for certain, some time after it should have ended: `close` waits until everything was taken."""

    def __init__(self) -> None:
        self._timer: TimerHandle | None = None

    def wait(self, transport: asyncio.Transport) -> None:
        """Begins to count, if it has not begun."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LAST_BYTES_SECONDS, transport.abort)

    def taken(self) -> None:
        """The connection has ended by itself."""
        if self._timer is not None:
            self._timer.cancel()


class BoundedSocket(WebSocketsSansIOProtocol):
    """One that ends although its other side takes nothing more: a phone that is gone, a browser that sleeps, an attacker.

    It also ends when its other side says too much: each frame costs this process as much as a short request, answers to pings
    that nobody takes pile up in its memory, and so do the pieces of a message that does not end.
    """

    def connection_made(self, transport: BaseTransport) -> None:
        """The connection is there."""
        self._last_bytes = LastBytes()
        self._said_bytes = 0
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Something was said: the request for a socket, then frames."""
        if self.handshake_initiated:
            self._said_bytes += len(data)
        if self._said_bytes > MOST_SAID_BYTES:
            self.transport.abort()
            return
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._last_bytes.taken()
        super().connection_lost(exc)

    def keepalive_timeout(self) -> None:
        """Nobody answers at the other side."""
        super().keepalive_timeout()
        self._last_bytes.wait(self.transport)

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self._last_bytes.wait(self.transport)

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        """The application has said all it wanted."""
        super().on_task_complete(task)
        if not self.disconnected:
            self._last_bytes.wait(self.transport)
