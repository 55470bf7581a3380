"""What the trace reader relies on, asked of the dev trace store, and of a real Jaeger if JAEGER_URL names one.

`JAEGER_URL=http://127.0.0.1:16686 JAEGER_OTLP_URL=http://127.0.0.1:4318 pytest tracing/tests/test_store_conformance.py`
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from tracing.assertions import assert_complete, assert_path, wait_for_trace
from tracing.files import document_of, lines_of
from tracing.reader import Trace, TraceReader, TraceUnknown
from tracing.tests.running_store import Store, Telemetry, buy, running_store, span_id_of, trace_id_of

TARGETS = ["dev trace store", *(["jaeger"] if "JAEGER_URL" in os.environ else [])]
A_DAY = {"query.startTimeMin": "2020-01-01T00:00:00Z", "query.startTimeMax": "2100-01-01T00:00:00.123456789Z"}


@pytest.fixture(scope="module", params=TARGETS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "jaeger":
        yield Store(os.environ["JAEGER_URL"], os.environ.get("JAEGER_OTLP_URL", "http://127.0.0.1:4318"))
    else:
        with running_store(tmp_path_factory.mktemp("store")) as started:
            yield started


@pytest.fixture
def telemetry(store: Store) -> Iterator[Telemetry]:
    made = Telemetry(store.otlp_url, suffix=f"-{uuid4().hex[:8]}")
    yield made
    made.close()


@pytest.fixture
def reader(store: Store) -> Iterator[TraceReader]:
    with TraceReader(store.url) as made:
        yield made


async def asked(method: str, url: str, **how: Any) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.request(method, url, **how)


async def answer_of(url: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = (await asked("GET", url, params=parameters)).raise_for_status().json()
    return answer


async def test_a_trace_of_several_services_comes_back_whole(telemetry: Telemetry, reader: TraceReader) -> None:
    root = buy(telemetry)
    trace = await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")], quiet_seconds=0.2)
    assert len(trace.spans) == 6
    assert {name.removesuffix(telemetry.suffix) for name in trace.services} == {"web", "orders", "payments", "tickets"}
    assert_complete(trace)
    assert_path(trace, "web-* POST /checkout", "orders-* POST /orders", "payments-* POST /payments")
    kinds = {span.name: span.kind for span in trace.spans if span.name != "POST /orders"}
    assert kinds["POST /checkout"] == "server"
    assert kinds["create events.orders.order_confirmed.v1"] == "producer"
    assert kinds["process events.orders.order_confirmed.v1"] == "consumer"


async def test_attributes_events_links_and_status_survive(telemetry: Telemetry, reader: TraceReader) -> None:
    elsewhere = telemetry.span("web", "GET /events")
    elsewhere.end()
    attributes: dict[str, AttributeValue] = {
        "text": "ä<b>",
        "yes": True,
        "whole": 2**53 + 1,
        "part": 0.25,
        "many": ["a", "b"],
    }
    span = telemetry.span("orders", "capture", None, SpanKind.CLIENT, attributes, [elsewhere.get_span_context()])
    span.add_event("gateway timed out", {"waited_ms": 900})
    span.set_status(Status(StatusCode.ERROR, "no answer"))
    span.end()
    telemetry.flush()
    trace = await wait_for_trace(reader, trace_id_of(span), quiet_seconds=0)
    read = trace.get(span_id_of(span))
    assert read is not None
    assert read.attributes.items() >= attributes.items()
    assert (read.status.code, read.status.message, read.is_error) == ("error", "no answer", True)
    assert [(event.name, event.attributes) for event in read.events] == [("gateway timed out", {"waited_ms": 900})]
    assert [(link.trace_id, link.span_id) for link in read.links] == [(trace_id_of(elsewhere), span_id_of(elsewhere))]
    assert read.resource["service.version"] == "0.1.0"
    assert (read.start_ns, read.end_ns) == (span.start_time, span.end_time)


async def test_search_finds_by_service_operation_attribute_and_duration(
    telemetry: Telemetry, reader: TraceReader
) -> None:
    root = buy(telemetry)
    slow = telemetry.span("orders", "capture", attributes={"order.number": "other"})
    assert slow.start_time is not None
    slow.end(slow.start_time + 3_000_000_000)
    telemetry.flush()
    await wait_for_trace(reader, trace_id_of(slow), quiet_seconds=0)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    orders = "orders" + telemetry.suffix

    def ids(traces: list[Trace]) -> set[str]:
        return {trace.trace_id for trace in traces}

    assert ids(reader.search(orders)) == {trace_id_of(root), trace_id_of(slow)}
    assert ids(reader.search(orders, "POST /orders")) == {trace_id_of(root)}
    assert ids(reader.search(orders, attributes={"order.number": "other"})) == {trace_id_of(slow)}
    assert ids(reader.search(orders, duration_min_seconds=2.5)) == {trace_id_of(slow)}
    assert ids(reader.search(orders, duration_max_seconds=2.5)) == {trace_id_of(root)}
    assert reader.search(orders, "capture", duration_max_seconds=2.5) == []
    assert len(reader.search(orders, limit=1)) == 1
    whole = next(trace for trace in reader.search(orders) if trace.trace_id == trace_id_of(root))
    assert len(whole.spans) == 6, "a search gives whole traces, not only the spans that fit"


async def test_services_and_operations_are_listed(telemetry: Telemetry, reader: TraceReader) -> None:
    root = buy(telemetry)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    assert {"web" + telemetry.suffix, "tickets" + telemetry.suffix} <= set(reader.services())
    assert ("POST /orders", "server") in reader.operations("orders" + telemetry.suffix)


def test_an_unknown_trace_is_not_found(reader: TraceReader) -> None:
    with pytest.raises(TraceUnknown, match=r"does not know the trace 0{29}abc"):
        reader.trace("abc")


def test_a_search_without_matches_is_not_found(store: Store) -> None:
    response = httpx.get(f"{store.url}/api/v3/traces", params={**A_DAY, "query.serviceName": uuid4().hex})
    assert response.status_code == 404
    assert response.json()["error"]["httpCode"] == 404


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/api/v3/traces/not-a-trace-id", {}),
        ("/api/v3/traces", {}),
        ("/api/v3/traces", {**A_DAY, "query.startTimeMin": "yesterday"}),
        ("/api/v3/traces", {**A_DAY, "query.durationMin": "long"}),
        ("/api/v3/traces", {**A_DAY, "query.searchDepth": "-1"}),
        ("/api/v3/traces", {**A_DAY, "query.attributes": "not json"}),
    ],
)
def test_bad_parameters_are_refused_with_a_message(store: Store, path: str, parameters: dict[str, str]) -> None:
    response = httpx.get(store.url + path, params=parameters)
    # Jaeger 2.20 takes a depth below 1 for a failure of its own.
    failures = {400, 500} if store.process is None and "query.searchDepth" in parameters else {400}
    assert response.status_code in failures
    assert response.json()["error"]["message"]


async def test_the_older_json_of_a_trace_is_still_given(
    store: Store, telemetry: Telemetry, reader: TraceReader
) -> None:
    root = buy(telemetry)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    (trace,) = (await answer_of(f"{store.url}/api/traces/{trace_id_of(root)}"))["data"]
    spans = {span["operationName"]: span for span in trace["spans"]}
    heard = spans["process events.orders.order_confirmed.v1"]
    assert trace["processes"][heard["processID"]]["serviceName"] == "tickets" + telemetry.suffix
    # Its parent is also what it links to: Jaeger 2.20 shows it once, as FOLLOWS_FROM.
    parents = {(each["traceID"], each["spanID"]) for each in heard["references"]}
    fact = spans["create events.orders.order_confirmed.v1"]
    assert parents == {(trace_id_of(root), fact["spanID"])}
    if store.process is not None:
        assert heard["references"][0]["refType"] == "CHILD_OF"
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in heard["tags"]}
    assert tags["messaging.delivery_count"] == ("int64", 2)
    assert tags["span.kind"] == ("string", "consumer")
    assert abs(heard["startTime"] - time.time_ns() // 1_000) < 60_000_000


async def test_dependencies_count_the_calls_between_services(
    store: Store, telemetry: Telemetry, reader: TraceReader
) -> None:
    root = buy(telemetry)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    wanted = {"endTs": str(time.time_ns() // 1_000_000 + 1_000), "lookback": "3600000"}
    edges = (await answer_of(f"{store.url}/api/dependencies", wanted))["data"]
    ours = {(edge["parent"], edge["child"], edge["callCount"]) for edge in edges}
    suffix = telemetry.suffix
    assert {(f"web{suffix}", f"orders{suffix}", 1), (f"orders{suffix}", f"tickets{suffix}", 1)} <= ours


async def test_failed_kinds_resources_and_times_can_be_searched_for(
    store: Store, telemetry: Telemetry, reader: TraceReader
) -> None:
    root = buy(telemetry)
    failed = telemetry.span("orders", "capture", None, SpanKind.CLIENT, {"order.number": "failed"})
    failed.set_status(Status(StatusCode.ERROR, "no answer"))
    failed.end()
    telemetry.flush()
    await wait_for_trace(reader, trace_id_of(failed), quiet_seconds=0)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    orders, tickets = "orders" + telemetry.suffix, "tickets" + telemetry.suffix

    def ids(service: str, **attributes: str) -> set[str]:
        wanted = {name.replace("_", "."): value for name, value in attributes.items()}
        return {trace.trace_id for trace in reader.search(service, attributes=wanted)}

    assert ids(orders, error="true") == {trace_id_of(failed)}
    assert ids(orders, span_kind="server") == {trace_id_of(root)}
    assert ids(orders, service_version="0.1.0") == {trace_id_of(root), trace_id_of(failed)}
    assert ids(orders, service_version="0.2.0") == set()
    assert {trace.trace_id for trace in reader.search(tickets, attributes={"messaging.delivery_count": "2"})} == {
        trace_id_of(root)
    }
    assert root.start_time is not None
    before = {"query.serviceName": orders, "query.startTimeMin": "2020-01-01T00:00:00Z"}
    ended = await asked(
        "GET", f"{store.url}/api/v3/traces", params={**before, "query.startTimeMax": "2020-01-02T00:00:00Z"}
    )
    assert ended.status_code == 404, "nothing started then"


async def test_summaries_tell_a_trace_in_a_line(store: Store, telemetry: Telemetry, reader: TraceReader) -> None:
    root = buy(telemetry)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    wanted = {**A_DAY, "query.serviceName": "orders" + telemetry.suffix}
    answer = await answer_of(f"{store.url}/api/v3/trace-summaries", wanted)
    (summary,) = answer.get("result", answer)["summaries"]
    assert summary["traceId"] == trace_id_of(root)
    assert (summary["rootServiceName"], summary["rootOperationName"]) == ("web" + telemetry.suffix, "POST /checkout")
    assert (summary["spanCount"], summary.get("errorSpanCount", 0)) == (6, 0)
    shares = {share["name"]: share["spanCount"] for share in summary["services"]}
    assert shares["orders" + telemetry.suffix] == 2


async def test_an_export_is_what_the_upload_of_jaegers_page_sends(
    store: Store, telemetry: Telemetry, reader: TraceReader
) -> None:
    """The page joins the lines of the file and has them turned into the older JSON, which it draws."""
    root = buy(telemetry)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    lines = [orjson.loads(line) for line in lines_of(reader.document(trace_id_of(root))).splitlines()]
    assert all("resourceSpans" in line for line in lines)
    joined = {"resourceSpans": [group for line in lines for group in line["resourceSpans"]]}
    response = await asked("POST", f"{store.url}/api/transform", json=joined)
    assert response.status_code == 200
    (trace,) = response.json()["data"]
    assert trace["traceID"] == trace_id_of(root)
    assert {span["operationName"] for span in trace["spans"]} == {
        span.name for span in reader.trace(trace_id_of(root)).spans
    }
    names = {process["serviceName"].removesuffix(telemetry.suffix) for process in trace["processes"].values()}
    assert names == {"web", "orders", "payments", "tickets"}
    refused = await asked(
        "POST", f"{store.url}/api/transform", content=b"no trace", headers={"content-type": "application/json"}
    )
    assert refused.status_code == 400


async def test_an_export_sent_to_another_store_is_the_same_trace(
    store: Store, telemetry: Telemetry, reader: TraceReader, tmp_path: Path
) -> None:
    root = buy(telemetry)
    await wait_for_trace(reader, trace_id_of(root), [("tickets-*", "process *")])
    document = document_of(lines_of(reader.document(trace_id_of(root))))
    with running_store(tmp_path / "other") as other, TraceReader(other.url) as reads:
        await asked("POST", f"{other.otlp_url}/v1/traces", json=document)
        assert reads.trace(trace_id_of(root)) == reader.trace(trace_id_of(root))
    await asked("POST", f"{store.otlp_url}/v1/traces", json=document)  # and back, where it is already
    assert len(reader.trace(trace_id_of(root)).spans) >= 6
