"""What `make bench-regions` counts on traces, and how it tells what it has measured."""

from dataclasses import replace

from local.bench.committing import SHAPES, WAYS, Written, told
from local.bench.regions import Crossings
from tracing.model import Trace
from tracing.tests.traces import span, trace


def asked(trace_id: str, caller: str, callee: str, hosts: tuple[str, str], kind: str = "internal") -> Trace:
    """A trace in which one asks another, below a span of that kind."""
    above, client, server = (
        span("a", "", f"{caller} what it does"),
        span("b", "a", f"{caller} GET /things", attributes={"http.request.method": "GET", "peer.service": callee}),
        span("c", "b", f"{callee} GET /things"),
    )
    near, far = ({"host.name": host} for host in hosts)
    made = (
        replace(above, kind=kind, resource=near),
        replace(client, kind="client", resource=near),
        replace(server, kind="server", resource=far),
    )
    return replace(trace(*made), trace_id=trace_id)


def test_only_calls_to_the_other_region_are_counted_and_apart_those_that_nobody_waits_for() -> None:
    found = Crossings()
    found.add(asked("1", "web", "catalog", ("near", "near")))
    found.add(asked("2", "web", "orders", ("near", "far"), kind="server"))
    found.add(asked("3", "web", "orders", ("near", "far"), kind="server"))
    found.add(asked("4", "notifications", "accounts", ("far", "near"), kind="consumer"))
    assert str(found) == (
        "0.5 while somebody waits (web asks orders 0.5); 0.2 while nobody waits (notifications asks accounts 0.2)"
    )


def test_writes_are_told_by_who_writes_and_for_whom_they_wait() -> None:
    usual = Written([1000.0, 1200.0, 1100.0], [0.9, 1.0, 5.0])
    found = {(shape.name, way.name): usual for shape in SHAPES for way in WAYS}
    found["one writer", "for the other side"] = Written([9.5], [104.0])
    heads, first, *_ = told(found).splitlines()
    assert heads.split("  ")[-1].strip() == "for the other side"
    cells = [cell.strip() for cell in first.split("  ") if cell]
    assert cells == ["one writer", "1,100 (1.0 ms)", "1,100 (1.0 ms)", "10 (104.0 ms)"]
