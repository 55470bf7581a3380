"""A relay for TCP on the loopback that delays what it carries: something far away, on one machine and without root."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from local.processes import LOOPBACK

CHUNK_BYTES = 64 * 1024
# What may be under way on one way of a connection; more is not read, as on a way that is full.
MOST_UNDER_WAY = 1_000

# When a chunk arrives, by the loop's clock. The last one of a way is empty.
_UnderWay = asyncio.Queue[tuple[float, bytes]]


class Relay:
    """Carries connections from `port`, its own, to that of `target`. A context manager; it lives in the loop that enters it.

    Each chunk takes `delay_seconds` on its way, both ways alike, and is never overtaken; from then on if it is set anew.
    """

    def __init__(self, target: int, delay_seconds: float = 0.0) -> None:
        self.delay_seconds = delay_seconds
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0, limit=CHUNK_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for each in self._carrying:
            each.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        carrying = asyncio.current_task()
        if carrying is not None:
            self._carrying.add(carrying)
            carrying.add_done_callback(self._carrying.discard)
        with contextlib.closing(back), contextlib.suppress(OSError):
            far, onward = await asyncio.open_connection(LOOPBACK, self._target, limit=CHUNK_BYTES)
            with contextlib.closing(onward):
                await self._carry((near, onward), (far, back))

    async def _carry(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        with contextlib.suppress(ExceptionGroup):  # one end broke: both are closed
            async with asyncio.TaskGroup() as group:
                for source, target in ways:
                    under_way = _UnderWay(MOST_UNDER_WAY)
                    group.create_task(self._send_off(source, under_way))
                    group.create_task(self._hand_over(under_way, target))

    async def _send_off(self, source: asyncio.StreamReader, under_way: _UnderWay) -> None:
        clock = asyncio.get_running_loop().time
        chunk = b"?"
        while chunk:
            chunk = await source.read(CHUNK_BYTES)
            await under_way.put((clock() + self.delay_seconds, chunk))

    async def _hand_over(self, under_way: _UnderWay, target: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, chunk = await under_way.get()
            await asyncio.sleep(due - clock())
            if not chunk:
                target.write_eof()
                return
            target.write(chunk)
            await target.drain()
