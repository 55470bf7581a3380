"""The waterfall in the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tracing.colours import PALETTE, colours_of
from tracing.model import Event
from tracing.tests.running_store import ROOT, Telemetry, buy, running_store, trace_id_of
from tracing.tests.traces import MS, TRACE_ID, purchase, span, trace
from tracing.waterfall import render


def line_with(text: str, *parts: str) -> str:
    return next(line for line in text.splitlines() if all(part in line for part in parts))


def test_it_shows_the_tree_the_bars_and_what_is_worth_a_look() -> None:
    text = render(purchase(), 140)
    assert f"trace {TRACE_ID}" in text
    assert "200 ms, 4 services, 7 spans, 1 error, 0 orphans" in text
    assert line_with(text, "web POST /checkout").startswith("web POST /checkout")
    assert line_with(text, "payments POST /payments").startswith("        payments")
    assert "[attempt 2]" in line_with(text, "orders POST /payments", "35.0 ms")
    assert "[delivery 2; ⇢ parent, trace bbbbbbbb]" in line_with(text, "tickets process")
    refused = trace(span("a", "", "web POST /orders", attributes={"onsale.refusal": "sold_out"}))
    assert "[refused: sold_out]" in line_with(render(refused, 140), "web POST /orders")
    assert line_with(text, "✗ orders").endswith("20.0 ms")
    assert "✗ no answer" in text
    first, last = line_with(text, "web POST /checkout"), line_with(text, "tickets process")
    assert last.index("█") > first.rindex("█"), "what happens later is further right"


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("name", ["GET /", "x" * 300, "票" * 60])
def test_no_line_is_wider_than_the_terminal(width: int, name: str) -> None:
    spans = [span("0", "", f"web {name}")]
    spans += [span(str(n), str(n - 1), f"service-{n} {name}", n, 100 - n, error=name) for n in range(1, 40)]
    for line in render(trace(*spans), width).splitlines():
        if not line.startswith("■"):
            assert len(line) + line.count("票") <= width


def test_colours_are_only_there_when_they_are_wanted_and_one_per_service() -> None:
    assert "\x1b" not in render(purchase(), 100)
    coloured = render(purchase(), 100, colour=True)
    for place in colours_of(purchase().services).values():
        assert f"\x1b[38;5;{PALETTE[place][1]}m" in coloured


def test_services_have_different_colours_while_there_are_enough() -> None:
    names = [f"service-{n}" for n in range(len(PALETTE))]
    assert len(set(colours_of(names).values())) == len(PALETTE)
    assert set(colours_of([*names, "one more"])) == {*names, "one more"}


def test_what_services_send_cannot_steer_the_terminal() -> None:
    nasty = "\x1b[2J\x07"
    made = trace(span("a", "", f"web{nasty} GET{nasty}", error=nasty, attributes={"attempt": nasty}))
    assert "\x1b" not in render(made, 100)
    assert "\x07" not in render(made, 100, colour=True)


def test_orphans_and_several_roots_are_counted() -> None:
    text = render(trace(span("a", "", "web GET /"), span("b", "", "web GET /"), span("c", "lost", "web GET /")), 100)
    assert "1 orphan, 2 roots" in text
    assert "orphan of lost" in text


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracing.waterfall", *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_the_command_prints_a_trace_and_its_page(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        telemetry = Telemetry(store.otlp_url)
        trace_id = trace_id_of(buy(telemetry))
        telemetry.close()
        shown = run(trace_id, "--store", store.url)
        assert shown.returncode == 0
        assert "4 services, 6 spans, 0 errors, 0 orphans" in shown.stdout
        assert shown.stdout.rstrip().endswith(f"{store.url}/trace/{trace_id}")
        assert "\x1b" not in shown.stdout, "no colours in a pipe"
        assert "\x1b[38;5;" in run(trace_id, "--store", store.url, "--colour", "always").stdout
        exported = run(trace_id, "--store", store.url, "--export", str(tmp_path / "bug.jsonl"))
        assert f"make trace FILE={tmp_path / 'bug.jsonl'}" in exported.stdout
        assert "4 services, 6 spans" in run(str(tmp_path / "bug.jsonl")).stdout
        unknown = run("abc", "--store", store.url)
        assert unknown.returncode == 1
        assert "does not know the trace" in unknown.stderr


@pytest.mark.parametrize(("trace_id", "sentence"), [("abc", "cannot be reached"), ("K7Q2-9MXA", "hexadecimal digits")])
def test_the_command_fails_with_a_sentence(trace_id: str, sentence: str) -> None:
    tried = run(trace_id, "--store", "http://127.0.0.1:1")
    assert tried.returncode == 1
    assert sentence in tried.stderr
    assert "Traceback" not in tried.stderr


def test_details_are_all_attributes_and_events_and_who_did_it() -> None:
    event = Event("order changed", 12 * MS, {"onsale.happening": "captured"})
    one = replace(
        span("a", "", "orders POST /orders", 10, 30, attributes={"onsale.order_id": "018f", "onsale.places": 2}),
        events=(event,),
        resource={"service.version": "0.3.0", "host.name": "money"},
    )
    plain, detailed = render(trace(one)), render(trace(one), details=True)
    assert "onsale.places" not in plain
    lines = [line.strip() for line in detailed.splitlines()]
    assert lines[-4:] == [
        "onsale.order_id = 018f",
        "onsale.places = 2",
        "+2.00 ms order changed: onsale.happening = captured",
        "by 0.3.0 money",
    ]
