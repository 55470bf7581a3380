"""Assertions on traces, for tests: what called what, and whether all of it is there.

They speak of kinds, names and attributes, never of durations or of the order of siblings. A failure shows the waterfall.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from tracing.model import Span, Trace
from tracing.reader import StoreUnreachable, TraceReader, TraceUnknown
from tracing.waterfall import render

POLL_SECONDS = 0.1

Wanted = tuple[str, str]


async def wait_for_trace(
    reader: TraceReader,
    trace_id: str,
    has: Iterable[Wanted] = (),
    *,
    quiet_seconds: float = 0.5,
    timeout_seconds: float = 10.0,
) -> Trace:
    """The trace, once each (service, span name or pattern) of `has` is there and no span came for `quiet_seconds`.

    Raises AssertionError with what is missing when `timeout_seconds` have passed.
    """
    wanted = list(has)
    deadline = time.monotonic() + timeout_seconds
    trace: Trace | None = None
    problem: Exception | None = None
    quiet_since = time.monotonic()
    while True:
        try:
            latest = await asyncio.to_thread(reader.trace, trace_id)
        except (TraceUnknown, StoreUnreachable) as error:
            problem = error
        else:
            if trace is None or len(latest.spans) != len(trace.spans):
                quiet_since = time.monotonic()
            trace = latest
            if not missing_from(trace, wanted) and time.monotonic() - quiet_since >= quiet_seconds:
                return trace
        if time.monotonic() >= deadline:
            raise AssertionError(_incomplete(trace, wanted, timeout_seconds, problem)) from problem
        await asyncio.sleep(POLL_SECONDS)


def missing_from(trace: Trace, wanted: Iterable[Wanted]) -> list[Wanted]:
    """Those of (service, span name or pattern) that no span fits."""
    return [item for item in wanted if not any(_fits(span, *item) for span in trace.spans)]


def spans_of(trace: Trace, service: str, name: str) -> list[Span]:
    """The spans of a service whose name fits the pattern."""
    return [span for span in trace.spans if _fits(span, service, name)]


def assert_path(trace: Trace, *steps: str) -> Span:
    """Each step, "service name-pattern", has the one before it as an ancestor; other spans may lie between.

    Returns the last span of a path that fits. Patterns are those of fnmatch: `*` is anything, e.g. "web POST *".
    """
    if not steps:
        raise ValueError("Name at least one step, like 'orders POST /orders'.")
    parsed = [_step(step) for step in steps]
    for reached in range(len(parsed), 0, -1):
        end = next((span for span in trace.spans if _ends_path(trace, span, parsed[:reached])), None)
        if end is not None:
            break
    else:
        raise AssertionError(_with_waterfall(f"No span fits {steps[0]!r}.", trace))
    if reached < len(steps):
        so_far = " -> ".join(steps[:reached])
        raise AssertionError(_with_waterfall(f"Found {so_far}, but beneath it no {steps[reached]!r}.", trace))
    return end


def assert_complete(trace: Trace, allowed_errors: Iterable[Wanted] = ()) -> None:
    """One root, no orphan, and no failed span but those that fit (service, name pattern) of `allowed_errors`."""
    allowed = list(allowed_errors)
    unexpected = [span for span in trace.errors if not any(_fits(span, *item) for item in allowed)]
    faults = []
    if len(trace.roots) != 1:
        faults.append(f"It has {len(trace.roots)} roots ({_named(trace.roots)}), and should have one.")
    if trace.orphans:
        faults.append(f"The parents of {len(trace.orphans)} spans are not there: {_named(trace.orphans)}.")
    if unexpected:
        faults.append(f"{len(unexpected)} spans failed that should not have: {_named(unexpected)}.")
    if faults:
        raise AssertionError(_with_waterfall("\n".join(faults), trace))


def _ends_path(trace: Trace, span: Span, steps: Sequence[Wanted]) -> bool:
    """Whether a path of these steps ends in this span. Going up greedily finds one if there is one."""
    if not _fits(span, *steps[-1]):
        return False
    above = list(steps[:-1])
    for ancestor in trace.ancestors_of(span):
        if above and _fits(ancestor, *above[-1]):
            above.pop()
    return not above


def _step(step: str) -> Wanted:
    service, _, name = step.partition(" ")
    if not name:
        raise ValueError(f"A step is a service and a span's name or pattern, like 'orders POST /orders', not {step!r}.")
    return service, name


def _fits(span: Span, service: str, name: str) -> bool:
    return fnmatchcase(span.service, service) and (span.name == name or fnmatchcase(span.name, name))


def _named(spans: Sequence[Span]) -> str:
    shown = ", ".join(f"{span.service} {span.name}" for span in spans[:5])
    return shown + (f" and {len(spans) - 5} more" if len(spans) > 5 else "")


def _incomplete(
    trace: Trace | None, wanted: Sequence[Wanted], timeout_seconds: float, problem: Exception | None
) -> str:
    if trace is None:
        return f"No trace after {timeout_seconds:g} s. {problem}"
    missing = missing_from(trace, wanted)
    if not missing:
        return _with_waterfall(f"Spans still arrived after {timeout_seconds:g} s.", trace)
    names = ", ".join(f"{service} {name}" for service, name in missing)
    return _with_waterfall(f"After {timeout_seconds:g} s the trace still lacks: {names}.", trace)


def _with_waterfall(message: str, trace: Trace) -> str:
    return f"{message}\n\n{render(trace, width=120)}"
