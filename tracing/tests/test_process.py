"""A process tells that it started, and that it stopped in good order."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tracing.process import LifeIds, LifeSampler, OwnLife, process_context, process_traceparent


def provider() -> tuple[OwnLife, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    made = OwnLife(sampler=LifeSampler(ALWAYS_OFF), id_generator=LifeIds())
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made, exporter


def test_start_and_stop_are_one_trace_also_where_nothing_else_is_sampled() -> None:
    made, exporter = provider()
    made.begin("orders")
    with made.get_tracer("onsale").start_as_current_span("GET /orders"):
        pass
    made.shutdown()
    start, stop = exporter.get_finished_spans()
    assert (start.name, stop.name) == ("start orders", "stop orders")
    assert start.parent is None
    assert stop.parent is not None
    assert (stop.parent.trace_id, stop.parent.span_id) == (start.context.trace_id, start.context.span_id)


def test_a_provider_that_is_shut_down_twice_stops_once() -> None:
    made, exporter = provider()
    made.begin("orders")
    made.shutdown()
    made.shutdown()
    assert [span.name for span in exporter.get_finished_spans()] == ["start orders", "stop orders"]


def test_a_process_that_dies_before_its_first_batch_is_sent_has_sent_its_start() -> None:
    made, exporter = OwnLife(id_generator=LifeIds()), InMemorySpanExporter()
    made.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    made.begin("orders")
    deadline = time.monotonic() + 30
    while not exporter.get_finished_spans():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert exporter.get_finished_spans()[0].name == "start orders"


class SlowExporter(InMemorySpanExporter):
    """A trace store that takes its time until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keeps the spans once it is let."""
        self.let.wait(30)
        return super().export(spans)


def test_who_waits_until_a_start_is_known_waits_for_the_store_and_no_longer_than_it_says() -> None:
    made, exporter = OwnLife(id_generator=LifeIds()), SlowExporter()
    assert not made.wait_until_known(0)
    made.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    made.begin("orders")
    assert not made.wait_until_known(0.01)
    exporter.let.set()
    assert made.wait_until_known(30)
    assert exporter.get_finished_spans()[0].name == "start orders"


def test_log_lines_know_the_ids_of_the_start_before_it_is_sent() -> None:
    program = (
        "from tracing.process import process_traceparent, LifeIds, LifeSampler, OwnLife\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor, ConsoleSpanExporter\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "own = process_traceparent()\n"
        "kept = InMemorySpanExporter()\n"
        "provider = OwnLife(id_generator=LifeIds())\n"
        "provider.add_span_processor(SimpleSpanProcessor(kept))\n"
        "provider.begin('orders')\n"
        "first = kept.get_finished_spans()[0].context\n"
        "assert own == f'00-{first.trace_id:032x}-{first.span_id:016x}-01', (own, first)\n"
        "provider.begin('web')\n"
        "second = kept.get_finished_spans()[1].context\n"
        "assert second.trace_id != first.trace_id and second.span_id != first.span_id\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_forked_process_has_a_life_of_its_own() -> None:
    mine = process_traceparent()
    assert process_traceparent() == mine
    assert f"{process_context().trace_id:032x}" in mine
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, process_traceparent().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 100).decode()
    assert theirs.startswith("00-")
    assert theirs != mine
