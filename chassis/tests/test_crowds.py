"""Requests of which crowds come: so many are served at once, the others are refused unread, and one crowd leaves room for the next."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest
import uvicorn

from chassis import crowds, protocol
from chassis.crowds import Crowd
from chassis.protocol import BoundedProtocol
from chassis.testing import Harness
from tracing.metrics import Metrics

TRACE = "7" * 32
HOT, QUIET = "/events/hot/holds/1", "/events/quiet/holds/1"


class Slow:
    """An application that answers when it is told to, and a crowd before it."""

    def __init__(self) -> None:
        self.crowd = Crowd("PUT", "/events/{event_id}/holds/{hold_id}", "event_id", Metrics())
        self.begun = 0
        self.go_on = asyncio.Event()
        self.url = ""

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        self.begun += 1
        while (await receive()).get("more_body"):
            pass
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def slow(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Slow]:
    """Of one thing two are served at once, of all three."""
    monkeypatch.setattr(crowds, "MOST_OF_ONE", 2)
    monkeypatch.setattr(crowds, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(crowds, "MOST_OF_ONE_STAYING", 2)
    app, listener = Slow(), socket.create_server(("127.0.0.1", 0))
    app.url = "http://{}:{}".format(*listener.getsockname())
    http: Any = partial(BoundedProtocol, crowds=[app.crowd])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, http=http, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await harness.eventually(lambda: server.started)
    yield app
    app.go_on.set()
    server.should_exit = True
    await task


async def test_what_is_too_much_is_refused_unread_and_what_was_begun_is_finished(harness: Harness, slow: Slow) -> None:
    async with httpx.AsyncClient(base_url=slow.url, timeout=30) as http:
        served = [asyncio.create_task(http.put(HOT, content=b"wish")) for _ in range(2)]
        await harness.eventually(lambda: slow.begun == 2)
        for _ in range(3):  # on one connection, which is kept
            answer = await http.put(HOT, content=b"wish", headers={"traceparent": f"00-{TRACE}-{'8' * 16}-01"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert (answer.headers["x-trace-id"], answer.json()["trace_id"]) == (TRACE, TRACE)
            assert (answer.json()["code"], answer.headers["content-type"]) == ("crowded", "application/problem+json")
        assert (slow.begun, slow.crowd.refused) == (2, 3)
        slow.go_on.set()
        assert [answer.status_code for answer in await asyncio.gather(*served)] == [200, 200]
        assert (await http.put(HOT, content=b"wish")).status_code == 200


async def test_a_crowd_leaves_room_for_others_and_is_of_one_operation(harness: Harness, slow: Slow) -> None:
    async with httpx.AsyncClient(base_url=slow.url, timeout=30) as http:
        served = [asyncio.create_task(http.put(path)) for path in (HOT, HOT, QUIET)]
        await harness.eventually(lambda: slow.begun == 3)
        assert (await http.put("/events/third/holds/1")).status_code == 503
        # Selling what is held, and looking at it, is never refused.
        served += [asyncio.create_task(http.post(f"{HOT}/commit")), asyncio.create_task(http.get(HOT))]
        await harness.eventually(lambda: slow.begun == 5)
        slow.go_on.set()
        assert [answer.status_code for answer in await asyncio.gather(*served)] == [200] * 5


async def test_of_a_crowd_that_stays_fewer_are_served_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them waits for the others, and for each that is refused. A burst is served all the same."""
    now = 100.0
    monkeypatch.setattr("chassis.crowds.time.monotonic", lambda: now)
    crowd = Crowd("PUT", "/events/{event_id}/holds/{hold_id}", "event_id", Metrics())

    def served() -> int:
        count = 0
        while crowd.has_room(b"hot"):
            crowd.enter(None, b"hot")
            count += 1
        return count

    def leave() -> None:
        while crowd._all:
            crowd._leave(b"hot")

    found = []
    for pause in (0, 0.2, 0.2, 0.2, 1.0, 0.2):
        now += pause
        found.append(served())
        leave()
    assert found == [64, 64, 32, 32, 64, 64]


async def test_who_reads_no_refusals_is_kept_none(harness: Harness, slow: Slow) -> None:
    async with httpx.AsyncClient(base_url=slow.url, timeout=30) as http:
        served = [asyncio.create_task(http.put(HOT)) for _ in range(2)]
        await harness.eventually(lambda: slow.begun == 2)
        address = httpx.URL(slow.url)
        reader, writer = await asyncio.open_connection(address.host, address.port, limit=1024)
        wish = f"PUT {HOT} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()

        async def ask_and_ask() -> None:
            for _ in range(1000):
                writer.write(wish * 1000)
                await asyncio.wait_for(writer.drain(), 20)

        with pytest.raises(ConnectionError):
            await ask_and_ask()
        assert slow.crowd.refused < 200_000
        del reader
        slow.go_on.set()
        await asyncio.gather(*served)


async def test_a_refusal_without_a_trace_names_none(harness: Harness, slow: Slow) -> None:
    async with httpx.AsyncClient(base_url=slow.url, timeout=30) as http:
        served = [asyncio.create_task(http.put(HOT)) for _ in range(2)]
        await harness.eventually(lambda: slow.begun == 2)
        answer = await http.put(HOT, headers={"traceparent": f"00-{TRACE}-{'8' * 16}-01, and more"})
        assert answer.json()["trace_id"] is None
        assert "x-trace-id" not in answer.headers
        slow.go_on.set()
        await asyncio.gather(*served)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"Connection: close\r\nContent-Length: 4\r\n\r\nwish", b"HTTP/1.1 503"),
        (b"Content-Length: 9000000\r\n\r\n" + b"w" * 60_000, b"HTTP/1.1 431"),
        (b"Content-Length: 4\r\n\r\nw", b"HTTP/1.1 408"),
    ],
    ids=["who closes", "a large body", "a slow body"],
)
async def test_whatever_follows_a_refused_request_is_bounded(
    harness: Harness, slow: Slow, monkeypatch: pytest.MonkeyPatch, sent: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEADERS_SECONDS", 0.3)
    async with httpx.AsyncClient(base_url=slow.url, timeout=30) as http:
        served = [asyncio.create_task(http.put(HOT)) for _ in range(2)]
        await harness.eventually(lambda: slow.begun == 2)
        address = httpx.URL(slow.url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(f"PUT {HOT} HTTP/1.1\r\nHost: x\r\n".encode() + sent)
        said = await asyncio.wait_for(reader.read(), 20)
        assert said.startswith(answer)
        if b"503" in answer:
            assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "crowded"
        writer.close()
        slow.go_on.set()
        await asyncio.gather(*served)
        assert slow.begun == 2


async def test_whoever_asks_twice_in_one_breath_is_answered_in_order(harness: Harness, slow: Slow) -> None:
    wish = f"PUT {HOT} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nwish".encode()
    address = httpx.URL(slow.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(wish * 4)
    await harness.eventually(lambda: slow.begun == 1)
    slow.go_on.set()
    await harness.eventually(lambda: slow.begun == 4)
    writer.write(wish.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    assert (await asyncio.wait_for(reader.read(), 20)).count(b"HTTP/1.1 200") == 5
    writer.close()
