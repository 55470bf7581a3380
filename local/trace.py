"""`make trace ID=...`: prints a trace of the running system as a waterfall."""

import argparse
import sys
from pathlib import Path

from local.errors import StartError
from local.running import Running
from tracing import waterfall


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make trace", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("trace_id", nargs="?")
    chosen = parser.parse_args()
    if not chosen.trace_id:
        print(
            "Say which trace: make trace ID=4bf92f35... (every page, log line and `make buy` shows its id)",
            file=sys.stderr,
        )
        return 1
    try:
        store = Running.find(chosen.data).addresses["traces"]
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return waterfall.main([chosen.trace_id, "--store", store])


if __name__ == "__main__":
    sys.exit(main())
