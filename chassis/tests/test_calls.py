"""Calls to our own services: what leaves, what is tried again, and that nothing leaves unseen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from socket import socket
from unittest.mock import Mock

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.calls import Answered, Calls, Sending, ServiceCalls
from chassis.deadline import DEADLINE_HEADER, set_deadline
from chassis.http import PIN_HEADER, ProviderUnavailable, person_token, provider_pins
from chassis.tokens import ServiceTokens
from tracing.testing import Kept

TOKENS = ServiceTokens("orders", Ed25519PrivateKey.generate())
ROUTE = {"route": "/things/{id}"}

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Provider:
    """Keeps what it was asked, and answers in turn."""

    def __init__(self, *answers: Answered | Exception) -> None:
        self.asked: list[Sending] = []
        self._answers = list(answers)

    async def carry(self, sending: Sending) -> Answered:
        self.asked.append(sending)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def calls(self) -> ServiceCalls:
        return ServiceCalls("inventory", "http://inventory.test", TOKENS, carry=self.carry)


def _ends_before_the_second_answer(heard: list[bytes]) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
                if len(heard) == 2:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    return serve


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[ServiceCalls]:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with ServiceCalls("inventory", f"http://127.0.0.1:{port}", TOKENS) as calls:
            yield calls


async def test_a_call_carries_the_callers_token_and_what_is_left_of_the_deadline() -> None:
    provider = Provider(Answered(200, {PIN_HEADER: "0/2"}, b"{}"), Answered(200, {}, b"{}"))
    set_deadline(4.0)
    provider_pins.set({})
    calls = provider.calls()
    await calls.request("POST", "/things/1", json={"a": 1}, params={"all": True, "most": 3}, extensions=ROUTE)
    await calls.request("GET", "/things/1", extensions=ROUTE)
    first, second = provider.asked
    assert first.url == "http://inventory.test/things/1?all=true&most=3"
    assert first.body == b'{"a":1}'
    assert first.headers["Authorization"].startswith("Bearer ey")
    assert 1000 < int(first.headers[DEADLINE_HEADER]) <= 4000
    assert 1 < first.seconds <= 4
    assert PIN_HEADER not in first.headers
    assert second.headers[PIN_HEADER] == "0/2"


@pytest.mark.parametrize("failure", [ConnectionResetError(), TimeoutError(), Answered(503, {}, b"")])
async def test_what_is_safe_is_tried_again_and_each_try_is_seen(
    failure: Exception | Answered, kept_spans: Kept
) -> None:
    provider = Provider(failure, Answered(200, {}, b"[]"))
    answer = await provider.calls().request("GET", "/things/1", extensions=ROUTE)
    assert (answer.status_code, answer.json()) == (200, [])
    tries = kept_spans.named("GET /things/{id}")
    assert [span.attributes.get("http.request.resend_count") for span in tries] == [None, 1]


async def test_a_call_that_finds_no_connection_says_so(kept_spans: Kept) -> None:
    """Then its trace misses nothing: a provider that heard nothing has no span."""
    with socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}"
        async with ServiceCalls("inventory", origin, TOKENS) as calls:
            with pytest.raises(ProviderUnavailable):
                await calls.request("GET", "/things/1", extensions=ROUTE)
    tries = kept_spans.named("GET /things/{id}")
    assert tries
    assert all(span.attributes["onsale.not_connected"] for span in tries)


async def test_what_may_have_taken_effect_is_not_tried_again_unless_it_is_said_to_be_safe() -> None:
    provider = Provider(TimeoutError())
    with pytest.raises(ProviderUnavailable):
        await provider.calls().request("POST", "/things", extensions={"route": "/things"})
    provider = Provider(TimeoutError(), Answered(201, {}, b"{}"))
    await provider.calls().request("POST", "/things", extensions={"route": "/things", "repeatable": True})
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    "failure", [aiohttp.ConnectionTimeoutError(), aiohttp.ClientConnectorError(Mock(), ConnectionRefusedError())]
)
async def test_what_found_no_connection_is_tried_again_whatever_it_is(failure: Exception) -> None:
    """Nobody has heard of it: a stall of a second, or a process that is replaced, is not what a buyer should see."""
    provider = Provider(failure, failure, Answered(201, {}, b"{}"))
    answer = await provider.calls().request("POST", "/things", extensions={"route": "/things"})
    assert answer.status_code == 201
    provider = Provider(failure, TimeoutError(), Answered(201, {}, b"{}"))
    with pytest.raises(ProviderUnavailable):
        await provider.calls().request("POST", "/things", extensions={"route": "/things"})
    assert len(provider.asked) == 2


async def test_an_outage_is_not_answered_with_a_storm() -> None:
    """A tenth of all calls may be tried again, after a first ten."""
    provider = Provider(*[ConnectionResetError()] * 1000)
    calls = provider.calls()
    for _ in range(100):
        with pytest.raises(ProviderUnavailable):
            await calls.request("GET", "/things/1", extensions=ROUTE)
    assert 100 + 10 <= len(provider.asked) <= 100 + 10 + 10 + 1


async def test_a_request_that_a_kept_connection_lost_is_sent_again_by_nobody_but_us(kept_spans: Kept) -> None:
    """The provider ends the connection instead of answering a second time: what was sent then may have taken effect."""
    heard: list[bytes] = []
    async with serving(_ends_before_the_second_answer(heard)) as calls:
        for _ in range(2):
            await calls.request("DELETE", "/things/1", extensions=ROUTE)
    tries = kept_spans.named("DELETE /things/{id}")
    assert len(tries) == len(heard) == 3


async def test_nor_is_it_to_a_stranger(kept_spans: Kept) -> None:
    """Of whom nobody knows what they do with a request that comes twice."""
    heard: list[bytes] = []
    async with await asyncio.start_server(_ends_before_the_second_answer(heard), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Calls("bank", f"http://127.0.0.1:{port}") as calls:
            for _ in range(2):
                assert (await calls.request("DELETE", "/things/1", extensions=ROUTE)).status_code == 200
    assert len(kept_spans.named("DELETE /things/{id}")) == len(heard) == 3


async def test_a_stranger_gets_nothing_of_ours(kept_spans: Kept) -> None:
    """No token, no trace, no deadline; its span says what else the caller says of it."""
    person_token.set("theirs")
    provider_pins.set({"bank": "0/1"})
    bank = Provider(Answered(503, {}, b""), Answered(200, {PIN_HEADER: "0/2"}, b"{}"))
    calls = Calls("bank", "https://bank.test", carry=bank.carry)
    described = {"route": "/payments/{id}", "attributes": {"onsale.amount_minor": 9000}}
    await calls.request("POST", "/payments/1", json={}, headers={"Idempotency-Key": "k"}, extensions=described)
    assert [dict(sending.headers) for sending in bank.asked] == [
        {"Idempotency-Key": "k", "Content-Type": "application/json"}
    ] * 2
    assert provider_pins.get() == {"bank": "0/1"}
    failed, asked = kept_spans.named("POST /payments/{id}")
    expected = {"http.request.resend_count": 1, "onsale.amount_minor": 9000, "server.port": 443}
    assert {name: asked.attributes[name] for name in expected} == expected
    assert failed.attributes["error.type"] == "503"


async def test_an_answer_that_breaks_off_is_no_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{")
        writer.close()

    async with serving(serve) as calls:
        with pytest.raises(ProviderUnavailable):
            await calls.request("POST", "/things", extensions={"route": "/things"})
