"""A service over HTTP and over the bus: the same answers, the same spans, the same start and stop; over the bus without a port."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import ValidationError

from chassis.broker import Broker
from chassis.calls import Answered, Carry, NotSent, Sending, ServiceCalls
from chassis.on_bus import BusServer
from chassis.over_bus import CallsOverBus
from chassis.passing_on import PassingOn
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings, create_app
from chassis.tests.test_running import APPLICATION, environment_of, said, started
from chassis.tokens import ServiceTokens
from tracing.http_client import address_of_call
from tracing.model import Span
from tracing.testing import Kept

SAMPLE = Path(__file__).parent / "sample"
# What a span says of the way that its request took.
OF_THE_WAY = {"server.address", "server.port", "network.protocol.name"}


@asynccontextmanager
async def asking(harness: Harness, provider: str = "sample") -> AsyncIterator[Carry]:
    broker = Broker(harness.nats_url, "web")
    carry = CallsOverBus(broker, "web").to(provider)
    task = asyncio.create_task(broker.run())
    await broker.client()
    try:
        yield carry
    finally:
        await broker.close()
        task.cancel()


async def outcomes(calls: ServiceCalls, token: str) -> list[tuple[int, Any]]:
    """Made, made again, found, unknown, refused, broken."""
    key, thing_id = str(UUID(int=7)), str(UUID(int=8))
    about = {"route": "/things/{thing_id}"}
    headers = {"Idempotency-Key": key, "Onsale-Person": token}
    new: dict[str, Any] = {"json": {"name": "lamp"}, "headers": headers, "extensions": {"route": "/things"}}
    answers = [await calls.request("POST", "/things", **new) for _ in range(2)]
    made = answers[0].json()["thing_id"]
    answers.append(await calls.request("GET", f"/things/{made}", extensions=about))
    answers.append(await calls.request("GET", f"/things/{thing_id}", extensions=about))
    answers.append(await calls.request("GET", "/things/no-id", extensions=about))
    answers.append(await calls.request("GET", "/broken", extensions={"route": "/broken"}))
    return [(each.status_code, _told(each)) for each in answers]


def _told(answer: Answered) -> Any:
    varies = {"thing_id", "trace_id"}
    return {name: value for name, value in answer.json().items() if name not in varies}


def told(spans: list[Span]) -> list[Any]:
    """What both ends of calls say, but for the way and for ids."""
    ends = [each for each in spans if each.kind in {"client", "server"} and "http.request.method" in each.attributes]
    ids = {"url.path"}
    return [
        (
            each.name,
            each.kind,
            each.status,
            {name: value for name, value in each.attributes.items() if name not in OF_THE_WAY | ids},
        )
        for each in ends
    ]


async def test_answers_and_spans_are_the_same_over_both(harness: Harness, kept_spans: Kept) -> None:
    tokens, token = ServiceTokens("web", harness.keys.services["web"]), harness.person_token(uuid4())
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations")
    over_http = create_app(settings)
    await harness.make_consumers(over_http)
    async with harness.serving(over_http) as url, ServiceCalls("sample", url, tokens) as calls:
        found = await outcomes(calls, token)
    spans = kept_spans.spans
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations", transport="bus")
    async with harness.running(create_app, settings) as running, asking(harness) as carry:
        service = running.app.state.service
        server = BusServer(service.broker, "sample", running.app, service.metrics)
        await server.start()
        await harness.eventually(lambda: _is_ready(carry))
        assert await outcomes(ServiceCalls("sample", "bus://sample", tokens, carry=carry), token) == found
        await server.stop(5.0)
    assert [status for status, _ in found] == [201, 201, 200, 404, 422, 500]
    further = kept_spans.spans[len(spans) :]
    assert told(further) == told(spans)
    over_bus = [each for each in further if each.name == "GET /things/{thing_id}"]
    assert {each.attributes["network.protocol.name"] for each in over_bus} == {"nats"}
    assert {each.attributes["server.address"] for each in over_bus if each.kind == "client"} == {"sample"}


def test_where_a_provider_is_says_how_it_is_asked() -> None:
    assert address_of_call("orders", "127.0.0.1", 8004, "http") == {
        "peer.service": "orders",
        "server.address": "127.0.0.1",
        "server.port": 8004,
    }
    assert address_of_call("orders", "orders", None, "bus") == {
        "peer.service": "orders",
        "server.address": "orders",
        "network.protocol.name": "nats",
    }


def test_over_http_a_service_has_to_know_where_others_are_and_over_the_bus_it_has_not(harness: Harness) -> None:
    nowhere: dict[str, Any] = {"database_url": "postgresql://nobody@127.0.0.1/none", "person_keys_url": ""}
    with pytest.raises(ValidationError, match="set SAMPLE_PERSON_KEYS_URL, or ONSALE_TRANSPORT=bus"):
        harness.settings(SampleSettings, **nowhere)
    assert harness.settings(SampleSettings, transport="bus", **nowhere).person_keys_url == ""


async def test_a_service_on_the_bus_has_no_port_finishes_what_is_under_way_and_then_is_nobody(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations")
    environment = environment_of(settings, "SAMPLE_", 0) | {"SAMPLE_TRANSPORT": "bus", "SAMPLE_PERSON_KEYS_URL": ""}
    async with started(APPLICATION, environment=environment) as process, asking(harness) as carry:
        await said(process, lambda line: '"event": "started"' in line)
        await harness.eventually(lambda: _is_ready(carry))
        assert not _listens(process.pid)
        slow = asyncio.ensure_future(carry(_get("/slow")))
        begun = asyncio.Event()
        slow.add_done_callback(lambda _: begun.set())
        await harness.eventually(lambda: _is_ready(carry))  # asked after the slow one, of the same process
        process.send_signal(signal.SIGTERM)
        assert (await slow).status_code == 200
        await asyncio.wait_for(process.wait(), 20)
        with pytest.raises(NotSent):
            await carry(_get("/livez"))


def _get(path: str) -> Sending:
    return Sending("GET", "bus://sample", path, "", {}, b"", 30.0, 1.0)


async def _is_ready(carry: Carry) -> bool:
    try:
        return (await carry(_get("/readyz"))).status_code == 200
    except NotSent:
        return False


def _listens(pid: int) -> bool:
    own = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    rows = [
        line.split()
        for kind in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]
    ]
    return any(row[3] == "0A" and f"socket:[{row[9]}]" in own for row in rows)


async def test_what_is_passed_on_is_passed_on_byte_for_byte(harness: Harness) -> None:
    heard: list[Sending] = []

    async def carry(sending: Sending) -> Answered:
        heard.append(sending)
        return Answered(409, {"Content-Type": "text/plain", "Retry-After": "3", "Connection": "close"}, b"no")

    async with (
        harness.serving(PassingOn("payments", carry)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as bank,
    ):
        body = b'{ "a":  1 }\n'
        answer = await bank.post("/webhooks/a%2Fb?x=%20y&x=2", content=body, headers={"Bank-Signature": "t=1,v1=2"})
    (sent,) = heard
    assert (sent.method, sent.path, sent.query, sent.body) == ("POST", "/webhooks/a%2Fb", "x=%20y&x=2", body)
    assert sent.headers["bank-signature"] == "t=1,v1=2"
    assert not {"host", "content-length", "connection"} & sent.headers.keys()
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (409, b"no", "3")
