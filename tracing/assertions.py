"""Assertions on traces, for tests: what called what, and whether all of it is there.

They speak of kinds, names and attributes, never of durations or of the order of siblings. A failure shows the waterfall.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

import httpx

from tracing.gaps import explain
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


def assert_explained(trace: Trace, reader: TraceReader) -> None:
    """The trace is whole, or a process that died explains each gap (`tracing.gaps`). Failed spans are not looked at."""
    gaps = explain(trace, reader)
    unexplained = [str(gap) for gap in gaps if not gap.is_explained]
    if len(trace.roots) > 1:
        unexplained.append(f"It has {len(trace.roots)} roots ({_named(trace.roots)}), and should have one.")
    if unexplained:
        explained = [str(gap) for gap in gaps if gap.is_explained]
        raise AssertionError(_with_waterfall("\n".join([*unexplained, *explained]), trace))


async def wait_until_explained(reader: TraceReader, trace_id: str, *, timeout_seconds: float = 30.0) -> Trace:
    """The trace, once `assert_explained` holds of it. Raises what that raises when `timeout_seconds` have passed.

    What is missing may be on its way as long as its process lives: a service sends its spans some seconds later.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        trace = await wait_for_trace(reader, trace_id, quiet_seconds=0.0, timeout_seconds=timeout_seconds)
        try:
            await asyncio.to_thread(assert_explained, trace, reader)
        except AssertionError:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            return trace


class Traced:
    """A trace that a test begins: requests within the block carry its context. Made by `traced`."""

    def __init__(self, store: str) -> None:
        self._store = store
        self.trace_id = secrets.token_hex(16)
        self.traceparent = f"00-{self.trace_id}-{secrets.token_hex(8)}-01"

    async def wait(
        self, has: Iterable[Wanted] = (), *, quiet_seconds: float = 0.5, timeout_seconds: float = 10.0
    ) -> Tree:
        """The trace as `wait_for_trace` gives it, to assert on, with a root for the test itself."""
        with TraceReader(self._store) as reader:
            found = await wait_for_trace(
                reader, self.trace_id, has, quiet_seconds=quiet_seconds, timeout_seconds=timeout_seconds
            )
        # What the test did itself: the root of all that it asked.
        own = Span(
            self.trace_id, self.traceparent.split("-")[2], "", "test", "client", "test", found.start_ns, found.end_ns
        )
        return Tree(Trace(found.trace_id, (own, *found.spans)), self._store)


@dataclass(frozen=True)
class Tree:
    """A trace with the assertions of this module as its methods."""

    trace: Trace
    store: str

    def assert_path(self, *steps: str) -> Span:
        """As the function."""
        return assert_path(self.trace, *steps)

    def assert_complete(self, allowed_errors: Iterable[Wanted] = ()) -> None:
        """As the function."""
        assert_complete(self.trace, allowed_errors)

    def assert_explained(self) -> None:
        """As the function."""
        with TraceReader(self.store) as reader:
            assert_explained(self.trace, reader)


@asynccontextmanager
async def traced(client: httpx.AsyncClient, store: str) -> AsyncIterator[Traced]:
    """Requests of `client` within the block are one sampled trace, which the store at that address is asked for.

    Services go on with the trace of a client that has a service's token, and begin their own for strangers; web always does.
    """
    made = Traced(store)
    before = client.headers.get("traceparent")
    client.headers["traceparent"] = made.traceparent
    try:
        yield made
    finally:
        if before is None:
            del client.headers["traceparent"]
        else:
            client.headers["traceparent"] = before


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
