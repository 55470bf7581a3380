"""`make bench`: what it reads, how it compares, and that a crowd's purchases are checked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.bench import crowd, reading
from local.bench.compare import ROWS, report
from local.bench.contest import Contestant


def contestant(name: str, value: float, reference: float = 1000.0) -> Contestant:
    """With the same value in each row, and what the reference loop took meanwhile."""
    found = {row.name: [value, value, value] for row in ROWS} | {
        row.beside: [reference] * 3 for row in ROWS if row.beside
    }
    return Contestant(name, Path(), Path(), 0, found)


def ratio_of(row: str, table: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(row)).rpartition("  ")[2].strip()


def test_a_ratio_says_how_many_times_better() -> None:
    table = report(contestant("before", 400), contestant("after", 100))
    assert ratio_of("CPU of a paid purchase", table) == "1/4.00"
    assert ratio_of("paid purchases a second, until", table) == "0.25 x"


def test_processor_time_is_held_against_how_quick_the_machine_was() -> None:
    """The same figures on a machine that was half as quick are half the work; memory stays what it is."""
    table = report(contestant("before", 400), contestant("after", 400, reference=2000))
    assert ratio_of("CPU of a paid purchase", table) == "1/2.00"
    assert ratio_of("PSS", table) == "1.00"


def test_a_form_is_found_by_where_it_leads() -> None:
    page = """<form action="/orders/1/pay" method="post"><input type="hidden" name="form_token" value="a&amp;b"></form>
        <form method="post" action="/orders/1/cancel"><input type="hidden" name="form_token" value="c"></form>"""
    assert crowd.form_to("http://shop.test/orders/1", page, "/pay") == (
        "http://shop.test/orders/1/pay",
        [("form_token", "a&b")],
    )
    with pytest.raises(crowd.PurchaseFailed, match="no form to /orders"):
        crowd.form_to("http://shop.test/orders/1", page, "/orders")


def test_what_a_process_starts_is_counted_with_it() -> None:
    """Also after it has ended."""
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}]); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        named = dict(reading._named(os.getpid(), {process.pid: "busy"}, "tests"))
        assert named[process.pid] == "busy"
        assert named[os.getpid()] == "tests"
        assert reading._cpu_seconds(process.pid) >= 0.3
        process.communicate(b"\n")
