"""What a service measures of itself, and how one comes from there to a trace; over real Postgres and NATS."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text
from sqlalchemy import text

from chassis import watching
from chassis.testing import Harness, RunningApp
from chassis.tests.sample.app import SampleSettings, create_app
from tracing.metrics import Metrics

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
MADE = "events.sample.thing_made.v1"
WANTED = "events.other.thing_wanted.v1"
OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


@pytest.fixture
async def app(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningApp]:
    monkeypatch.setattr(watching, "EVERY_SECONDS", 0.05)
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS)
    async with harness.running(create_app, settings) as running:
        yield running


async def samples(app: RunningApp) -> list[Any]:
    """What a Prometheus would see, by a parser that is not ours."""
    page = await app.http.get("/metrics", headers=OPEN_METRICS)
    assert page.headers["content-type"].startswith("application/openmetrics-text")
    return [sample for family in open_metrics(page.text) for sample in family.samples]  # type: ignore[no-untyped-call]


async def value(app: RunningApp, name: str, **labels: str) -> float | None:
    found = [
        each.value
        for each in await samples(app)
        if each.name == name and all(each.labels.get(label) == wanted for label, wanted in labels.items())
    ]
    assert len(found) <= 1, found
    return found[0] if found else None


async def make(harness: Harness, app: RunningApp, name: str = "lamp") -> Any:
    sent = harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": uuid4().hex}
    return await app.http.post("/things", json={"name": name}, headers=sent)


async def test_a_request_is_counted_by_its_route_and_leads_to_its_trace(harness: Harness, app: RunningApp) -> None:
    made = await make(harness, app)
    await app.http.get(f"/things/{uuid4()}", headers=harness.headers("web", to="sample", person=uuid4()))
    seen = await samples(app)
    requests = [each for each in seen if each.name == "http_server_request_duration_seconds_count"]
    assert {
        (each.labels["http_request_method"], each.labels["http_route"], each.labels["http_response_status_code"])
        for each in requests
    } == {("POST", "/things", "201"), ("GET", "/things/{thing_id}", "404")}
    exemplars = [
        each.exemplar.labels["trace_id"]
        for each in seen
        if each.name == "http_server_request_duration_seconds_bucket"
        and each.labels["http_route"] == "/things"
        and each.exemplar
    ]
    assert exemplars == [made.headers["x-trace-id"]]


async def test_strangers_cannot_make_many_series(app: RunningApp) -> None:
    for number in range(5):
        await app.http.request(f"BREW{number}", f"/teapots/{number}")
    named = {"http_request_method": "_OTHER", "http_route": "(unmatched)"}
    assert await value(app, "http_server_request_duration_seconds_count", **named) == 5


async def test_health_is_not_measured(app: RunningApp) -> None:
    for _ in range(2):
        await app.http.get("/livez")
    assert not [each for each in await samples(app) if each.labels.get("http_route") in {"/livez", "/metrics"}]


async def test_statements_and_waits_for_connections_are_measured(harness: Harness, app: RunningApp) -> None:
    await make(harness, app)
    named = {"db_query_summary": "sample.insert_thing", "onsale_db_role": "primary"}
    assert await value(app, "db_client_operation_duration_seconds_count", **named) == 1
    pool = {"db_client_connection_pool_name": "sample"}
    assert (await value(app, "db_client_connection_wait_time_seconds_count", **pool) or 0) > 0
    assert await value(app, "db_client_connection_max", **pool) == 4
    assert await value(app, "db_client_connection_count", **pool, db_client_connection_state="used") is not None


async def test_a_statement_that_fails_is_counted_by_its_sqlstate(app: RunningApp) -> None:
    database = app.app.state.service._databases[0]
    with pytest.raises(Exception, match="does not exist"):
        async with database.reader() as reads:
            await reads.execute(text("SELECT * FROM nowhere"), name="sample.wrong")
    named = {"db_query_summary": "sample.wrong", "error_type": "42P01"}
    assert await value(app, "db_client_operation_duration_seconds_count", **named) == 1


async def test_a_fact_is_measured_where_it_leaves_and_where_it_arrives(harness: Harness, app: RunningApp) -> None:
    await make(harness, app)
    await harness.heard(MADE)
    event_id = uuid4()
    for _ in range(2):
        await harness.tell(WANTED, {"name": "lamp"}, event_id=event_id)
    arrived = {"messaging_destination_name": WANTED, "messaging_consumer_group_name": "sample"}

    async def has(name: str, **labels: str) -> bool:
        return await value(app, name, **labels) == 1

    count = "messaging_process_duration_seconds_count"
    await harness.eventually(lambda: has(count, **arrived, onsale_outcome="done"))
    await harness.eventually(lambda: has(count, **arrived, onsale_outcome="duplicate"))
    assert await value(app, "onsale_fact_age_seconds_count", **arrived) == 2
    sent = {"messaging_destination_name": MADE, "messaging_operation_name": "send"}
    assert (await value(app, "messaging_client_operation_duration_seconds_count", **sent) or 0) >= 1


async def test_what_waits_is_seen(harness: Harness, app: RunningApp) -> None:
    database = app.app.state.service._databases[0]

    async def shows(name: str, least: float, **labels: str) -> bool:
        return ((await value(app, name, **labels)) or 0) >= least

    async with database.writer() as tx:
        # Claimed by nobody who lives, so that the relay leaves it alone.
        await tx.execute(text(_UNSENT), name="test")
        await tx.execute(text(_DEAD), name="test")
    pool = {"db_client_connection_pool_name": "sample"}
    await harness.eventually(lambda: shows("onsale_outbox_unsent", 1, **pool))
    await harness.eventually(lambda: shows("onsale_outbox_age_seconds", 60, **pool))
    await harness.eventually(lambda: shows("onsale_dead_letters", 1, **pool, messaging_consumer_group_name="sample"))
    await harness.eventually(lambda: shows("process_memory_usage_bytes", 10e6))


_UNSENT = """
    INSERT INTO outbox (event_id, subject, aggregate_id, data, created_at, claimed_until)
    VALUES (gen_random_uuid(), 'events.sample.thing_made.v1', 'x', '{}', now() - interval '1 minute', now() + interval '1 hour')
