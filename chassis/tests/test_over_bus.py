"""Calls over NATS: what HTTP means there, what is lost, what is too much and what is too large. A real NATS, and real processes' parts."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client

from chassis import crowds
from chassis.ask_bus import subject_at
from chassis.broker import Broker
from chassis.calls import Answered, Carry, NotSent, Sending, ServiceCalls
from chassis.crowds import Crowd
from chassis.envelope import written_answer, written_request
from chassis.http import ProviderUnavailable
from chassis.limits import MOST_BODY_BYTES
from chassis.on_bus import BusServer
from chassis.over_bus import CallsOverBus
from chassis.tokens import ServiceTokens
from tracing.metrics import Metrics
from tracing.testing import Kept

MIB = 1 << 20
TRACE = "7" * 32


class Application:
    """Keeps what it was asked, and answers with what it is told to; `go_on` holds it back."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.status, self.headers, self.body = 200, [(b"onsale-pin", b"0/2")], b"[]"
        self.reads = True
        self.begun = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope)
        self.begun.release()
        body, more = b"", self.reads
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for begin in range(0, len(self.body), MIB):
            piece = self.body[begin : begin + MIB]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})


class Bench:
    """Processes of `orders` and `inventory` on one NATS."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack

    async def broker(self, name: str) -> Broker:
        broker = Broker(self._url, name)
        task = asyncio.create_task(broker.run())

        async def end() -> None:
            await broker.close()
            task.cancel()
            await asyncio.wait({task})

        self._stack.push_async_callback(end)
        return broker

    async def carry(self, provider: str = "inventory") -> Carry:
        broker = Broker(self._url, "orders")
        calls = CallsOverBus(broker, "orders")
        task = asyncio.create_task(broker.run())

        async def end() -> None:
            await broker.close()
            task.cancel()
            await asyncio.wait({task})

        self._stack.push_async_callback(end)
        await broker.client()
        return calls.to(provider)

    async def serve(self, app: Any, **more: Any) -> BusServer:
        broker = await self.broker("inventory")
        server = BusServer(broker, "inventory", app, Metrics(), **more)
        client = await broker.client()
        await server.start()
        await known(client)
        return server


async def known(client: Client) -> None:
    """Returns when NATS knows what the client has said. Twice: nats-py's first flush may overtake what is still in its buffer."""
    await client.flush()
    await client.flush()


@pytest.fixture
async def bench(nats_url: str) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        yield Bench(nats_url, stack)


def asking(
    method: str = "GET", path: str = "/things", *, query: str = "", body: bytes = b"", seconds: float = 5.0, **more: str
) -> Sending:
    return Sending(method, "bus://inventory", path, query, more, body, seconds, min(1.0, seconds))


def calls_with(carry: Carry) -> ServiceCalls:
    return ServiceCalls(
        "inventory", "bus://inventory", ServiceTokens("orders", Ed25519PrivateKey.generate()), carry=carry
    )


async def test_a_request_and_its_answer_are_what_they_are_over_http(bench: Bench) -> None:
    app, carry = Application(), await bench.carry()
    app.status, app.body = 201, b'{"a":1}'
    await bench.serve(app)
    answer = await carry(asking("POST", "/things/a%2Fb", query="all=true", body=b'{"b":2}', Authorization="Bearer x"))
    assert (answer.status_code, answer.json(), answer.headers["Onsale-Pin"]) == (201, {"a": 1}, "0/2")
    (scope,) = app.asked
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("POST", "/things/a/b", b"/things/a%2Fb")
    assert scope["query_string"] == b"all=true"
    assert (b"authorization", b"Bearer x") in scope["headers"]
    assert (b"content-length", b"7") in scope["headers"]
    assert app.bodies == [b'{"b":2}']


async def test_a_head_has_the_length_of_its_answer_and_no_body(bench: Bench) -> None:
    app = Application()
    app.headers = [(b"content-length", b"2")]
    await bench.serve(app)
    answer = await (await bench.carry())(asking("HEAD"))
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "2")


async def test_nobody_there_is_said_at_once_and_counts_as_never_sent(bench: Bench, kept_spans: Kept) -> None:
    carry = await bench.carry()
    with pytest.raises(NotSent):
        await carry(asking(seconds=30.0))
    with pytest.raises(ProviderUnavailable):
        await calls_with(carry).request("POST", "/things", extensions={"route": "/things"})
    tries = kept_spans.named("POST /things")
    assert [each.attributes.get("http.request.resend_count") for each in tries] == [None, 1, 2]
    assert all(each.attributes["onsale.not_connected"] for each in tries)


async def test_without_nats_nothing_is_sent(bench: Bench) -> None:
    carry = CallsOverBus(Broker("nats://127.0.0.1:1", "orders"), "orders").to("inventory")
    with pytest.raises(NotSent):
        await carry(Sending("GET", "bus://inventory", "/things", "", {}, b"", 5.0, 0.05))


