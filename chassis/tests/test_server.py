"""A process that nobody asks sleeps: the server itself wakes for requests and signals alone."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from chassis import server as module
from chassis.server import Server
from chassis.testing import PATIENCE_SECONDS, Harness


class Counted(Server):
    ticks = 0

    async def on_tick(self, counter: int) -> bool:
        self.ticks += 1
        return await super().on_tick(counter)


async def plain(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def test_a_server_is_woken_by_a_signal_alone_and_its_responses_have_the_time(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: Iterator[int] = iter((0, 3600, 3600))
    monkeypatch.setattr(module, "time", lambda: next(seconds))
    raised: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    server = Counted(uvicorn.Config(plain, log_config=None, lifespan="off", date_header=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await harness.eventually(lambda: server.ticks == 1)
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=30) as http:
        dates = [(await http.get("/")).headers["date"] for _ in range(3)]
    assert [date[17:25] for date in dates] == ["00:00:00", "01:00:00", "01:00:00"]
    assert server.ticks == 1
    server.handle_exit(signal.SIGTERM, None)
    await asyncio.wait_for(serving, PATIENCE_SECONDS)
    assert (server.ticks, raised) == (2, [signal.SIGTERM])
