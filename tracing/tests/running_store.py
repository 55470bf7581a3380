"""A real store process, and real exporters of the OpenTelemetry SDK that send to it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, set_span_in_context
from opentelemetry.util.types import AttributeValue

ROOT = Path(__file__).parents[2]
START_SECONDS = 20.0
STOP_SECONDS = 15.0


@dataclass
class Store:
    """`url` of pages and Jaeger's API, `otlp_url` to send to."""

    url: str
    otlp_url: str
    process: subprocess.Popen[str] | None = None


def store_command(folder: Path, *options: str) -> list[str]:
    """Starts a store on free ports."""
    return [sys.executable, "-m", "tracing.store", "--port", "0", "--otlp-port", "0", "--data", str(folder), *options]


@contextmanager
def running_store(folder: Path, *options: str) -> Iterator[Store]:
    """A store process, ready; ended afterwards."""
    process = subprocess.Popen(store_command(folder, *options), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"(http://\S+), OTLP to (http://\S+)/v1/traces", said)
        assert found, f"the store said {said!r}"
        wait_until_live(found[1])
        yield Store(found[1], found[2], process)
    finally:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)


def wait_until_live(url: str) -> None:
    """Polls, bounded."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/livez").is_success:
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


@dataclass
class Telemetry:
    """Spans of several services, each with its own provider and exporter, as in several processes."""

    otlp_url: str
    compression: Compression = Compression.NoCompression
    suffix: str = ""
    _providers: dict[str, TracerProvider] = field(default_factory=dict)

    def span(
        self,
        service: str,
        name: str,
        parent: SdkSpan | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[SpanContext] = (),
    ) -> SdkSpan:
        """A started span; end it. A `suffix` sets the services of one test apart in a store that is shared."""
        tracer = self._provider(service + self.suffix).get_tracer("tracing.tests")
        context = set_span_in_context(parent) if parent else None
        made = tracer.start_span(
            name, context, kind, attributes, [Link(link, {"why": "replay"}) for link in links], record_exception=True
        )
        assert isinstance(made, SdkSpan)
        return made

    def flush(self) -> None:
        """Everything that has ended is in the store after this."""
        for provider in self._providers.values():
            assert provider.force_flush(10_000)

    def close(self) -> None:
        for provider in self._providers.values():
            provider.shutdown()

    def _provider(self, service: str) -> TracerProvider:
        if service not in self._providers:
            resource = Resource.create({"service.name": service, "service.version": "0.1.0"})
            provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            exporter = OTLPSpanExporter(endpoint=f"{self.otlp_url}/v1/traces", compression=self.compression, timeout=10)
            provider.add_span_processor(BatchSpanProcessor(exporter))
            self._providers[service] = provider
        return self._providers[service]


def trace_id_of(span: SdkSpan) -> str:
    """As it is written in a store."""
    return format(span.get_span_context().trace_id, "032x")


def span_id_of(span: SdkSpan) -> str:
    """As it is written in a store."""
    return format(span.get_span_context().span_id, "016x")


def buy(telemetry: Telemetry) -> SdkSpan:
    """A small purchase: web calls orders, orders calls payments; tickets hears the fact. Returns the root."""
    root = telemetry.span("web", "POST /checkout", None, SpanKind.SERVER, {"http.route": "/checkout"})
    call = telemetry.span("web", "POST /orders", root, SpanKind.CLIENT, {"http.response.status_code": 201})
    orders = telemetry.span("orders", "POST /orders", call, SpanKind.SERVER, {"order.number": "K7Q2-9MXA"})
    payments = telemetry.span("payments", "POST /payments", orders, SpanKind.SERVER)
    fact = telemetry.span("orders", "create events.orders.order_confirmed.v1", orders, SpanKind.PRODUCER)
    heard = telemetry.span(
        "tickets",
        "process events.orders.order_confirmed.v1",
        fact,
        SpanKind.CONSUMER,
        {"messaging.delivery_count": 2},
        [fact.get_span_context()],
    )
    for span in (heard, fact, payments, orders, call, root):
        span.end()
    telemetry.flush()
    return root
