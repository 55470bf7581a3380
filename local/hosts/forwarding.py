"""Carries TCP connections between this machine's loopback and the hosts: databases and the like, which live on no host."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

BACKLOG = 1024
HIGH_WATER_BYTES = 256 * 1024
RESET = struct.pack("ii", 1, 0)


async def forward(listener: socket.socket, connect: Callable[[], socket.socket], address: tuple[str, int]) -> None:
    """Accepts on `listener`; each connection goes on to `address`, over a socket that `connect` makes."""
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Near(connect, address), sock=listener, backlog=BACKLOG)


class _End(asyncio.Protocol):
    """One end of a forwarded connection. The other end sends what this one receives, and ends as this one ends."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None
        self.has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """This end sends nothing more, but may still receive something."""
        self.has_ended = True
        other = self.other
        if other is None or other.transport is None or other.has_ended:
            return False
        other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self.other is not None and self.other.transport is not None:
            if error is None:
                self.other.transport.close()
            else:
                self.other.reset()

    def reset(self) -> None:
        """The peer learns that this did not end well."""
        if self.transport is not None:
            _reset_on_close(self.transport)
            self.transport.abort()


class _Near(_End):
    """The end that was accepted; it makes the other one."""

    def __init__(self, connect: Callable[[], socket.socket], address: tuple[str, int]) -> None:
        super().__init__()
        self._connect = connect
        self._address = address
        self._connecting: asyncio.Task[None] | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.get_running_loop().create_task(self._join())

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        else:
            super().data_received(data)

    def eof_received(self) -> bool:
        return super().eof_received() or self.other is None

    async def _join(self) -> None:
        loop = asyncio.get_running_loop()
        far = _End()
        far.other = self
        try:
            onward = self._connect()
            onward.setblocking(False)
            try:
                await loop.sock_connect(onward, self._address)
                await loop.create_connection(lambda: far, sock=onward)
            except BaseException:
                onward.close()
                raise
        except OSError:
            self.reset()
            return
        self.other = far
        if self.transport is None or far.transport is None:  # one went away meanwhile
            far.reset()
            self.reset()
            return
        far.transport.writelines(self._early)
        self._early.clear()
        if self.has_ended:
            far.transport.write_eof()


def _reset_on_close(transport: asyncio.Transport) -> None:
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
