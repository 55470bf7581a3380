"""Metrics on their way out of a process: to a real OTLP/HTTP receiver, and as a page."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tracing.export import MetricsExport
from tracing.exposition import exposed, exposed_name
from tracing.instruments import DEAD_LETTERS, HTTP_SERVER_ACTIVE, HTTP_SERVER_DURATION, MESSAGES_SENT
from tracing.metrics import Metrics
from tracing.series import MOST_SERIES, OVERFLOW

ROUTE: dict[str, str | int] = {
    "http.request.method": "GET",
    "http.route": "/things/{thing_id}",
    "http.response.status_code": 200,
}
GENEROUS_SECONDS = 20.0


class Receiver:
    """Takes OTLP over HTTP, as a collector does."""

    def __init__(self) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []
        received = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/metrics"
                assert self.headers["Content-Type"] == "application/x-protobuf"
                received.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def metrics(self, name: str) -> list[Any]:
        """That metric, as it was in each request that had it."""
        return [
            metric
            for request in self.requests
            for of_resource in request.resource_metrics
            for of_scope in of_resource.scope_metrics
            for metric in of_scope.metrics
            if metric.name == name
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@contextmanager
def within_a_span(sampler: Sampler = ALWAYS_ON) -> Iterator[int]:
    with (
        TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("test").start_as_current_span("one") as span
    ):
        yield span.get_span_context().trace_id


def until(condition: Any) -> None:
    deadline = time.monotonic() + GENEROUS_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_measured_is_sent_with_the_trace_of_each_bucket(receiver: Receiver) -> None:
    metrics = Metrics(Resource({"service.name": "sample"}))
    export = MetricsExport(metrics, receiver.url)
    export.start()
    with within_a_span() as quick:
        metrics.record(HTTP_SERVER_DURATION, 0.003, ROUTE)
    with within_a_span() as slow:
        metrics.record(HTTP_SERVER_DURATION, 0.8, ROUTE)
    with within_a_span(ALWAYS_OFF):
        metrics.record(HTTP_SERVER_DURATION, 9.0, ROUTE)
    metrics.count(MESSAGES_SENT, {"messaging.destination.name": "bus.one"}, 2)
    metrics.show(DEAD_LETTERS, lambda: [(3, {"messaging.consumer.group.name": "one"})])
    export.stop()

    (metric,) = receiver.metrics("http.server.request.duration")
    (point,) = metric.histogram.data_points
    assert metric.unit == "s"
    assert (point.count, point.min, point.max) == (3, 0.003, 9.0)
    assert sum(point.bucket_counts) == 3
    # Nothing leads to a trace that nobody keeps.
    found = {each.as_double: int.from_bytes(each.trace_id, "big") for each in point.exemplars}
    assert found == {0.003: quick, 0.8: slow}
    assert receiver.metrics("messaging.client.sent.messages")[0].sum.data_points[0].as_double == 2
    assert receiver.metrics("onsale.dead_letters")[0].gauge.data_points[0].as_int == 3
    (of_resource,) = receiver.requests[0].resource_metrics
    assert of_resource.resource.attributes[0].value.string_value == "sample"


def test_who_reads_the_page_takes_nothing_from_who_is_sent_it(receiver: Receiver) -> None:
    metrics = Metrics()
    with within_a_span() as trace_id:
        metrics.record(HTTP_SERVER_DURATION, 0.003, ROUTE)
    for _ in range(2):
        page, _ = exposed(metrics.now(), "application/openmetrics-text")
        assert f"{trace_id:032x}" in page
    export = MetricsExport(metrics, receiver.url)
    export.start()
    export.stop()
    (metric,) = receiver.metrics("http.server.request.duration")
    assert len(metric.histogram.data_points[0].exemplars) == 1


def test_an_exemplar_is_sent_once(receiver: Receiver) -> None:
    metrics = Metrics()
    export = MetricsExport(metrics, receiver.url, every_seconds=0.01)
    with within_a_span():
        metrics.record(HTTP_SERVER_DURATION, 0.003, ROUTE)
    export.start()
    until(lambda: len(receiver.requests) >= 3)
    export.stop()
    sent = [len(each.histogram.data_points[0].exemplars) for each in receiver.metrics("http.server.request.duration")]
    assert sum(sent) == sent[0] == 1


def test_a_stop_does_not_wait_for_who_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        export = MetricsExport(Metrics(), f"http://127.0.0.1:{silent.getsockname()[1]}")
        export.start()
        begun = time.monotonic()
        export.stop()
        # The SDK's own reader would take 30 s.
        assert time.monotonic() - begun < 20


def test_who_is_known_to_be_away_is_not_tried_again_at_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    export = MetricsExport(Metrics(), nobody, every_seconds=0.01)
    export.start()
    until(lambda: not export.last_succeeded)
    export.stop()
    assert not export.is_running


def test_a_metric_has_only_so_many_series() -> None:
    metrics = Metrics()
    for number in range(MOST_SERIES + 10):
        metrics.count(MESSAGES_SENT, {"messaging.destination.name": f"bus.{number}"})
    (of_resource,) = metrics.now().resource_metrics
    points = of_resource.scope_metrics[0].metrics[0].data.data_points
    assert len(points) == MOST_SERIES + 1
    assert [each.value for each in points if each.attributes == OVERFLOW] == [10]  # type: ignore[union-attr]


def test_a_number_that_cannot_be_read_leaves_the_others_there() -> None:
    metrics = Metrics()
    metrics.show(DEAD_LETTERS, lambda: [(1 / 0, {})])
    metrics.show(HTTP_SERVER_ACTIVE, lambda: [(2, {})])
    page, _ = exposed(metrics.now(), "")
    assert "http_server_active_requests 2" in page


def test_the_page_is_read_by_others() -> None:
    metrics = Metrics(Resource({"service.name": "sample", 'odd"name': "a\\b\n"}))
    metrics.count(MESSAGES_SENT, {"messaging.destination.name": 'a "quoted" \\ name\n'}, 3)
    metrics.show(DEAD_LETTERS, lambda: [(2, {"messaging.consumer.group.name": "one"})])
    metrics.record(HTTP_SERVER_DURATION, 0.02, ROUTE)
    metrics.record(HTTP_SERVER_DURATION, 60, ROUTE)
    page, _ = exposed(metrics.now(), "application/openmetrics-text")
    families = {each.name: each for each in text_string_to_metric_families(page)}  # type: ignore[no-untyped-call]
    (sent,) = families["messaging_client_sent_messages"].samples
    assert (sent.name, sent.value) == ("messaging_client_sent_messages_total", 3)
    assert sent.labels["messaging_destination_name"] == 'a "quoted" \\ name\n'
    assert families["onsale_dead_letters"].samples[0].value == 2
    buckets = {each.labels.get("le"): each.value for each in families["http_server_request_duration_seconds"].samples}
    assert (buckets["0.01"], buckets["0.025"], buckets["10.0"], buckets["+Inf"]) == (0, 1, 1, 2)
    assert families["http_server_request_duration_seconds"].unit == "seconds"


@pytest.mark.parametrize(
    ("name", "unit", "is_counter", "exposed_as"),
    [
        ("http.server.request.duration", "s", False, "http_server_request_duration_seconds"),
        ("process.cpu.time", "s", True, "process_cpu_time_seconds_total"),
        ("process.memory.usage", "By", False, "process_memory_usage_bytes"),
        ("onsale.outbox.unsent", "{fact}", False, "onsale_outbox_unsent"),
    ],
)
def test_a_metrics_name_in_prometheus(name: str, unit: str, is_counter: bool, exposed_as: str) -> None:
    assert exposed_name(name, unit, is_counter=is_counter) == exposed_as
