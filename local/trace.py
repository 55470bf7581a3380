"""`make trace`: a trace of the running system as a waterfall (ID=...), or an order's whole life (ORDER=...)."""

import argparse
import sys
from pathlib import Path

from local.commands import stop_when_nobody_reads
from local.errors import StartError
from local.running import Running
from local.story import Desk, tell
from tracing import waterfall


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make trace", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("trace_id", nargs="?")
    parser.add_argument(
        "--export", default="", help="also write the trace there, as OTLP JSON lines, for Jaeger's upload"
    )
    parser.add_argument("--file", default="", help="show a trace that was exported; nothing needs to run")
    parser.add_argument("--order", help="an order's number or id, for its story")
    parser.add_argument("--url", help="the shop of another system, for the story of its order")
    parser.add_argument("--key", help="the support key of that system")
    parser.add_argument("--details", action="store_true", help="also all attributes and events of each span")
    chosen = parser.parse_args()
    stop_when_nobody_reads()
    if chosen.order:
        return _tell(chosen)
    if chosen.file and not Path(chosen.file).is_file():
        print(f"There is no file {chosen.file}.", file=sys.stderr)
        return 1
    if chosen.file:
        return waterfall.main([chosen.file, *_details(chosen)])
    if not chosen.trace_id:
        print(
            "Say which trace: make trace ID=4bf92f35... (every page, log line and `make buy` shows its id), or which order: "
            "make trace ORDER=G3D3-BGVZ",
            file=sys.stderr,
        )
        return 1
    try:
        store = Running.find(chosen.data).addresses["traces"]
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return waterfall.main(
        [chosen.trace_id, "--store", store, *_details(chosen), *(["--export", chosen.export] if chosen.export else [])]
    )


def _details(chosen: argparse.Namespace) -> list[str]:
    return ["--details"] if chosen.details else []


def _tell(chosen: argparse.Namespace) -> int:
    try:
        desk = Desk.find(chosen.data, chosen.url, chosen.key)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return tell(desk, chosen.order)


if __name__ == "__main__":
    sys.exit(main())
