"""A network between a browser and the shop that does what networks do: slow, away, silent. It is an HTTP proxy of the browser."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_REFUSED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Network:
    """Browsers ask for sockets with CONNECT, and for all else with whole addresses: so they can be told apart.

    Each request has a connection of its own. What is under way while the network is away arrives when it is back, as packets do.
    """

    def __init__(self) -> None:
        self.address = ""
        # Seconds that each piece of data is on its way, in each direction.
        self.latency_seconds = 0.0
        self.refuses_sockets = False
        self._loop = asyncio.new_event_loop()
        self._is_there = asyncio.Event()
        # Open sockets, and whether what they say arrives.
        self._sockets: dict[asyncio.StreamWriter, asyncio.Event] = {}
        self.opened_sockets = 0

    def away(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._call(self._is_there.clear)

    def back(self) -> None:
        """Everything passes again."""
        self._call(self._is_there.set)

    def silence_sockets(self) -> None:
        """What open sockets say is lost on the way; they stay open. Those that are opened from now on speak."""
        self._call(self._silence)

    def break_sockets(self) -> None:
        """Open sockets end as if somebody pulled a plug."""
        self._call(self._break)

    @contextmanager
    def running(self) -> Iterator["Network"]:
        """The proxy, as long as the block lasts."""
        thread = Thread(target=self._loop.run_forever, name="network", daemon=True)
        thread.start()
        try:
            self._wait(self._start())
            yield self
        finally:
            self._wait(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(20)

    def _call(self, change: Any) -> None:
        async def run() -> None:
            change()

        self._wait(run())

    async def _start(self) -> None:
        self._is_there.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _silence(self) -> None:
        for speaks in self._sockets.values():
            speaks.clear()

    def _break(self) -> None:
        for writer in list(self._sockets):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._delay()
                method, target, _ = head.split(b" ", 2)
                is_socket = method == b"CONNECT"
                if is_socket and self.refuses_sockets:
                    writer.write(_REFUSED)
                    await writer.drain()
                    return
                url = urlsplit(("//" if is_socket else "") + target.decode())
                incoming, upstream = await asyncio.open_connection(url.hostname, url.port)
                if is_socket:
                    writer.write(_ESTABLISHED)
                    await self._carry_socket((reader, upstream), (incoming, writer))
                else:
                    upstream.write(_alone(head))
                    await self._both((reader, upstream), (incoming, writer))
            finally:
                for each in (writer, upstream):
                    if each is not None:
                        each.transport.abort() if each.transport.is_closing() else each.close()

    async def _carry_socket(self, there: Way, back: Way) -> None:
        self.opened_sockets += 1
        speaks = self._sockets[back[1]] = asyncio.Event()
        speaks.set()
        try:
            await self._both(there, back, speaks)
        finally:
            del self._sockets[back[1]]

    async def _both(self, there: Way, back: Way, speaks: asyncio.Event | None = None) -> None:
        """Carries until either side ends."""
        ways = {asyncio.create_task(self._pass(*there, None)), asyncio.create_task(self._pass(*back, speaks))}
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for task in ways:
            task.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speaks: asyncio.Event | None
    ) -> None:
        while data := await reader.read(65_536):
            await self._delay()
            if speaks is not None:
                await speaks.wait()
            writer.write(data)
            await writer.drain()

    async def _delay(self) -> None:
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        await self._is_there.wait()


def _alone(head: bytes) -> bytes:
    """A request whose connection ends after it."""
    lines = [
        line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"proxy-connection:"))
    ]
    return b"\r\n".join([lines[0], b"Connection: close", *lines[1:]])
