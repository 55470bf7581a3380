"""uvicorn's server, woken by signals alone: its own wakes ten times a second, to see whether it shall end and to renew the date."""

import asyncio
from email.utils import formatdate
from socket import socket
from time import time
from types import FrameType

import uvicorn
from uvicorn.server import ServerState

from chassis.on_bus import BusServer

# Longer than clients keep a connection that nobody uses: otherwise one ends just when it is used again.
KEEP_ALIVE_SECONDS = 75

Headers = list[tuple[bytes, bytes]]


class Server(uvicorn.Server):
    """Serves until a signal. `config.date_header` must be off: the date is written here.

    With `on_bus` it serves there as well; that it opens no port is said by whoever runs it, with an empty list of sockets.
    """

    def __init__(self, config: uvicorn.Config, on_bus: BusServer | None = None) -> None:
        super().__init__(config)
        self._on_bus = on_bus
        self.server_state = DatedState()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signalled = asyncio.Event()

    @property
    def is_on_bus(self) -> bool:
        """Whether it is asked over the bus."""
        return self._on_bus is not None

    async def main_loop(self) -> None:
        """Called by uvicorn when it has started; returns when it shall end."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            await self._signalled.wait()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Called by uvicorn; returns when requests are served."""
        await super().startup(sockets)
        if self._on_bus is not None and self.started:
            await self._on_bus.start()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Called by uvicorn; returns when what was begun is finished and the application has stopped."""
        if self._on_bus is not None:
            await self._on_bus.stop(self.config.timeout_graceful_shutdown or 0)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came; at that moment the event loop may be asleep."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._signalled.set)


class DatedState(ServerState):
    """What protocols read; the date is made for the first response of a second."""

    _others: Headers
    _dated: Headers
    _second: int | None

    @property
    def default_headers(self) -> Headers:
        """Of each response."""
        if (second := int(time())) != self._second:
            self._dated = [(b"date", formatdate(second, usegmt=True).encode()), *self._others]
            self._second = second
        return self._dated

    @default_headers.setter
    def default_headers(self, headers: Headers) -> None:
        self._others, self._second = headers, None
