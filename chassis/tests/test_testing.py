"""What the harness of all services' tests promises."""

import asyncio
import socket

import httpx

from chassis.testing import _is_ready, listening_socket


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


async def test_an_application_that_is_too_busy_to_report_is_not_ready_yet() -> None:
    answers = [
        httpx.Response(503, json={"code": "deadline_passed", "detail": "Try again."}),
        httpx.Response(200, json={"state": "degraded", "parts": {}}),
        httpx.Response(200, json={"state": "ready", "parts": {}}),
    ]
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        assert [await _is_ready(client) for _ in range(3)] == [False, False, True]
