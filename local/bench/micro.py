"""What tracing costs a request that does nothing else, beside the figures of whole systems.

A request here is what an average one of ours records: a SERVER span, a step of the business, a call to another service and six
statements of SQL. Each way is measured in a process of its own, since a process has one tracer provider; CPU time counts, that
of the exporting thread too.
"""

import asyncio
import subprocess
import sys
import time
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

from chassis.calls import Answered, Calls, Sending
from local.bench.sink import Sink
from tracing.asgi import TracingMiddleware
from tracing.setup import TracingSettings, set_up_tracing
from tracing.spans import span, tracer

WAYS = {"off": None, "10 %": 0.1, "100 %": 1.0}
REQUESTS = 2_000
SPANS = 9
STATEMENT = "SELECT order_id, number, state, total_minor, currency FROM orders WHERE order_id = $1 AND person_id = $2"


async def _answer(_sending: Sending) -> Answered:
    """A provider that costs nothing."""
    return Answered(200, {}, b"")


_provider = Calls("inventory", "http://inventory:8003", carry=_answer)


async def _application(_scope: Any, _receive: Any, send: Any) -> None:
    with span("orders.reserve_places", {"onsale.order_id": "01a205b0-c255-711d-9c68-c06507fece3f"}):
        for _ in range(6):
            attributes = {
                "db.system.name": "postgresql",
                "db.namespace": "onsale_orders",
                "db.operation.name": "SELECT",
                "db.query.text": STATEMENT,
                "onsale.db.role": "primary",
            }
            statement = tracer().start_span("orders.order_by_id", kind=SpanKind.CLIENT, attributes=attributes)
            statement.set_attribute("db.response.returned_rows", 1)
            statement.end()
        await _provider.request("GET", "/events/1", extensions={"route": "/events/{event_id}"})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _measure(ratio: float | None, requests: int) -> float:
    """Microseconds of CPU per request, the sink's few included."""
    async with Sink() as sink:
        provider: TracerProvider | None = None
        if ratio is not None:
            provider = set_up_tracing(TracingSettings("bench", "0", "test", sink.url, ratio))
        app = TracingMiddleware(_application)
        await _requests(app, requests // 10)
        before = time.process_time()
        await _requests(app, requests)
        if provider is not None:
            await asyncio.to_thread(provider.force_flush)
        used = time.process_time() - before
        if provider is not None:
            await asyncio.to_thread(provider.shutdown)
    return used / requests * 1e6


async def _requests(app: Any, count: int) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Any) -> None:
        await asyncio.sleep(0)  # as a socket would let others run, the exporter too

    scope = {"type": "http", "method": "POST", "path": "/orders", "scheme": "http", "headers": []}
    for _ in range(count):
        await app(scope, receive, send)


def micro_costs(requests: int = REQUESTS) -> list[str]:
    """One line for each way."""
    found = {}
    for name in WAYS:
        command = [sys.executable, "-m", "local.bench.micro", name, str(requests)]
        found[name] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    lines = []
    for name, used in found.items():
        each = "" if name == "off" else f", {(used - found['off']) / SPANS:.0f} µs a span"
        lines.append(
            f"tracing {name:<6}{used:>6.0f} µs of CPU for {SPANS} spans of a request that does nothing else{each}"
        )
    return lines


if __name__ == "__main__":
    print(asyncio.run(_measure(WAYS[sys.argv[1]], int(sys.argv[2]))))