async def test_an_answer_that_is_lost_is_a_time_out_and_never_a_hang(bench: Bench, nats_url: str) -> None:
    carry = await bench.carry()
    mute = await nats.connect(nats_url)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def keep(message: Any) -> None:
        heard.put_nowait(message.data)

    await mute.subscribe("calls.inventory", queue="inventory", cb=keep)
    await known(mute)
    with pytest.raises(TimeoutError):
        await carry(asking(seconds=0.2))
    with pytest.raises(ProviderUnavailable) as failed:
        await calls_with(_hurried(carry, 0.2)).request("POST", "/things", extensions={"route": "/things"})
    assert failed.value.code == "inventory_unavailable"
    assert heard.qsize() == 2  # what may have taken effect is not tried again
    await mute.close()


def _hurried(carry: Carry, seconds: float) -> Carry:
    async def carry_soon(sending: Sending) -> Answered:
        return await carry(
            Sending(
                sending.method,
                sending.origin,
                sending.path,
                sending.query,
                sending.headers,
                sending.body,
                seconds,
                seconds,
            )
        )

    return carry_soon


async def test_large_bodies_go_in_pieces_both_ways(bench: Bench) -> None:
    app, carry = Application(), await bench.carry()
    sent, app.body = bytes(range(256)) * 3 * 4096, bytes(reversed(range(256))) * 3 * 4096
    await bench.serve(app)
    answer = await carry(asking("POST", body=sent))
    assert len(sent) == 3 * MIB
    assert app.bodies == [sent]
    assert answer.content == app.body


async def test_what_the_provider_does_not_read_is_not_sent(bench: Bench, nats_url: str) -> None:
    app, carry = Application(), await bench.carry()
    app.reads, app.status = False, 413
    await bench.serve(app)
    listener = await nats.connect(nats_url)
    pieces: list[int] = []

    async def count(message: Any) -> None:
        pieces.append(len(message.data))

    await listener.subscribe("calls.>", cb=count)
    await known(listener)
    assert (await carry(asking("POST", body=bytes(3 * MIB)))).status_code == 413
    await known(listener)
    assert len(pieces) == 1
    await listener.close()


