"""`make traces SERVICE=orders OPERATION="POST /orders" SLOWER=0.5`: the latest traces in which one span fits, a line each."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from local.commands import seconds, stop_when_nobody_reads
from local.errors import StartError
from local.running import Running
from tracing.model import Trace, human_duration
from tracing.reader import StoreUnreachable, TraceReader

MOST = 20
SINCE_SECONDS = 3600.0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make traces", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--service", default="web")
    parser.add_argument("--operation")
    parser.add_argument("--slower", type=seconds, help="seconds that the span took at least")
    parser.add_argument("--errors", action="store_true", help="only traces with an error")
    chosen = parser.parse_args()
    stop_when_nobody_reads()
    try:
        store = Running.find(chosen.data).addresses["traces"]
        with TraceReader(store) as reader:
            found = reader.search(
                chosen.service,
                chosen.operation,
                lookback_seconds=SINCE_SECONDS,
                duration_min_seconds=chosen.slower,
                limit=MOST,
            )
            unknown = "" if found else _unknown(reader, chosen.service, chosen.operation)
    except (StartError, StoreUnreachable, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    shown = [trace for trace in found if trace.errors or not chosen.errors]
    print(render(shown) if shown else unknown or "No trace of the last hour fits.")
    return 0 if shown else 1


def render(traces: Sequence[Trace]) -> str:
    """A line for each trace, the latest first, and how to open one."""
    lines = [f"{'began (UTC)':<12}{'took':>9}{'spans':>7}{'errors':>8}  {'trace':<34}begins with"]
    for trace in traces:
        began = datetime.fromtimestamp(trace.start_ns / 1e9, UTC)
        root = trace.roots[0]
        numbers = f"{human_duration(trace.duration_ns):>9}{len(trace.spans):>7}{len(trace.errors):>8}"
        lines.append(f"{began:%H:%M:%S}    {numbers}  {trace.trace_id:<34}{root.service} {root.name}")
    return "\n".join([*lines, "", f"make trace ID={traces[0].trace_id}"])


def _unknown(reader: TraceReader, service: str, operation: str | None) -> str:
    """Why nothing can fit: a name that no span has."""
    if service not in (services := reader.services()):
        return f"No span is of a service {service}. There are: {', '.join(services)}."
    known = [name for name, _ in reader.operations(service)]
    if operation and operation not in known:
        return f"No span of {service} is called {operation!r}. There are:\n  " + "\n  ".join(known)
    return ""


if __name__ == "__main__":
    sys.exit(main())
