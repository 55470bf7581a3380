"""`python -m local.bench.store`: how quick the dev trace store is when it is full: 200,000 spans, and a trace of 300."""

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from local.topology import SERVICES
from tracing.store.database import prepare
from tracing.store.writer import Writer
from tracing.tests.running_store import running_store

SPANS = 200_000
TRACE_SPANS = 300
TIMES = 9


def export_of(spans: int, order_number: str, dice: random.Random) -> tuple[str, bytes]:
    """A trace of so many spans over all services, as an export; and its id."""
    trace_id, now = os.urandom(16), time.time_ns() - dice.randrange(3_600_000_000_000)
    request = ExportTraceServiceRequest()
    names, scopes = list(SERVICES), {}
    for service in SERVICES:
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = service
        scopes[service] = group.scope_spans.add()
    ids = [os.urandom(8) for _ in range(spans)]
    for number in range(spans):
        span = scopes[names[number % len(names)]].spans.add(
            trace_id=trace_id, span_id=ids[number], name=f"step {number % 60}", kind=1 + number % 5,
            parent_span_id=ids[(number - 1) // 3] if number else b"",
            start_time_unix_nano=now + number * 1_000_000, end_time_unix_nano=now + (number + dice.randrange(90)) * 1_000_000,
        )  # fmt: skip
        span.attributes.add(key="onsale.order_number").value.string_value = order_number
        span.attributes.add(
            key="db.query.text"
        ).value.string_value = "SELECT * FROM orders WHERE order_id = $1 AND person_id = $2"
        span.status.code = 2 if dice.random() < 0.002 else 0
    return trace_id.hex(), request.SerializeToString()


def fill(folder: Path) -> str:
    """Puts the spans there; the id of one trace."""
    dice, trace_id = random.Random(1), ""  # noqa: S311  # no secret
    writer = Writer(prepare(folder), SPANS)
    writer.start()
    for number in range(SPANS // TRACE_SPANS):
        trace_id, body = export_of(TRACE_SPANS, f"K7Q2-{number:04d}", dice)
        writer.store(body, "application/x-protobuf", "").result()
    writer.close()
    return trace_id


def main() -> None:
    """Prints a line for each question."""
    with tempfile.TemporaryDirectory() as name:
        trace_id = fill(Path(name))
        with running_store(Path(name)) as store, httpx.Client(base_url=store.url, timeout=60, trust_env=False) as http:
            a_day = "query.startTimeMin=2020-01-01T00:00:00Z&query.startTimeMax=2100-01-01T00:00:00Z"
            for what, path in {
                "a trace of 300 spans, API": f"/api/v3/traces/{trace_id}",
                "a trace of 300 spans, page": f"/trace/{trace_id}",
                "search page, the latest 20": "/search",
                "search by service and operation": "/search?service=orders&operation=step+1",
                "search by an order's number": "/search?tags=onsale.order_number%3DK7Q2-0007",
                "search for what nobody has": "/search?tags=onsale.order_number%3Dnone",
                "search for errors": "/search?service=orders&tags=error%3Dtrue",
                "search by duration": "/search?minDuration=89ms",
                "20 whole traces, API": f"/api/v3/traces?{a_day}&query.serviceName=orders",
                "who calls whom, all spans": "/dependencies?lookback=all",
            }.items():
                print(f"{what:<34}{milliseconds(lambda path=path: http.get(path)):>8.0f} ms")  # type: ignore[misc]


def milliseconds(ask: Callable[[], httpx.Response]) -> float:
    """The median of some times, after one that does not count."""
    found = []
    for _ in range(TIMES + 1):
        started = time.perf_counter()
        ask().raise_for_status()
        found.append(1000 * (time.perf_counter() - started))
    return median(found[1:])


if __name__ == "__main__":
    main()
