"""The pages as a browser gets them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.trace import Status, StatusCode

from tracing.files import document_of
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


def test_what_links_to_a_span_is_shown_with_it(store: Store, telemetry: Telemetry) -> None:
    first = buy(telemetry)
    replayed = telemetry.span("tickets", "replay", links=[first.get_span_context()])
    replayed.end()
    telemetry.flush()
    html = page(store, f"/trace/{trace_id_of(first)}").text
    assert "Linked from" in html
    assert f'href="/trace/{trace_id_of(replayed)}#span-{span_id_of(replayed)}"' in html
    assert "Linked from" not in page(store, f"/trace/{trace_id_of(replayed)}").text


def test_who_calls_whom_agrees_with_the_api(store: Store, telemetry: Telemetry) -> None:
    root = buy(telemetry)
    failed = telemetry.span("payments", "POST /payments", telemetry.span("orders", "pay", root))
    failed.set_status(Status(StatusCode.ERROR))
    failed.end()
    telemetry.flush()
    html = page(store, "/dependencies?lookback=1h").text
    edges = httpx.get(f"{store.url}/api/dependencies").json()["data"]
    table = re.findall(r">(\w+)</a></td>\s*<td><a[^>]*>(\w+)</a></td>\s*<td class=\"number\">([\d,]+)</td>", html)
    assert {(edge["parent"], edge["child"], f"{edge['callCount']:,}") for edge in edges} == set(table)
    assert ("web", "orders") in {row[:2] for row in table}
    assert "<script" not in html
    assert page(store, "/dependencies?lookback=1ns").text.count("<td>") == 0
    assert page(store, "/dependencies?lookback=soon").status_code == 400


def test_errors_of_calls_are_counted_where_they_happened(store: Store, telemetry: Telemetry) -> None:
    call = telemetry.span("gate", "GET /codes")
    for number in range(3):
        answer = telemetry.span("vault", "GET /codes", call)
        if number:
            answer.set_status(Status(StatusCode.ERROR))
        answer.end()
    call.end()
    telemetry.flush()
    row = re.search(
        r">gate</a></td>\s*<td><a[^>]*>vault</a></td>(.*?)</tr>", page(store, "/dependencies").text, re.DOTALL
    )
    assert row is not None
    assert re.findall(r">(\d+)<", row[1]) == ["3", "2"]


def test_an_export_is_a_file_of_lines(store: Store, telemetry: Telemetry) -> None:
    root = buy(telemetry)
    html = page(store, f"/trace/{trace_id_of(root)}").text
    address = re.search(r'href="(/trace/\w+[.]jsonl)"', html)
    assert address is not None
    response = page(store, address[1])
    assert f'filename="trace-{trace_id_of(root)}.jsonl"' in response.headers["content-disposition"]
    assert document_of(response.content) == httpx.get(f"{store.url}/api/v3/traces/{trace_id_of(root)}").json()["result"]
    assert page(store, "/trace/abc.jsonl").status_code == 404


def test_links_of_jaegers_own_pages_are_understood(store: Store, telemetry: Telemetry) -> None:
    root = buy(telemetry)
    assert root.start_time is not None
    at = root.start_time // 1_000
    link = "/search?service=web&operation=all&lookback=custom&limit=1500"
    assert trace_id_of(root) in page(store, f"{link}&start={at - 1}&end={at + 1}").text
    assert trace_id_of(root) not in page(store, f"{link}&start={at - 2_000_000}&end={at - 1_000_000}").text
    assert page(store, "/search?start=yesterday").status_code == 400


def test_whatever_people_paste_leads_to_the_trace(store: Store, telemetry: Telemetry) -> None:
    trace_id = trace_id_of(buy(telemetry))
    for pasted in (
        f" {trace_id.upper()} ",
        f"00-{trace_id}-b7ad6b7169203331-01",
        f"{store.url}/trace/{trace_id}?uiFind=x",
    ):
        found = httpx.get(f"{store.url}/search", params={"traceID": pasted})
        assert found.headers["location"] == f"/trace/{trace_id}"
