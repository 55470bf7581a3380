"""An order's story: sentences, their order, and what spans add to them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.web.clients.records import Entry, Facts
from services.web.support.timeline import Line, joined, lines_of_records
from services.web.support.trace_lines import lines_of_trace
from services.web.support.words import SENTENCES, duration
from tracing.model import Span, Status, Trace

OPENAPI = Path(__file__).parents[5] / "contracts" / "openapi"
SERVICES = ("inventory", "notifications", "orders", "payments", "tickets")
NOON = datetime(2031, 6, 21, 12, tzinfo=UTC)
TRACE_ID, CONFIRMED = "0af7651916cd43dd8448eb211c80319c", "events.orders.order_confirmed.v1"


def entry(what: str, seconds: float = 0, span_id: str | None = None, **known: Any) -> Entry:
    nothing: dict[str, Any] = {
        name: "" if each.annotation is str else None for name, each in Facts.model_fields.items()
    }
    at = NOON + timedelta(seconds=seconds)
    return Entry(at=at, what=what, facts=Facts(**(nothing | known)), trace_id=TRACE_ID, span_id=span_id)


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def whats(service: str) -> set[str]:
    """Every word that a service may say, as its document promises."""
    schemas = json.loads((OPENAPI / f"{service}.json").read_text())["components"]["schemas"]
    return set(schemas[f"{service.capitalize()}Entry"]["properties"]["what"]["enum"])


@pytest.mark.parametrize("service", SERVICES)
def test_every_word_of_a_service_has_a_sentence_and_every_sentence_a_word(service: str) -> None:
    with_sentences = {what for name, what in SENTENCES if name in (service, "*")}
    assert with_sentences == whats(service)


@pytest.mark.parametrize(("service", "what"), sorted(SENTENCES))
def test_a_sentence_can_be_made_of_little(service: str, what: str) -> None:
    (text,) = texts(lines_of_records(service.replace("*", "tickets"), [entry(what)]))
    assert text.endswith(".")
    assert "{" not in text
    assert "None" not in text


def test_a_sentence_says_what_is_known() -> None:
    until = NOON + timedelta(minutes=10, seconds=33)
    held = entry("hold_granted", places=2, until=until)
    asked = entry("gateway_silent", kind="capture", attempt=1, reason="answered_500")
    sent = entry("mail_sent", kind="tickets", attempt=2)
    waited = entry("waited", attempt=3, reason="inventory_unavailable", until=until)
    assert texts(lines_of_records("inventory", [held])) == ["Inventory held 2 places until 12:10:33."]
    assert texts(lines_of_records("payments", [asked])) == [
        "The bank answered 500 when asked to take the money. It is asked again."
    ]
    assert texts(lines_of_records("notifications", [sent])) == [
        "The mail server took the mail with the tickets, at the second attempt."
    ]
    assert texts(lines_of_records("orders", [waited])) == [
        "The order could not go on, at the third attempt: inventory did not answer. It tries again at 12:10:33."
    ]


def test_a_word_of_a_newer_version_is_shown_as_it_is() -> None:
    (line,) = lines_of_records("orders", [entry("moved_to_mars")])
    assert (line.text, line.tone) == ("Orders notes: moved to mars.", "plain")


def test_lines_of_all_services_stand_in_the_order_of_time_with_long_pauses_between_them() -> None:
    lines = joined(
        {"orders": [entry("placed"), entry("payment_begun", 62.5)], "inventory": [entry("hold_granted", 0.2, places=1)]}
    )
    assert [(line.service, line.pause_seconds) for line in lines] == [
        ("orders", None),
        ("inventory", None),
        ("orders", pytest.approx(62.3)),
    ]


def test_what_was_heard_by_a_clock_that_is_behind_stands_after_it_was_published() -> None:
    known = {"kind": CONFIRMED, "reference": "fact-1"}
    published = entry("fact_told", 5, ended_at=NOON + timedelta(seconds=5.1), **known)
    lines = joined({"tickets": [entry("fact_heard", 3, **known)], "orders": [entry("captured", 4.9), published]})
    assert texts(lines) == [
        "The money is taken, and the order is confirmed.",
        "Orders published: the order is confirmed.",
        "Tickets heard: the order is confirmed.",
    ]


def test_what_became_true_in_one_transaction_stays_in_its_order() -> None:
    heard = entry("fact_heard", 1, kind=CONFIRMED, reference="fact-1")
    published = entry("fact_told", 1, kind="events.tickets.tickets_issued.v1", reference="fact-2", ended_at=NOON)
    lines = joined({"tickets": [heard, entry("tickets_issued", 1, places=1), published]})
    assert [text.split()[0] for text in texts(lines)] == ["Tickets", "1", "Tickets"]
    assert texts(lines)[0] == "Tickets heard: the order is confirmed."


@pytest.mark.parametrize(
    ("ended", "attempt", "text", "tone"),
    [
        (0.1, 1, "Orders published: the order is confirmed.", "plain"),
        (None, 0, "Orders published: the order is confirmed. It has not left yet.", "bad"),
        (240.0, 1, "Orders published: the order is confirmed. It left only 4 min 0 s later.", "bad"),
        (240.0, 2, "Orders published: the order is confirmed. It left (last) only 4 min 0 s later.", "bad"),
    ],
)
def test_a_fact_that_leaves_late_stands_out(ended: float | None, attempt: int, text: str, tone: str) -> None:
    ended_at = NOON + timedelta(seconds=ended) if ended is not None else None
    published = entry("fact_told", kind=CONFIRMED, reference="fact-1", attempt=attempt, ended_at=ended_at)
    (line,) = lines_of_records("orders", [published])
    assert (line.text, line.tone) == (text, tone)


def test_a_fact_that_travels_long_or_comes_again_stands_out() -> None:
    fact_times = {"fact-1": NOON}
    late = entry("fact_heard", 2.5, kind=CONFIRMED, reference="fact-1", attempt=3)
    (line,) = lines_of_records("tickets", [late], fact_times)
    assert (line.text, line.tone) == (
        "Tickets heard, 2.5 s later: the order is confirmed, at the third attempt.",
        "bad",
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.251, "0.25 s"), (12.44, "12.4 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (400_000, "4 days")],
)
def test_durations_read_at_a_glance(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def span(span_id: str, parent: str = "", **more: Any) -> Span:
    values: dict[str, Any] = {
        "name": f"step {span_id}",
        "kind": "internal",
        "service": "payments",
        "start_ns": 1_000_000_000,
        "end_ns": 1_100_000_000,
    }
    return Span(trace_id=TRACE_ID, span_id=span_id, parent_id=parent, **(values | more))


def of(*spans: Span, of_records: list[Line] | None = None, references: set[str] | None = None) -> list[str]:
    return texts(lines_of_trace(Trace(TRACE_ID, spans), of_records or [], references or set()))


FAILED = Status("error", "500")


def test_the_innermost_failed_span_is_shown() -> None:
    assert of(span("a", status=FAILED), span("b", "a", status=FAILED), span("c", "b")) == [
        "Payments failed at “step b”: 500."
    ]


def test_a_failure_that_the_records_tell_of_is_not_shown_twice() -> None:
    silent = Line(NOON, "payments", "The bank was silent.", "bad", TRACE_ID, "a")
    asked = Line(NOON, "payments", "The bank was asked.", "plain", TRACE_ID, "a")
    spans = (span("a"), span("b", "a", status=FAILED))
    assert of(*spans, of_records=[silent]) == []
    assert len(of(*spans, of_records=[asked])) == 1


def test_retries_redeliveries_and_long_ways_are_shown_unless_the_records_do() -> None:
    again = span("a", attributes={"http.request.resend_count": 1})
    producer = span("p", kind="producer")
    message = {"messaging.message.id": "fact-1", "onsale.delivery": 2}
    heard = {"kind": "consumer", "service": "tickets", "start_ns": 4_100_000_000, "end_ns": 4_200_000_000}
    consumer = span("c", "p", attributes=message, **heard)
    assert of(again, producer, consumer) == [
        "Payments asked again: “step a”, attempt 2.",
        "Tickets was given it again: “step c”, delivery 2.",
    ]
    assert of(producer, consumer, references={"fact-1"}) == []
    first = span("c", "p", attributes={"messaging.message.id": "fact-1"}, **heard)
    assert of(producer, first) == ["It took 3.0 s on its way to Tickets: “step c”."]


def test_a_step_that_takes_long_by_itself_is_shown() -> None:
    long: dict[str, Any] = {"start_ns": 0, "end_ns": 2_500_000_000}
    assert of(span("a", **long), span("b", "a", **long)) == ["Payments spent 2.5 s at “step b”."]


@pytest.mark.parametrize(("places", "sentence"), [(1, "1 ticket was issued."), (2, "2 tickets were issued.")])
def test_one_is_not_many(places: int, sentence: str) -> None:
    lines = joined({"tickets": [entry("tickets_issued", 1, places=places)]})
    assert [line.text for line in lines] == [sentence]
