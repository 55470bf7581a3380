"""The pages as a browser gets them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.trace import Status, StatusCode

from tracing.model import Span, Trace
from tracing.store.pages import MAX_ROWS, rows_of
from tracing.tests.running_store import Store, Telemetry, buy, running_store, span_id_of, trace_id_of


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with running_store(tmp_path_factory.mktemp("store")) as started:
        yield started


@pytest.fixture
def telemetry(store: Store) -> Iterator[Telemetry]:
    made = Telemetry(store.otlp_url)
    yield made
    made.close()


def page(store: Store, path: str) -> httpx.Response:
    return httpx.get(store.url + path, follow_redirects=True)


def test_the_first_page_is_the_search(store: Store) -> None:
    response = page(store, "/")
    assert response.url.path == "/search"
    assert "A real Jaeger answers the same API" in response.text


def test_the_waterfall_shows_every_span_with_an_anchor(store: Store, telemetry: Telemetry) -> None:
    root = buy(telemetry)
    html = page(store, f"/trace/{trace_id_of(root)}").text
    assert html.count("<details") == 6
    assert f'id="span-{span_id_of(root)}"' in html
    assert "<b>4</b> services" in html
    assert "<b>0</b> orphans" in html
    assert "delivery 2" in html
    assert "K7Q2-9MXA" in html, "attributes are in the page, closed"
    for left, width in re.findall(r"left: ([\d.]+)%; width: ([\d.]+)%", html):
        assert float(left) + float(width) <= 100.01


def test_errors_and_orphans_are_marked(store: Store, telemetry: Telemetry) -> None:
    never_sent = telemetry.span("web", "GET /")
    span = telemetry.span("catalog", "GET /events", never_sent)
    span.set_status(Status(StatusCode.ERROR, "the database went away"))
    span.end()
    telemetry.flush()
    html = page(store, f"/trace/{trace_id_of(span)}").text
    assert "1 orphan" in html
    assert "1 error" in html
    assert "the database went away" in html
    never_sent.end()


def test_what_services_send_cannot_become_markup(store: Store, telemetry: Telemetry) -> None:
    nasty = "<script>alert('x')</script>\"'><img src=x>"
    span = telemetry.span("web", nasty, attributes={nasty: nasty})
    span.add_event(nasty, {nasty: nasty})
    span.end()
    telemetry.flush()
    for path in (f"/trace/{trace_id_of(span)}?uiFind={nasty}", f"/search?tags={nasty}", "/search", "/trace/<script>"):
        response = page(store, path)
        assert "<script" not in response.text
        assert "<img" not in response.text
        assert "default-src 'none'" in response.headers["content-security-policy"]


def test_a_search_with_a_link_of_jaegers_page_works(store: Store, telemetry: Telemetry) -> None:
    root = buy(telemetry)
    other = telemetry.span("accounts", "GET /people/me")
    other.end()
    telemetry.flush()
    html = page(store, '/search?service=orders&tags={"order.number":"K7Q2-9MXA"}&lookback=1h&limit=50').text
    assert f"/trace/{trace_id_of(root)}" in html
    assert f"/trace/{trace_id_of(other)}" not in html
    assert page(store, "/search?tags=order.number=K7Q2-9MXA").text.count("card hit") > 0
    assert page(store, "/search?tags=order.number=nobody").text.count("card hit") == 0
    assert page(store, "/search?tags=http.response.status_code=201").text.count("card hit") > 0
    assert page(store, "/search?tags=http.response.status_code=409").text.count("card hit") == 0
    assert page(store, "/search?tags=order.number=order.number").text.count("card hit") == 0
    assert page(store, "/search?tags=service.version=0.1.0 span.kind=consumer").text.count("card hit") > 0
    assert page(store, "/search?tags=error=true order.number=K7Q2-9MXA").text.count("card hit") == 0
    assert page(store, "/search?minDuration=1h").text.count("card hit") == 0


def test_a_trace_id_leads_to_its_page(store: Store, telemetry: Telemetry) -> None:
    root = buy(telemetry)
    assert page(store, f"/search?traceID={trace_id_of(root)}").url.path == f"/trace/{trace_id_of(root)}"


def test_a_text_marks_the_spans_that_contain_it(store: Store, telemetry: Telemetry) -> None:
    root = buy(telemetry)
    assert "1 marked" in page(store, f"/trace/{trace_id_of(root)}?uiFind=k7q2-9mxa").text


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/trace/abc", 404, "does not know the trace"),
        ("/trace/xyz", 400, "up to 32 hexadecimal digits"),
        ("/search?minDuration=long", 400, "write a duration like 1.5s"),
        ("/search?limit=0", 400, "ask for 1 to 1500 traces"),
        ("/search?tags=nonsense", 400, "or as key=value"),
        ("/search?traceID=nonsense", 400, "up to 32 hexadecimal digits"),
    ],
)
def test_what_cannot_be_shown_gets_a_sentence(store: Store, path: str, status: int, sentence: str) -> None:
    response = page(store, path)
    assert response.status_code == status
    assert sentence in response.text


def test_a_huge_trace_draws_a_bounded_page() -> None:
    spans = tuple(Span("1" * 32, f"{n:016x}", "", "x", "internal", "web", n, n + 5) for n in range(1, MAX_ROWS + 50))
    assert len(rows_of(Trace("1" * 32, spans))) == MAX_ROWS
