"""Spans that go elsewhere: what services are given at the start."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.backend import check_backend, ports_with_backend
from local.errors import StartError
from local.topology import SERVICES, Layout, Ports, Secrets, programs

NOWHERE = "http://127.0.0.1:1"


@contextmanager
def answering(status: int, content_type: str) -> Iterator[str]:
    """A server that always says the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST  # noqa: N815  # the name is the server's

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def said(otlp: str, traces: str | None = None) -> list[str]:
    lines: list[str] = []
    check_backend(ports_with_backend(Ports.default(), otlp, traces), lines.append)
    return lines


def secrets() -> Secrets:
    names = dict.fromkeys([*SERVICES, "bank"], "word")
    return Secrets(names, names, "key", "secret", "cookie", "support", "challenge")


def test_all_services_send_there_and_the_dev_trace_store_does_not_run() -> None:
    ports = ports_with_backend(Ports.default(), "http://collector.test:4318/", "http://jaeger.test/jaeger")
    environments = {
        program.name: program.environment for program in programs(Layout(Path("x")), ports, secrets(), "json")
    }
    assert "traces" not in environments
    assert {environments[name][f"{name.upper()}_OTLP_ENDPOINT"] for name in SERVICES} == {"http://collector.test:4318"}
    assert environments["web"]["WEB_TRACE_URL"] == "http://jaeger.test/jaeger"
    assert ports.url("web") == Ports.default().url("web")


def test_traces_are_looked_for_at_jaegers_own_port_beside_it() -> None:
    assert ports_with_backend(Ports.default(), "http://127.0.0.1:24318", None).url("traces") == "http://127.0.0.1:16686"
    assert ports_with_backend(Ports.default(), "http://[::1]:4318", None).url("traces") == "http://[::1]:16686"


@pytest.mark.parametrize("text", ["127.0.0.1:4318", "grpc://x:4317", "http://", "http://x:port", "http://x:99999"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(StartError, match="is no address"):
        ports_with_backend(Ports.default(), text, None)
    with pytest.raises(StartError, match=r"TRACES=.* is no address"):
        ports_with_backend(Ports.default(), "http://x:4318", text)


def test_without_another_backend_nobody_is_asked() -> None:
    check_backend(Ports.default(), pytest.fail)


def test_a_backend_that_is_not_there_ends_the_start() -> None:
    with pytest.raises(StartError, match=r"does not answer .* Start it, or leave OTLP= away"):
        said(NOWHERE)


@pytest.mark.parametrize(("status", "kind"), [(404, "application/json"), (200, "text/html"), (405, "text/plain")])
def test_pages_are_not_taken_for_a_backend(status: int, kind: str) -> None:
    with answering(status, kind) as url, pytest.raises(StartError, match="takes no spans"):
        said(url)


def test_that_traces_cannot_be_looked_at_is_only_said() -> None:
    with answering(200, "application/json") as url:
        assert said(url, url) == []
        (line,) = said(url, NOWHERE)
    assert "Say where traces can be looked at with TRACES=" in line
