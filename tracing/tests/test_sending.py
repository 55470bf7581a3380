"""Spans reach a backend that is slow, and one that is away keeps no process from stopping."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tracing import setup
from tracing.setup import LAST_EXPORT_SECONDS, Sender

PATIENCE_SECONDS = 30.0


@contextmanager
def a_backend(*, answers_after_seconds: float) -> Iterator[tuple[str, list[int]]]:
    """A receiver of spans; its address, and how many bytes each batch had that it has answered."""
    took: list[int] = []
    gone = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = len(self.rfile.read(int(self.headers["Content-Length"])))
            gone.wait(answers_after_seconds)
            took.append(size)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces", took
    finally:
        gone.set()
        server.shutdown()
        server.server_close()


def test_a_backend_that_is_slower_than_a_stopping_process_waits_gets_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with a_backend(answers_after_seconds=LAST_EXPORT_SECONDS + 0.5) as (address, took):
        sender = Sender(address)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(sender)
        provider.get_tracer("test").start_span("kept").end()
        assert sender.force_flush()
        assert (len(took), [record.message for record in caplog.records if "export" in record.message]) == (1, [])
        provider.shutdown()


def test_a_backend_that_is_away_or_hangs_does_not_hold_up_a_process_that_stops() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    for address in (nobody, None):
        with a_backend(answers_after_seconds=setup.EXPORT_SECONDS * 10) as (hanging, _):
            sender = Sender(address or hanging)
            provider = TracerProvider(shutdown_on_exit=False)
            provider.add_span_processor(sender)
            provider.get_tracer("test").start_span("lost").end()
            stopping = threading.Thread(target=provider.shutdown)
            stopping.start()
            stopping.join(setup.EXPORT_SECONDS - 1)
            assert not stopping.is_alive()
