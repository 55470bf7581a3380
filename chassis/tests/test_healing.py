"""Whatever happens to NATS, a service is connected again in seconds, says meanwhile what is wrong, and loses nothing."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import nats
import pytest
from nats.aio.client import Client

from chassis import broker
from chassis.broker import Broker
from chassis.service import Service
from chassis.stream import STREAM, ensure_consumer, ensure_stream
from chassis.testing import Harness, Keys, RunningApp
from chassis.tests.sample.app import SampleSettings, create_app
from local.nats import ADMIN, NatsServer, permissions_of

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
MADE = "events.sample.thing_made.v1"
WANTED = "events.other.thing_wanted.v1"
USERS = {"sample": "word-s", ADMIN: "word-a"}
# Far less than the minutes that a person would wait, far more than what it takes on a busy machine.
SECONDS = 25.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    with NatsServer(tmp_path / "nats", users=USERS) as running:
        await make_stream(running)
        yield running


@pytest.fixture
async def harness(keys: Keys, server: NatsServer) -> AsyncIterator[Harness]:
    async with Harness(keys, server.url(ADMIN)) as made:
        yield made


@pytest.fixture
def settings(harness: Harness, server: NatsServer) -> SampleSettings:
    return harness.settings(SampleSettings, migrations=MIGRATIONS, nats_url=server.url("sample"))


@pytest.fixture
async def app(harness: Harness, settings: SampleSettings) -> AsyncIterator[RunningApp]:
    async with harness.running(create_app, settings) as running:
        yield running


Refusal = Callable[[NatsServer], None]


def other_password(server: NatsServer) -> None:
    server.reload(USERS | {"sample": "another word"})


def user_removed(server: NatsServer) -> None:
    server.reload({ADMIN: USERS[ADMIN]})


def may_hear_nothing(server: NatsServer) -> None:
    server.reload(USERS, {"sample": {"subscribe": {"deny": [">"]}}})


def may_say_nothing(server: NatsServer) -> None:
    server.reload(USERS, {"sample": permissions_of("sample") | {"publish": {"deny": [">"]}}})


def only_its_answers_are_denied(server: NatsServer) -> None:
    server.reload(USERS, {"sample": permissions_of("sample") | {"subscribe": {"deny": ["_INBOX_sample.>"]}}})


@pytest.mark.parametrize(
    "refuse", [other_password, user_removed, may_hear_nothing, may_say_nothing, only_its_answers_are_denied]
)
async def test_who_was_refused_is_connected_again_once_it_is_not(
    harness: Harness, server: NatsServer, app: RunningApp, refuse: Refusal
) -> None:
    await wanted(harness, app, "before")
    await asyncio.to_thread(refuse, server)
    await harness.eventually(lambda: is_degraded(app), patience_seconds=SECONDS)
    await make(harness, app, "meanwhile")
    await asyncio.to_thread(server.reload, USERS)
    await wanted(harness, app, "after")
    await is_published(harness, "meanwhile")
    await harness.eventually(lambda: is_ready(app), patience_seconds=SECONDS)


async def test_who_is_refused_from_the_beginning_is_connected_once_it_is_not(
    harness: Harness, server: NatsServer, settings: SampleSettings
) -> None:
    await asyncio.to_thread(other_password, server)
    app = create_app(settings)
    async with app.router.lifespan_context(app), in_process(app) as http:
        running = RunningApp(app, http)
        await harness.eventually(lambda: is_degraded(running))
        await asyncio.to_thread(server.reload, USERS)
        await harness.eventually(lambda: is_ready(running), patience_seconds=SECONDS)


@pytest.mark.parametrize("again", [1, 3])
async def test_a_server_that_is_started_again_is_found_again(
    harness: Harness, server: NatsServer, app: RunningApp, again: int
) -> None:
    for number in range(again):
        server.kill()
        await harness.eventually(lambda: is_degraded(app), patience_seconds=SECONDS)
        await make(harness, app, f"meanwhile {number}")
        await asyncio.to_thread(server.start)
        await wanted(harness, app, f"after {number}")
        await is_published(harness, f"meanwhile {number}")


async def test_a_server_that_hangs_is_noticed_reported_and_left(
    harness: Harness, server: NatsServer, app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        noticed = (broker.MISSED_BEATS + 1) * broker.HEARTBEAT_SECONDS + 4
        await harness.eventually(lambda: has_noticed(app), patience_seconds=noticed)
        assert "heartbeats were missed" in caplog.text
        page = (await app.http.get("/metrics")).text
        assert "onsale_nats_connected 0.0" in page
        assert 'onsale_nats_lost_total{error_type="hung"' in page
        await make(harness, app, "meanwhile")
    finally:
        os.kill(server.pid, signal.SIGCONT)
    await is_published(harness, "meanwhile")
    await wanted(harness, app, "after")
    await harness.eventually(lambda: is_ready(app), patience_seconds=SECONDS)


async def test_a_broker_that_comes_back_empty_is_sent_everything_again_and_each_fact_takes_effect_once(
    harness: Harness, server: NatsServer, app: RunningApp
) -> None:
    event_id = uuid4()
    await harness.tell(WANTED, {"name": "before"}, event_id=event_id)
    await harness.eventually(lambda: has(app, "before"))
    await is_published(harness, "before")
    server.kill()
    shutil.rmtree(server.store_dir / "jetstream")
    await asyncio.to_thread(server.start)
    await make_stream(server)
    await is_published(harness, "before")
    # As the outbox of its own publisher does.
    await harness.tell(WANTED, {"name": "before"}, event_id=event_id)
    await wanted(harness, app, "after")
    assert await count(app, "before") == 1


async def test_a_stream_that_is_missing_is_an_alarm_until_it_is_made(
    harness: Harness, server: NatsServer, app: RunningApp
) -> None:
    await harness._client().jetstream().delete_stream(STREAM)
    await harness.eventually(lambda: is_degraded(app), patience_seconds=SECONDS)
    assert "Facts are not heard" in (await ready(app))["parts"]["firehose"]
    await make_stream(server)
    await wanted(harness, app, "after")
    await harness.eventually(lambda: is_ready(app), patience_seconds=SECONDS)


async def test_what_needs_no_bus_is_answered_without_it(harness: Harness, server: NatsServer, app: RunningApp) -> None:
    server.kill()
    await harness.eventually(lambda: is_degraded(app), patience_seconds=SECONDS)
    answer = await app.http.get("/readyz")
    assert (answer.status_code, answer.json()["state"]) == (200, "degraded")
    assert answer.json()["parts"]["database"] == "ready"
    assert "NATS is not connected" in answer.json()["parts"]["nats"]
    assert (await app.http.get("/livez")).status_code == 200
    made = await make(harness, app, "meanwhile")
    read = await app.http.get(f"/things/{made.json()['thing_id']}")
    assert read.json()["name"] == "meanwhile"


async def test_a_process_whose_login_is_refused_for_very_long_is_not_alive_any_more(
    harness: Harness, server: NatsServer, app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(other_password, server)
    await harness.eventually(lambda: is_degraded(app), patience_seconds=SECONDS)
    assert (await app.http.get("/livez")).json() == {"state": "alive"}
    monkeypatch.setattr(broker_of(app), "_patience_seconds", 0.5)
    await harness.eventually(lambda: has_died(app), patience_seconds=SECONDS)
    assert "has refused this login" in (await app.http.get("/livez")).json()["detail"]
    await asyncio.to_thread(server.reload, USERS)
    await harness.eventually(lambda: is_ready(app), patience_seconds=SECONDS)
    assert (await app.http.get("/livez")).status_code == 200


async def test_a_process_whose_connection_nobody_looks_after_is_not_alive_any_more(
    harness: Harness, app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = asyncio.Event()

    async def never(_self: Broker, _client: Client) -> str:
        await stuck.wait()
        return "The test is over."

    monkeypatch.setattr(broker, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr(Broker, "_watch", never)
    broker_of(app)._ended.set()
    await broker_of(app)._client.close()  # type: ignore[union-attr]
    await harness.eventually(lambda: has_died(app), patience_seconds=SECONDS)
    assert "Nobody has looked after the connection" in (await app.http.get("/livez")).json()["detail"]
    stuck.set()


async def make_stream(server: NatsServer) -> None:
    client = await nats.connect(server.url(ADMIN))
    await ensure_stream(client)
    await ensure_consumer(client, "sample", [WANTED])
    await client.close()


def in_process(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


def broker_of(app: RunningApp) -> Broker:
    service: Service = app.app.state.service
    return service.broker


async def ready(app: RunningApp) -> Any:
    """The report. On a busy machine a refusal may come in its place: that says nothing of NATS."""
    document = (await app.http.get("/readyz")).json()
    return document if "state" in document else {"state": "unknown", "parts": {"nats": ""}}


async def is_degraded(app: RunningApp) -> bool:
    return bool((await ready(app))["state"] == "degraded")


async def has_noticed(app: RunningApp) -> bool:
    return "heartbeats were missed" in (await ready(app))["parts"]["nats"]


async def is_ready(app: RunningApp) -> bool:
    return bool((await ready(app))["state"] == "ready")


async def has_died(app: RunningApp) -> bool:
    return (await app.http.get("/livez")).status_code == 503


async def make(harness: Harness, app: RunningApp, name: str) -> httpx.Response:
    sent = harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": f"key-{uuid4()}"}
    made = await app.http.post("/things", json={"name": name}, headers=sent)
    assert made.status_code == 201
    return made


async def wanted(harness: Harness, app: RunningApp, name: str) -> None:
    """Tells a fact, as often as it takes to give it to a server that is just coming back, and waits for its effect."""
    event_id = uuid4()

    async def is_taken() -> bool:
        try:
            await harness.tell(WANTED, {"name": name}, event_id=event_id)
        except (nats.errors.Error, OSError):
            return False
        return True

    await harness.eventually(is_taken, patience_seconds=SECONDS)
    await harness.eventually(lambda: has(app, name), patience_seconds=SECONDS)


async def is_published(harness: Harness, name: str) -> None:
    """Waits for the fact that this thing was made, on a new look at the firehose from its beginning."""

    async def found() -> bool:
        try:
            subscription = await harness._client().jetstream().subscribe(MADE, ordered_consumer=True)
        except (nats.errors.Error, OSError):
            return False
        try:
            while True:
                if name in (await subscription.next_msg(timeout=0.5)).data.decode():
                    return True
        except (nats.errors.Error, OSError):
            return False
        finally:
            await subscription.unsubscribe()

    await harness.eventually(found, patience_seconds=SECONDS)


async def count(app: RunningApp, name: str) -> int:
    from sqlalchemy import text

    database = app.app.state.service._databases[0]
    async with database.reader() as reads:
        query = text("SELECT count(*) FROM thing WHERE name = :name")
        return int((await reads.execute(query, {"name": name}, name="test")).scalar_one())


async def has(app: RunningApp, name: str) -> bool:
    return await count(app, name) > 0
