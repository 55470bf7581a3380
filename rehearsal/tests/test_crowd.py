"""Who comes to a rehearsal, what is written down of them, and what it means."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from rehearsal.crowd.driver import Rehearsed, rehearse
from rehearsal.crowd.plan import SHARES, Behaviour, crowd_of
from rehearsal.crowd.record import BANK, End, Record, Request
from rehearsal.crowd.told import ToldLog
from rehearsal.report.numbers import grouped, percentile, safe_rate, windows_of
from rehearsal.report.page import page_of
from rehearsal.report.plots import line_plot, ticks_up_to
from rehearsal.report.words import Told, headline, rate_sentence, render

SHOP = "http://shop.test"
TRACE = "a" * 32


def request(
    at: float, seconds: float, *, status: int = 200, kind: str = "open the event", problem: str = ""
) -> Request:
    return Request(at, kind, status, seconds, problem, TRACE)


def rehearsed(*, requests: list[Request], sales: list[float], places: int = 4, seconds: float = 20.0) -> Rehearsed:
    record = Record(SHOP, places)
    record.requests = requests
    record.sales = [(at, 2) for at in sales]
    record.sold = 2 * len(sales)
    return Rehearsed(crowd_of(10, 1, 5.0), record, Path("told.jsonl"), seconds)


def told(found: Rehearsed) -> Told:
    return Told(found, 1, 40.0, None, "http://traces.test")


def test_the_same_seed_brings_the_same_people() -> None:
    assert crowd_of(200, 7, 10.0) == crowd_of(200, 7, 10.0)
    assert crowd_of(200, 7, 10.0) != crowd_of(200, 8, 10.0)


def test_people_behave_in_the_shares_that_are_said_and_more_of_them_come_each_second() -> None:
    people = crowd_of(20_000, 3, 100.0)
    counts = Counter(each.behaviour for each in people)
    for behaviour, share in SHARES.items():
        assert abs(counts[behaviour] / len(people) - share) < 0.01
    assert counts[Behaviour.BUYS] > len(people) / 2
    arrivals = [each.arrives_after_seconds for each in people]
    assert max(arrivals) <= 100
    assert sum(at > 50 for at in arrivals) > 2.5 * sum(at <= 50 for at in arrivals)


def test_who_pays_late_pays_around_the_end_of_the_hold_and_nobody_else_waits() -> None:
    for person in crowd_of(2_000, 5, 10.0):
        waits = person.pays_after_seconds(40.0)
        assert (20 <= waits <= 44) if person.behaviour is Behaviour.PAYS_LATE else waits == 0


async def test_what_buyers_were_told_is_on_the_disk_when_the_log_is_closed(tmp_path: Path) -> None:
    async with ToldLog(tmp_path / "deep" / "told.jsonl") as log:
        for number in range(3):
            log.tell("confirmed", f"AAAA-AAA{number}", "confirmed", 2, TRACE)
    lines = [json.loads(line) for line in (tmp_path / "deep" / "told.jsonl").read_text().splitlines()]
    assert [each["number"] for each in lines] == ["AAAA-AAA0", "AAAA-AAA1", "AAAA-AAA2"]
    assert lines[0].keys() == {"told", "number", "state", "places", "trace_id", "at"}


def test_a_refusal_is_an_honest_no_and_an_error_anything_else_that_is_not_well() -> None:
    assert all(request(0, 0, status=status).is_refusal for status in (409, 410, 429, 503))
    assert all(request(0, 0, status=status).is_error for status in (0, 400, 404, 500, 502))
    assert not any(request(0, 0, status=status).is_error for status in (200, 409, 503))


def test_the_safe_rate_is_that_of_the_busiest_window_with_quick_answers() -> None:
    quick = [request(1 + number / 100, 0.1) for number in range(50)]
    slow = [request(11 + number / 100, 3.0) for number in range(50)]
    found = rehearsed(requests=quick + slow, sales=[1, 2, 3, 11, 12, 13, 14])
    assert [(each.purchases, each.is_safe) for each in windows_of(found)] == [(3, True), (4, False), (0, False)]
    assert safe_rate(found) == 18


def test_no_rate_is_safe_if_answers_were_never_quick() -> None:
    found = rehearsed(requests=[request(number / 10, 3.0) for number in range(100)], sales=[1, 2])
    assert safe_rate(found) is None
    assert "No safe admission rate" in rate_sentence(told(found))


def test_the_bank_is_not_ours_to_be_quick() -> None:
    slow_bank = [request(1, 9.0, kind=BANK) for _ in range(50)]
    found = rehearsed(requests=[request(1, 0.1) for _ in range(50)] + slow_bank, sales=[1])
    assert safe_rate(found) == 6


def test_refusals_are_counted_by_what_was_asked_and_said_each_with_traces() -> None:
    no = [request(1, 0.1, status=409, kind="hold places", problem="sold_out") for _ in range(5)]
    (group,) = grouped(no)
    assert (group.name, group.count, group.traces) == ("hold places: 409 sold_out", 5, (TRACE,) * 3)


def test_what_is_sold_is_said_as_it_is() -> None:
    assert headline(told(rehearsed(requests=[], sales=[1, 2]))) == "Sold exactly 4 places to 10 people."
    assert headline(told(rehearsed(requests=[], sales=[1, 2, 3]))).startswith("OVERSOLD: 6 tickets for 4 places")
    late = rehearsed(requests=[], sales=[1])
    late.record.ends[End.NOT_SERVED] = 3
    assert headline(told(late)) == "Sold 2 of 4 places to 10 people: 3 could not be served in time."


def test_percentiles_of_few_values_are_values() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], percent) for percent in (0, 50, 99)] == [1.0, 3.0, 4.0]
    assert percentile([], 99) == 0


def test_axes_have_round_numbers_that_reach_the_top() -> None:
    assert ticks_up_to(20) == [0, 5, 10, 15, 20]
    assert ticks_up_to(2300) == [0, 500, 1000, 1500, 2000, 2500]
    assert ticks_up_to(0.4)[-1] == pytest.approx(0.4)


def test_large_numbers_at_an_axis_are_written_out() -> None:
    assert ">10,000</text>" in line_plot("waiting", {"waiting": [(0, 0), (10, 9_500)]}, unit="people")


def test_a_plot_says_in_words_what_it_shows_and_names_each_line() -> None:
    svg = line_plot("Rise & fall", {"p50": [(0, 1), (10, 5)], "p99": [(0, 2), (10, 9)]}, unit="ms", limit=("2 s", 8))
    assert 'aria-label="Rise &amp; fall"' in svg
    assert svg.count("<path") == 2
    assert all(f">{name}</text>" in svg for name in ("p50", "p99", "2 s"))


def test_the_page_needs_nothing_else_and_leads_to_traces() -> None:
    requests = [request(1 + n / 50, 0.1) for n in range(50)] + [request(2, 0.2, status=500, problem="<b>")]
    page = page_of(told(rehearsed(requests=requests, sales=[1, 2])))
    assert f"http://traces.test/trace/{TRACE}" in page
    assert "src=" not in page
    assert "@import" not in page
    assert "<b>" not in page
    assert "Sold exactly 4 places" in page


def test_the_terminal_has_the_same_figures() -> None:
    text = render(told(rehearsed(requests=[request(1, 0.1) for _ in range(50)], sales=[1, 2])))
    assert "Sold exactly 4 places to 10 people." in text
    assert "no errors" in text
    assert "make audit LOG=" in text


async def test_a_crowd_that_nobody_answers_ends_in_time_and_is_counted_as_not_served(tmp_path: Path) -> None:
    silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with silent:
        shop = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        people = crowd_of(5, 1, 0.1)
        log, said = tmp_path / "told.jsonl", list[str]()
        found = await rehearse(people, shop, "e", 3, hold_seconds=5, at_most_seconds=1.0, log=log, say=said.append)
    assert (found.record.ends[End.NOT_SERVED], found.record.arrived, found.record.sold) == (5, 5, 0)
    assert log.read_text() == ""
    assert "5/5 came" in said[-2]
    assert said[-1].startswith("Stopped after 1 s, with 5 people still there.")
    assert "5 could not be served in time" in headline(told(found))
