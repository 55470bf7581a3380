"""What is missing from a trace is reported with its cause, and never with a wrong one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tracing.gaps import Gap, explain, gaps_of, holes_in
from tracing.lives import Life, Lives, lives_in
from tracing.model import Attributes, Span, Trace
from tracing.reader import TraceReader
from tracing.tests.traces import MS, TRACE_ID, span, trace

SERVICES = {"web", "orders", "payments", "tickets"}
SECOND = 1_000_000_000


def recorded(made: Span, kind: str, instance: str = "", host: str = "shop") -> Span:
    """A span of a kind, by a process: the only one of its service unless it is named."""
    resource: Attributes = {"service.instance.id": instance or f"shop-{made.service}", "host.name": host}
    return replace(made, kind=kind, resource=resource)


def life(service: str, start_ms: int, followed_ms: int | None = None, stopped_ms: int | None = None) -> Life:
    """A process, in milliseconds of the made-up traces."""
    followed_ns = None if followed_ms is None else followed_ms * MS
    stopped_ns = None if stopped_ms is None else stopped_ms * MS
    return Life(service, f"shop-{service}", "shop", start_ms * MS, stopped_ns, followed_ns, "shop-next")


def lives(*of: Life) -> Lives:
    return Lives({service: tuple(each for each in of if each.service == service) for service in SERVICES})


def interrupted() -> Trace:
    """payments died while it captured: its own span never ended, the SQL beneath it had been sent."""
    return trace(
        recorded(span("a", "", "web POST /orders/{order_id}/pay", 0, 900), "server"),
        recorded(span("b", "a", "web POST /orders", 5, 890, attributes={"peer.service": "orders"}), "client"),
        recorded(span("c", "b", "orders POST /orders", 10, 880, attributes={"onsale.caller": "web"}), "server"),
        recorded(span("d", "c", "orders POST /capture", 20, 800, attributes={"peer.service": "payments"}), "client"),
        recorded(span("x", "lost", "payments payments.lock", 30, 40), "client"),
        recorded(span("y", "lost", "payments payments.claim", 50, 60), "client"),
    )


def gaps(of: Trace, *known: Life) -> list[Gap]:
    return gaps_of(of, list(holes_in(of, SERVICES)), lives(*known))


def test_a_whole_trace_has_no_gaps() -> None:
    whole = trace(*(each for each in interrupted().spans if each.service == "web"))
    answered = recorded(span("s", "b", "orders POST /orders", 10, 880, attributes={"onsale.caller": "web"}), "server")
    assert gaps(trace(*whole.spans, answered)) == []


def test_nothing_is_missing_of_a_call_that_found_no_connection() -> None:
    """Its provider was away, and never heard of it: whether somebody died at that time does not matter."""
    refused: Attributes = {"peer.service": "orders", "onsale.not_connected": True}
    asked = recorded(span("b", "a", "web POST /orders", 5, 8, attributes=refused), "client")
    assert gaps(trace(recorded(span("a", "", "web POST /events/{event_id}/orders", 0, 9), "server"), asked)) == []


def test_a_process_that_died_explains_its_missing_spans_in_one_sentence() -> None:
    (gap,) = gaps(interrupted(), life("payments", -5000, followed_ms=1400))
    assert gap.is_explained
    assert str(gap) == (
        "2 spans of payments are missing (what was asked by orders POST /capture, the parent of payments payments.lock): "
        "its process shop-payments died between 00:00:00.060 and 00:00:01.400 without sending them; "
        "payments was started again at 00:00:01.400."
    )


@pytest.mark.parametrize(
    "known",
    [
        [],
        [life("payments", -5000)],
        [life("orders", -5000, followed_ms=1400)],
        [life("payments", -5000, followed_ms=90_000, stopped_ms=80_000)],
        [life("payments", -90_000, followed_ms=-60_000)],
        [life("payments", -5000, followed_ms=3_600_000)],
    ],
    ids=["nobody", "it lives", "another service", "in good order", "long before", "long after"],
)
def test_without_a_death_at_that_time_a_gap_is_not_explained(known: list[Life]) -> None:
    found = gaps(interrupted(), *known)
    assert found
    assert not any(gap.is_explained for gap in found)
    assert "nobody died at that time" in str(found[0])


def test_a_process_that_sent_more_later_had_sent_what_came_before() -> None:
    later = recorded(span("z", "a", "payments payments.late", 20_000, 20_010), "internal")
    found = gaps(trace(*interrupted().spans, later), life("payments", -5000, followed_ms=30_000))
    assert not any(gap.is_explained for gap in found)


def test_a_caller_that_died_is_known_by_its_name() -> None:
    only = recorded(span("c", "gone", "orders POST /orders", 10, 880, attributes={"onsale.caller": "web"}), "server")
    assert gaps(trace(only), life("web", -100, followed_ms=1000))[0].is_explained
    assert not gaps(trace(only), life("tickets", -100, followed_ms=1000))[0].is_explained


def test_a_caller_that_did_not_say_who_it_is_is_found_by_its_death() -> None:
    own = recorded(span("a", "lost", "orders orders.x", 10, 20), "internal")
    keys = recorded(span("b", "gone", "payments GET /.well-known/jwks.json", 12, 14), "server")
    (gap,) = gaps(trace(own, keys), life("orders", -100, followed_ms=900))
    assert str(gap).startswith("2 spans of orders are missing")
    (nobody, _) = gaps(trace(own, keys))
    assert not nobody.is_explained


def test_a_request_that_continues_a_remembered_trace_misses_a_span_of_its_own_service() -> None:
    remembered: Attributes = {"onsale.remembered_parent": True}
    only = recorded(
        span("c", "gone", "web GET /orders/{order_id}", 10, 880, attributes=remembered), "server", "shop-next"
    )
    assert gaps(trace(only), life("web", -100, followed_ms=5))[0].is_explained
    assert not gaps(trace(only), life("orders", -100, followed_ms=5))[0].is_explained


def test_a_fact_whose_publisher_died_is_explained_by_its_subject() -> None:
    only = recorded(span("c", "gone", "tickets process events.orders.order_confirmed.v1", 300, 400), "consumer")
    assert gaps(trace(only), life("orders", -100, followed_ms=900))[0].is_explained
    assert not gaps(trace(only), life("payments", -100, followed_ms=900))[0].is_explained


def test_a_fact_of_which_nobody_recorded_the_sending_is_a_gap() -> None:
    only = recorded(span("a", "", "orders create events.orders.order_confirmed.v1", 0, 1), "producer")
    heard = recorded(span("c", "a", "tickets process events.orders.order_confirmed.v1", 300, 400), "consumer")
    (gap,) = gaps(trace(only, heard), life("orders", -100, followed_ms=900))
    assert gap.is_explained
    assert "the sending of orders create events.orders.order_confirmed.v1" in str(gap)
    sent = recorded(span("b", "a", "orders send events.orders.order_confirmed.v1", 2, 3), "producer")
    assert gaps(trace(only, heard, sent)) == []
    assert gaps(trace(only)) == [], "its transaction may have failed: then there is no fact"


def test_a_service_that_was_away_in_good_order_explains_that_nobody_answered() -> None:
    asked = recorded(span("a", "", "orders POST /capture", 500, 510, attributes={"peer.service": "payments"}), "client")
    (gap,) = gaps(trace(asked), life("payments", -5000, followed_ms=900, stopped_ms=400))
    assert str(gap).endswith("shop-payments had stopped at 00:00:00.400, and the next process began at 00:00:00.900.")
    (later,) = gaps(trace(asked), life("payments", -90_000, followed_ms=-60_000, stopped_ms=-70_000))
    assert not later.is_explained


def test_strangers_send_no_spans_and_none_are_missing() -> None:
    asked = recorded(span("a", "", "payments POST /v1/payments", 0, 9, attributes={"peer.service": "bank"}), "client")
    assert gaps(trace(asked)) == []


def process(service: str, instance: str, start_s: int, stop_s: int | None = None, host: str = "shop") -> Trace:
    """The trace in which a process tells its life."""
    begun = recorded(
        span("s", "", f"{service} start {service}", start_s * 1000, start_s * 1000), "internal", instance, host
    )
    ended = () if stop_s is None else (span("t", "s", f"{service} stop {service}", stop_s * 1000, stop_s * 1000),)
    return trace(begun, *(recorded(each, "internal", instance, host) for each in ended))


def test_lives_follow_each_other() -> None:
    first, second, third = lives_in(
        "orders",
        [process("orders", "shop-3", 30), process("orders", "shop-1", 10), process("orders", "shop-2", 20, 29)],
    )
    assert (first.instance, first.stopped_ns, first.followed_ns) == ("shop-1", None, 20 * SECOND)
    assert (second.instance, second.stopped_ns, second.followed_ns) == ("shop-2", 29 * SECOND, 30 * SECOND)
    assert (third.instance, third.followed_ns) == ("shop-3", None)


def test_a_process_on_another_host_is_one_more_and_takes_nobodys_place() -> None:
    first, _ = lives_in("orders", [process("orders", "a-1", 10, host="a"), process("orders", "b-1", 20, host="b")])
    assert first.followed_ns is None


def test_a_pod_that_goes_on_was_joined_and_not_replaced() -> None:
    hosts = ("orders-7d9f8c6b5d-aaaaa", "orders-7d9f8c6b5d-bbbbb")
    known = lives_in("orders", [process("orders", f"{host}-1", 10 * n, host=host) for n, host in enumerate(hosts)])
    assert known[0].followed_ns == 10 * SECOND
    early = recorded(span("a", "gone", "orders orders.x", 9000, 9001), "internal", f"{hosts[0]}-1", hosts[0])
    late = recorded(span("b", "gone", "orders orders.y", 12_000, 12_001), "internal", f"{hosts[0]}-1", hosts[0])
    orders = Lives({"orders": known})
    assert len(orders.deaths(trace(early), "orders")) == 1
    assert orders.deaths(trace(early, late), "orders") == []


def test_a_container_that_was_restarted_has_the_same_instance_and_two_lives() -> None:
    known = Lives({"orders": lives_in("orders", [process("orders", "pod-1", 10), process("orders", "pod-1", 20)])})
    before = recorded(span("a", "gone", "orders orders.x", 19_000, 19_001), "internal", "pod-1")
    after = recorded(span("b", "gone", "orders orders.y", 21_000, 21_001), "internal", "pod-1")
    (death,) = known.deaths(trace(before, after), "orders")
    assert (death.after_ns, death.before_ns) == (19_001 * MS, 20 * SECOND)


def test_a_process_that_began_before_all_that_is_remembered_can_have_died_too() -> None:
    lost = recorded(span("a", "gone", "orders orders.x", 9000, 9001), "internal", "shop-old")
    orders = Lives({"orders": lives_in("orders", [process("orders", "shop-new", 10)])})
    (gap,) = gaps_of(trace(lost), list(holes_in(trace(lost), SERVICES)), orders)
    assert "its process shop-old died between 00:00:09.001 and 00:00:10.000" in str(gap)


class Recorded(TraceReader):
    """A store that knows the starts of processes."""

    def __init__(self, *starts: Trace) -> None:
        super().__init__("http://127.0.0.1:1")
        self._starts = starts

    def services(self) -> list[str]:
        return sorted(SERVICES)

    def search(self, service: str | None = None, operation: str | None = None, **_others: object) -> list[Trace]:
        return [each for each in self._starts if any(one.name == operation for one in each.spans)]


def test_a_trace_is_explained_by_what_the_store_knows() -> None:
    reader = Recorded(process("payments", "shop-payments", -5), process("payments", "shop-after", 1))
    (gap,) = explain(interrupted(), reader)
    assert gap.is_explained
    assert explain(trace(interrupted().spans[0]), reader) == []
    assert interrupted().trace_id == TRACE_ID
