"""What metrics cost: a route that does nothing, through what wraps every request, with and without them, in one run.

`python -m local.bench_metrics [requests] [rounds]`. No network and no server: the share of a real request is smaller.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from time import process_time
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from chassis.documented import ANY_REFUSAL, Documented
from chassis.edge import EdgeMiddleware
from chassis.problems import problem_response
from tracing.asgi import TracingMiddleware
from tracing.instruments import DB_DURATION, POOL_WAIT
from tracing.measured import MetricsMiddleware
from tracing.metrics import Metrics

REQUESTS = 500
ROUNDS = 40
# What a request of a service that reads once measures besides itself.
STATEMENT: dict[str, str | int] = {
    "db.system.name": "postgresql",
    "db.query.summary": "orders.order_by_id",
    "onsale.db.role": "primary",
}
POOL: dict[str, str | int] = {"db.client.connection.pool.name": "orders"}

Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def application(metrics: Metrics | None) -> FastAPI:
    """An application as the chassis builds it, with one route that does nothing."""
    off: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
    app = Documented(docs_url=None, redoc_url=None, responses=ANY_REFUSAL, telemetry=off)

    @app.get("/nothing/{thing_id}")
    async def nothing(thing_id: str) -> dict[str, str]:
        return {"thing_id": thing_id}

    app.add_middleware(EdgeMiddleware, show=problem_response)
    if metrics is not None:
        app.add_middleware(MetricsMiddleware, metrics=metrics)
    app.add_middleware(TracingMiddleware)
    return app


async def microseconds(app: Asgi, requests: int) -> float:
    """Of processor time for one request, on average: whoever else works on the machine does not count."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: dict[str, Any]) -> None:
        """Takes the answer and drops it."""

    started = process_time()
    for number in range(requests):
        path = f"/nothing/{number}"
        scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode()}
        await app({**scope, "query_string": b"", "headers": [], "root_path": "", "scheme": "http"}, receive, send)
    return (process_time() - started) / requests * 1e6


def microseconds_of_a_record(metrics: Metrics, records: int) -> float:
    """Of one statement and one wait for a connection, measured within a span."""
    with trace.get_tracer("onsale").start_as_current_span("bench"):
        statement, wait = metrics.series(DB_DURATION, STATEMENT), metrics.series(POOL_WAIT, POOL)
        started = process_time()
        for _ in range(records):
            statement.add(0.002)
            wait.add(0.00001)
        return (process_time() - started) / records * 1e6


async def main(requests: int, rounds: int) -> None:
    """Rounds one after the other, with and without in turn. The least disturbed round of each is compared."""
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    metrics = Metrics()
    apps = {"without": application(None), "with": application(metrics)}
    least = dict.fromkeys(apps, float("inf"))
    for number in range(rounds):
        for name in sorted(apps, reverse=bool(number % 2)):
            least[name] = min(least[name], await microseconds(apps[name], requests))
    sys.stdout.write(
        f"a request without metrics {least['without']:7.1f} us\n"
        f"a request with metrics    {least['with']:7.1f} us   x {least['with'] / least['without']:.3f}\n"
        f"a statement's records     {microseconds_of_a_record(metrics, requests):7.1f} us\n"
    )


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:3]]
    asyncio.run(main(*(given + [REQUESTS, ROUNDS][len(given) :])))
