"""uvicorn's server, woken by signals alone: its own wakes ten times a second, to see whether it shall end and to renew the date."""

import asyncio
from email.utils import formatdate
from time import time
from types import FrameType

import uvicorn
from uvicorn.server import ServerState

# Longer than clients keep a connection that nobody uses: otherwise one ends just when it is used again.
KEEP_ALIVE_SECONDS = 75

Headers = list[tuple[bytes, bytes]]


class Server(uvicorn.Server):
    """Serves until a signal. `config.date_header` must be off: the date is written here."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state = DatedState()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signalled = asyncio.Event()

    async def main_loop(self) -> None:
        """Called by uvicorn when it has started; returns when it shall end."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            await self._signalled.wait()

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
