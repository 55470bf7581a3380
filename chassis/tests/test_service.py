"""What every service promises, tried on the smallest one, over real Postgres and NATS."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import jwt
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from sqlalchemy import text

from chassis.edge import MAX_BODY_BYTES
from chassis.testing import Harness, RunningApp
from chassis.tests.sample.app import SampleSettings, create_app
from tracing.model import Span
from tracing.setup import resource_of
from tracing.testing import Kept

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
MADE = "events.sample.thing_made.v1"
PROBLEM = "application/problem+json"
WANTED = "events.other.thing_wanted.v1"


@pytest.fixture
def settings(harness: Harness) -> SampleSettings:
    return harness.settings(SampleSettings, migrations=MIGRATIONS)


@pytest.fixture
async def app(harness: Harness, settings: SampleSettings) -> AsyncIterator[RunningApp]:
    async with harness.running(create_app, settings) as running:
        yield running


def headers(harness: Harness, key: str, person: Any = None) -> dict[str, str]:
    return harness.headers("web", to="sample", person=person or uuid4()) | {"Idempotency-Key": key}


async def rows(app: RunningApp, query: str) -> list[Any]:
    database = app.app.state.service._databases[0]
    async with database.reader() as reads:
        return list((await reads.execute(text(query), name="test")).mappings().all())


async def test_a_fact_leaves_with_the_transaction_and_reaches_the_firehose(harness: Harness, app: RunningApp) -> None:
    made = await app.http.post("/things", json={"name": "lamp"}, headers=headers(harness, "key-00001"))
    assert made.status_code == 201
    fact = await harness.heard(MADE)
    assert fact["data"] == made.json()
    assert fact["source"] == "/services/sample"
    assert fact["traceparent"].split("-")[1] == made.headers["x-trace-id"]


async def test_a_fact_carries_a_version_that_grows(harness: Harness, app: RunningApp) -> None:
    for key in ("key-00001", "key-00002"):
        await app.http.post("/things", json={"name": "lamp"}, headers=headers(harness, key))
    first, second = await harness.heard(MADE), await harness.heard(MADE)
    assert len(first["sequence"]) == len(second["sequence"]) == 19
    by_row = {str(row["event_id"]): f"{row['seq']:019}" for row in await rows(app, "SELECT event_id, seq FROM outbox")}
    assert {each["id"]: each["sequence"] for each in (first, second)} == by_row


async def test_the_same_key_gives_the_same_answer_and_happens_once(harness: Harness, app: RunningApp) -> None:
    sent = headers(harness, "key-00001")
    first = await app.http.post("/things", json={"name": "lamp"}, headers=sent)
    second = await app.http.post("/things", json={"name": "lamp"}, headers=sent)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len(await rows(app, "SELECT * FROM thing")) == 1


async def test_the_same_key_with_another_body_is_refused(harness: Harness, app: RunningApp) -> None:
    sent = headers(harness, "key-00001")
    await app.http.post("/things", json={"name": "lamp"}, headers=sent)
    other = await app.http.post("/things", json={"name": "chair"}, headers=sent)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


async def test_of_two_at_the_same_moment_with_the_same_key_one_happens_and_the_other_is_told_to_wait(
    harness: Harness, app: RunningApp
) -> None:
    """The second one finds the key taken by somebody whose row it cannot see yet."""
    for number in range(20):
        sent = headers(harness, f"key-of-{number:05}")
        asked = (app.http.post("/things", json={"name": "lamp"}, headers=sent) for _ in range(4))
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"still_in_progress"}
        assert len(await rows(app, "SELECT * FROM thing")) == number + 1


async def test_a_key_is_given_back_although_the_time_of_its_request_is_over(harness: Harness, app: RunningApp) -> None:
    """The failure comes when hardly any time is left, and the database is slow to take the key back."""
    sent = headers(harness, "key-00001") | {"Onsale-Deadline-Ms": "1000"}
    asking = asyncio.create_task(app.http.post("/things", json={"name": "flake"}, headers=sent))
    other = await asyncpg.connect(app.app.state.service.settings.database_url.get_secret_value())
    try:
        async with other.transaction():
            await harness.eventually(lambda: other.fetch("SELECT 1 FROM idempotency_key FOR UPDATE"))
            assert (await asking).json()["code"] == "deadline_passed"
    finally:
        await other.close()
    await harness.eventually(lambda: is_given_back(app))


async def test_a_fact_that_is_published_twice_takes_effect_once(harness: Harness, app: RunningApp) -> None:
    event_id = await harness.tell(WANTED, {"name": "lamp", "colour": "unknown field"})
    await harness.tell(WANTED, {"name": "lamp"}, event_id=event_id)
    await harness.tell(WANTED, {"name": "chair"})
    await harness.eventually(lambda: has_names(app, ["chair", "lamp"]))
    assert len(await rows(app, "SELECT * FROM thing")) == 2


async def test_a_fact_that_is_published_again_is_a_span_that_says_so_and_leads_to_the_first(
    harness: Harness, app: RunningApp, kept_spans: Kept
) -> None:
    published_in = f"00-{'1' * 32}-{'2' * 16}-01"
    event_id = await harness.tell(WANTED, {"name": "lamp"}, traceparent=published_in)
    await harness.tell(WANTED, {"name": "lamp"}, event_id=event_id, traceparent=published_in)
    first, again = await harness.eventually(lambda: both(kept_spans, f"process {WANTED}"))
    assert {first.trace_id, again.trace_id} == {"1" * 32}
    assert ("onsale.duplicate" in first.attributes, again.attributes["onsale.duplicate"]) == (False, True)
    assert [(link.span_id, link.attributes["onsale.link"]) for link in again.links] == [("2" * 16, "repetition of")]
    assert first.links == ()
    expected = {
        "messaging.system": "nats",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": WANTED,
        "messaging.message.id": str(event_id),
        "messaging.consumer.group.name": "sample",
        "onsale.delivery": 1,
        "onsale.publication": 1,
    }
    assert {name: first.attributes[name] for name in expected} == expected


async def both(kept_spans: Kept, name: str) -> list[Span] | None:
    found = kept_spans.named(name)
    return found if len(found) == 2 else None


async def test_a_fact_about_something_whose_name_is_too_long_is_a_dead_letter_too(
    harness: Harness, app: RunningApp
) -> None:
    await harness.tell(WANTED, {"name": "lamp"}, aggregate_id="x" * 201)
    await harness.eventually(lambda: rows(app, "SELECT 1 FROM dead_letter"))


async def test_a_fact_that_cannot_take_effect_becomes_a_dead_letter_with_its_reason(
    harness: Harness, app: RunningApp
) -> None:
    await harness.tell(WANTED, {"name": "unicorn"})
    await harness.tell(WANTED, {"no": "name"})
    letters = await harness.eventually(lambda: two(app, "SELECT reason FROM dead_letter ORDER BY reason"))
    # Two facts are worked on at once, and either may be the first to die.
    assert letters[0]["reason"] == "There are no unicorns."
    assert "name" in letters[1]["reason"]


async def test_facts_are_sent_again_when_the_broker_has_lost_its_stream(
    harness: Harness, settings: SampleSettings
) -> None:
    async with harness.running(create_app, settings) as app:
        await app.http.post("/things", json={"name": "lamp"}, headers=headers(harness, "key-00001"))
        first = await harness.heard(MADE)
    database_only = await lose_stream(harness)
    assert database_only == 0
    harness._heard.clear()
    async with harness.running(create_app, settings):
        again = await harness.heard(MADE)
    assert again["id"] == first["id"]


async def test_a_route_refuses_who_is_not_its_caller(harness: Harness, app: RunningApp) -> None:
    body = {"name": "lamp"}
    nobody = await app.http.post("/things", json=body)
    wrong_service = await app.http.post(
        "/things", json=body, headers=harness.headers("stranger", to="sample", person=uuid4())
    )
    wrong_audience = await app.http.post(
        "/things", json=body, headers=harness.headers("web", to="orders", person=uuid4())
    )
    no_person = await app.http.post("/things", json=body, headers=harness.headers("web", to="sample"))
    assert [each.status_code for each in (nobody, wrong_service, wrong_audience, no_person)] == [401, 403, 401, 401]


async def test_a_services_token_that_would_live_for_long_is_refused(harness: Harness, app: RunningApp) -> None:
    now = int(time.time())
    claims = {"iss": "web", "aud": "sample", "iat": now, "exp": now + 3600}
    token = jwt.encode(claims, harness.keys.services["web"], algorithm="EdDSA", headers={"kid": "web"})
    sent = headers(harness, "key-00001") | {"Authorization": f"Bearer {token}"}
    assert (await app.http.post("/things", json={"name": "lamp"}, headers=sent)).status_code == 401


async def test_routes_are_served_as_they_were_made_and_each_may_be_refused(app: RunningApp) -> None:
    made = [route for router in app.app.state.service._routers for route in router.routes]
    assert made
    assert [route for route in app.app.router.routes if route in made] == made
    operations = [operation for path in app.app.openapi()["paths"].values() for operation in path.values()]
    assert {tuple(operation["responses"]["default"]["content"]) for operation in operations} == {(PROBLEM,)}


async def test_an_error_is_a_problem_document_with_its_trace(app: RunningApp) -> None:
    thing_id = uuid4()
    answer = await app.http.get(f"/things/{thing_id}")
    problem = answer.json()
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == "thing_unknown"
    assert problem["thing_id"] == str(thing_id)
    assert problem["trace_id"] == answer.headers["x-trace-id"]


async def test_a_request_is_one_server_span(app: RunningApp) -> None:
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    kept = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    answer = await app.http.get(f"/things/{uuid4()}")
    trace_id = int(answer.headers["x-trace-id"], 16)
    spans = [span for span in kept.get_finished_spans() if span.kind is SpanKind.SERVER]
    assert [span.context.trace_id for span in spans if span.context] == [trace_id]
    kept.shutdown()


async def test_a_failure_of_ours_tells_no_secrets(app: RunningApp) -> None:
    answer = await app.http.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


async def test_a_body_that_is_not_text_is_refused_with_a_sentence(harness: Harness, app: RunningApp) -> None:
    sent = headers(harness, "key-00001") | {"Content-Type": "text/plain"}
    answer = await app.http.post("/things", content=b"\xff\xfe", headers=sent)
    assert answer.status_code == 422
    assert answer.json()["code"] == "request_invalid"


async def test_text_with_a_nul_which_no_database_keeps_is_refused(harness: Harness, app: RunningApp) -> None:
    answer = await app.http.post("/things", json={"name": "la\0mp"}, headers=headers(harness, "key-00001"))
    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]


async def test_a_body_without_end_is_refused_before_it_is_kept(harness: Harness, app: RunningApp) -> None:
    sent = headers(harness, "key-00001")
    announced = await app.http.post("/things", json={"name": "x" * MAX_BODY_BYTES}, headers=sent)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    endless_body = await app.http.post(
        "/things", content=endless(), headers=sent | {"Content-Type": "application/json"}
    )
    assert [(each.status_code, each.json()["code"]) for each in (announced, endless_body)] == [
        (413, "body_too_large")
    ] * 2
    assert announced.json()["trace_id"] == announced.headers["x-trace-id"]


async def test_the_span_of_a_refused_request_says_with_which_code(
    harness: Harness, app: RunningApp, kept_spans: Kept
) -> None:
    sent = headers(harness, "key-00001")
    await app.http.post("/things", json={"name": "x" * MAX_BODY_BYTES}, headers=sent)
    await app.http.post("/things", json={}, headers=sent)
    await app.http.post("/things", json={"name": "lamp"})
    refusals = [each.attributes.get("onsale.refusal") for each in kept_spans.spans if each.kind == "server"]
    assert refusals == ["body_too_large", "request_invalid", "not_authenticated"]


async def test_what_the_framework_refuses_is_a_sentence_too(harness: Harness, app: RunningApp) -> None:
    sent = headers(harness, "key-00001") | {"Content-Type": "application/json"}
    answers = [
        await app.http.get("/nowhere"),
        await app.http.delete("/things"),
        await app.http.post("/things", content=b'{"name": "\xff"}', headers=sent),
    ]
    assert [each.status_code for each in answers] == [404, 405, 400]
    assert all(each.json()["detail"].endswith(".") for each in answers)


async def test_who_loses_a_deadlock_is_asked_to_try_again(harness: Harness, app: RunningApp) -> None:
    for name in ("lamp", "chair"):
        await app.http.post("/things", json={"name": name}, headers=headers(harness, f"key-{name}"))
    database = app.app.state.service._databases[0]
    both = asyncio.Barrier(2)

    async def rename(first: str, second: str) -> None:
        async with database.writer() as tx:
            await tx.execute(text("UPDATE thing SET name = name WHERE name = :n"), {"n": first}, name="test")
            await both.wait()
            await tx.execute(text("UPDATE thing SET name = name WHERE name = :n"), {"n": second}, name="test")

    ends = await asyncio.gather(rename("lamp", "chair"), rename("chair", "lamp"), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "StoreUnavailable"]


async def test_who_does_not_wait_any_more_gets_an_answer_that_says_so(app: RunningApp) -> None:
    answer = await app.http.get("/slow", headers={"Onsale-Deadline-Ms": "100"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "deadline_passed"


async def test_a_deadline_that_makes_no_sense_is_the_usual_one(app: RunningApp) -> None:
    answer = await app.http.get(f"/things/{uuid4()}", headers={"Onsale-Deadline-Ms": "9" * 400})
    assert answer.status_code == 404


async def test_readiness_tells_about_each_part(app: RunningApp) -> None:
    answer = await app.http.get("/readyz")
    assert answer.json() == {"state": "ready", "parts": {"database": "ready", "nats": "ready", "firehose": "ready"}}


async def has_names(app: RunningApp, names: list[str]) -> bool:
    return [row["name"] for row in await rows(app, "SELECT name FROM thing ORDER BY name")] == names


async def is_given_back(app: RunningApp) -> bool:
    return not await rows(app, "SELECT * FROM idempotency_key")


async def two(app: RunningApp, query: str) -> list[Any]:
    found = await rows(app, query)
    return found if len(found) == 2 else []


async def lose_stream(harness: Harness) -> int:
    """Deletes the stream and makes an empty one, as after the loss of the broker's disk. How many messages it holds."""
    from chassis.stream import STREAM, ensure_stream

    manager = harness._client().jetstream()
    await manager.delete_stream(STREAM)
    await ensure_stream(harness._client())
    return int((await manager.stream_info(STREAM)).state.messages)


@pytest.mark.parametrize(("given", "name"), [("shop", "shop"), (None, socket.gethostname())])
async def test_spans_tell_the_host_by_the_name_that_it_was_given(
    harness: Harness, given: str | None, name: str
) -> None:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS, host_name=given)
    who = resource_of(create_app(settings).state.service._telemetry).attributes
    assert who["host.name"] == name
    assert str(who["service.instance.id"]).startswith(f"{name}-")
