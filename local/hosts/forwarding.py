"""Carries TCP connections between this machine's loopback and the hosts: databases and the like, which live on no host."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

BACKLOG = 1024
CHUNK_BYTES = 64 * 1024
# Linger for no time: what ends so is a reset for its peer.
RESET = struct.pack("ii", 1, 0)


async def forward(listener: socket.socket, connect: Callable[[], socket.socket], address: tuple[str, int]) -> None:
    """Accepts on `listener`; each connection goes on to `address`, over a socket that `connect` makes."""

    async def carry(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            far, onward = await _connected(connect(), address)
        except OSError:
            _reset(back)
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pour(near, onward))
                both.create_task(_pour(far, back))
        except* OSError:
            _reset(back)
            _reset(onward)
        finally:
            back.close()
            onward.close()

    await asyncio.start_server(carry, sock=listener, backlog=BACKLOG, limit=CHUNK_BYTES)


async def _connected(
    onward: socket.socket, address: tuple[str, int]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    onward.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(onward, address)
        return await asyncio.open_connection(sock=onward, limit=CHUNK_BYTES)
    except BaseException:
        onward.close()
        raise


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """What one end says, the other one hears, no quicker than it listens; also that no more will come."""
    while chunk := await source.read(CHUNK_BYTES):
        target.write(chunk)
        await target.drain()
    with contextlib.suppress(OSError):  # it has gone already
        target.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """The peer is told that this did not end well."""
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() != -1:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