async def test_what_is_larger_than_the_bus_carries_is_refused_in_a_sentence(bench: Bench) -> None:
    app, carry = Application(), await bench.carry()
    await bench.serve(app)
    answer = await carry(asking("POST", body=bytes(MOST_BODY_BYTES + 1)))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    app.body = bytes(MOST_BODY_BYTES + 1)
    answer = await carry(asking("GET"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert app.asked[0]["method"] == "GET"  # the large one never reached it


async def test_more_than_a_process_serves_at_once_is_refused_at_once(bench: Bench) -> None:
    app, carry = Application(), await bench.carry()
    app.go_on.clear()
    await bench.serve(app, most_at_once=2)
    served = [asyncio.ensure_future(carry(asking())) for _ in range(2)]
    for _ in served:
        await app.begun.acquire()
    refused = await carry(asking(traceparent=f"00-{TRACE}-{'1' * 16}-01"))
    assert (refused.status_code, refused.headers["Retry-After"], refused.headers["X-Trace-Id"]) == (503, "1", TRACE)
    assert refused.json()["code"] == "crowded"
    app.go_on.set()
    assert [(await each).status_code for each in served] == [200, 200]
    assert (await carry(asking())).status_code == 200


async def test_a_crowd_is_refused_unread_and_leaves_room_for_another_event(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowds, "MOST_OF_ONE", 1)
    monkeypatch.setattr(crowds, "MOST_OF_ONE_STAYING", 1)
    app, carry = Application(), await bench.carry()
    app.go_on.clear()
    await bench.serve(app, crowds=[Crowd("PUT", "/events/{event_id}/holds/{hold_id}", "event_id", Metrics())])
    hot, quiet = (asking("PUT", f"/events/{event}/holds/1") for event in ("hot", "quiet"))
    first = asyncio.ensure_future(carry(hot))
    await app.begun.acquire()
    assert (await carry(hot)).status_code == 503
    other = asyncio.ensure_future(carry(quiet))
    await app.begun.acquire()
    app.go_on.set()
    assert [(await each).status_code for each in (first, other)] == [200, 200]


async def test_whoever_stops_finishes_what_was_begun_and_takes_no_more(bench: Bench) -> None:
    app, carry = Application(), await bench.carry()
    app.go_on.clear()
    server = await bench.serve(app)
    begun = asyncio.ensure_future(carry(asking()))
    await app.begun.acquire()
    stopping = asyncio.create_task(server.stop(30.0))
    await refused_from_now_on(carry)
    assert not stopping.done()
    app.go_on.set()
    assert (await begun).status_code == 200
    await stopping


async def refused_from_now_on(carry: Carry) -> None:
    """Returns when nobody takes requests any more. What comes before NATS knows is taken still, and waits with the first."""
    for _ in range(100):
        try:
            await carry(asking(seconds=0.2))
        except TimeoutError:
            continue
        except NotSent:
            return
    raise AssertionError("Requests were taken to the end.")


async def test_each_request_reaches_one_process_of_a_service_and_all_share_them(bench: Bench) -> None:
    first, second, carry = Application(), Application(), await bench.carry()
    for app in (first, second):
        await bench.serve(app)
    for _ in range(40):
        await carry(asking())
    assert len(first.asked) + len(second.asked) == 40
    assert min(len(first.asked), len(second.asked)) > 0


async def test_a_process_that_comes_back_to_another_connection_is_asked_again(bench: Bench) -> None:
    app, carry = Application(), await bench.carry()
    broker = await bench.broker("inventory")
    server = BusServer(broker, "inventory", app, Metrics())
    await server.start()
    await known(client := await broker.client())
    assert (await carry(asking())).status_code == 200
    await client.close()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert (await carry(asking(seconds=1.0))).status_code == 200
            break
        except (NotSent, TimeoutError):  # nobody, or one who was just about to go
            assert time.monotonic() < deadline


async def test_what_fails_is_a_500_and_the_next_is_served(bench: Bench) -> None:
    async def fails(scope: Any, _receive: Any, _send: Any) -> None:
        if scope["path"] == "/fails":
            raise RuntimeError

    carry = await bench.carry()
    await bench.serve(fails)
    for path in ("/fails", "/says-nothing"):
        answer = await carry(asking(path=path))
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


@pytest.mark.parametrize(
    "junk", [b"", b"GET /things", b"GET /things x\r\n\r\n", b"GET  0\r\nno\r\n\r\n", b"\xff" * 40_000]
)
async def test_what_is_no_request_is_refused_and_the_next_is_served(bench: Bench, nats_url: str, junk: bytes) -> None:
    app = Application()
    await bench.serve(app)
    client = await nats.connect(nats_url, inbox_prefix="_INBOX_stranger")
    answer = await client.request("calls.inventory", junk, timeout=5)
    assert answer.data.startswith(b"400 ")
    answer = await client.request("calls.inventory", written_request("GET", "/things", {}, 0), timeout=5)
    assert answer.data.startswith(b"200 ")
    await client.close()


async def test_a_request_is_answered_to_an_inbox_and_to_nobody_elses_subject(bench: Bench, nats_url: str) -> None:
    """Whoever may ask could otherwise have a service speak where it may not speak itself: as a fact, or to another service."""
    app = Application()
    await bench.serve(app)
    client = await nats.connect(nats_url, inbox_prefix="_INBOX_stranger")
    request = written_request("GET", "/things", {}, 0)
    await client.publish("calls.inventory", request, reply="events.inventory.hold_expired.v1")
    assert (await client.request("calls.inventory", request, timeout=5)).data.startswith(b"200 ")
    assert len(app.asked) == 1
    await client.close()


async def test_a_probe_asks_one_process(bench: Bench, nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Application()
    monkeypatch.setattr("socket.gethostname", lambda: "orders-7.example")
    await bench.serve(app)
    client = await nats.connect(nats_url, inbox_prefix="_INBOX_stranger")
    assert subject_at("inventory") == "calls.inventory.at.orders-7-example"
    answer = await client.request(subject_at("inventory"), written_request("GET", "/livez", {}, 0), timeout=5)
    assert answer.data.startswith(b"200 ")
    await client.close()


async def test_a_provider_cannot_have_a_body_sent_where_it_is_not_asked(bench: Bench, nats_url: str) -> None:
    carry, stolen = await bench.carry(), await nats.connect(nats_url)

    async def wish(message: Any) -> None:
        await stolen.publish(message.reply, written_answer(100, (), 0), reply="calls.payments")

    await stolen.subscribe("calls.inventory", cb=wish)
    await known(stolen)
    with pytest.raises(aiohttp.ClientPayloadError):
        await carry(asking("POST", body=bytes(2 * MIB)))
    await stolen.close()


async def test_an_answer_that_cannot_be_read_is_no_answer(bench: Bench, nats_url: str) -> None:
    carry, odd = await bench.carry(), await nats.connect(nats_url)

    async def answer(message: Any) -> None:
        await odd.publish(message.reply, b"hello")

    await odd.subscribe("calls.inventory", cb=answer)
    await known(odd)
    with pytest.raises(aiohttp.ClientPayloadError):  # at once, and one of the errors that calls know
        await carry(asking(seconds=60.0))
    await odd.close()
