"""What the harness of all services' tests promises."""

import asyncio
import socket

from chassis.testing import listening_socket


async def test_what_the_harness_serves_is_sent_at_once() -> None:
    """An answer's body does not wait until the client's kernel has acknowledged its head."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def look(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = listening_socket()
    async with await asyncio.start_server(look, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await accepted == 1
        writer.close()