"""
_DEAD = """
    INSERT INTO dead_letter (consumer, message_id, subject, body, reason, deliveries)
    VALUES ('sample', 'one', 'events.other.thing_wanted.v1', '', 'test', 8)
"""


async def test_a_consumer_that_does_not_get_on_is_behind(harness: Harness, app: RunningApp) -> None:
    """A handler that fails leaves its fact with the broker; facts of others in the stream are not counted."""
    await harness.tell("events.other.thing_ignored.v1", {})
    await harness.tell(WANTED, {"name": "vase"})
    await harness.tell("events.other.thing_ignored.v1", {})
    named = {"messaging_consumer_group_name": "sample"}

    async def is_behind() -> bool:
        pending = await value(app, "onsale_consumer_pending", **named)
        lag = await value(app, "onsale_consumer_lag_seconds", **named)
        return pending == 1 and lag is not None and 0 < lag < 60

    await harness.eventually(is_behind)


async def test_the_page_is_for_old_readers_too(harness: Harness, app: RunningApp) -> None:
    await make(harness, app)
    page = await app.http.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in plain_text(page.text)}
    assert families["http_server_request_duration_seconds"].type == "histogram"
    assert families["target_info"].samples[0].labels["service_name"] == "sample"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Forwarded-Host"])
async def test_how_a_service_is_is_not_shown_through_a_gateway(app: RunningApp, header: str) -> None:
    unknown = await app.http.get("/nowhere", headers={header: "for=192.0.2.1"})
    for path in ("/metrics", "/readyz"):
        answer = await app.http.get(path, headers={header: "for=192.0.2.1"})
        assert answer.status_code == 404
        assert answer.json()["code"] == unknown.json()["code"]
    assert (await app.http.get("/livez", headers={header: "for=192.0.2.1"})).status_code == 200


async def test_in_a_mesh_health_answers_through_proxies(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS, health_through_proxies=True)
    async with harness.running(create_app, settings) as app:
        assert (await app.http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"})).status_code == 200


async def test_the_pulse_of_a_process_that_does_nothing_is_felt_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    # What each pause brings: how late it ends, and how much processor time is used meanwhile.
    brought = iter([(0.0, 0.0), (0.0, 0.5), (0.0, 0.0), (0.3, 0.0), (0.0, 0.0)])
    clock = {"now": 100.0, "used": 0.0}
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        late, used = next(brought)
        clock["now"] += seconds + late
        clock["used"] += used

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(watching, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(watching, "process_time", lambda: clock["used"])
    with pytest.raises(RuntimeError):  # what is brought has ended
        await watching.Watching(Metrics()).feel_pulse()
    rare, often = watching.CALM_PULSE_SECONDS, watching.PULSE_SECONDS
    assert pauses == [often, rare, often, rare, often, rare]
