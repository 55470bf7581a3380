"""`make restart NAME=web` and `make load FILE=event.json`: what is asked of the running system beside buying and looking."""

import argparse
import sys
import time
from pathlib import Path

from local.errors import StartError
from local.running import Running


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make restart, make load", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("do", choices=["restart", "load"])
    parser.add_argument("what", nargs="?", default="")
    chosen = parser.parse_args()
    try:
        running = Running.find(chosen.data)
        print(restart(running, chosen.what) if chosen.do == "restart" else load(running, chosen.what))
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def restart(running: Running, name: str) -> str:
    """Stops a program and starts it with the code as it is now. What came of it; raises StartError."""
    if not name:
        raise StartError("Say which: make restart NAME=web (a service, bank, mailbox or traces)")
    began = time.monotonic()
    running.ask("restart", environments={name: {}})
    return f"{name} runs again, with the code as it is now ({time.monotonic() - began:.1f} s)."


def load(running: Running, file: str) -> str:
    """Brings a file of events or a seating plan into the shop. What was understood; raises StartError."""
    if not file:
        raise StartError("Say which: make load FILE=event.json (schema.org events, or a seating plan)")
    path = Path(file).absolute()
    if not path.is_file():
        raise StartError(f"There is no file {path}.")
    return str(running.ask("load", file=str(path)))


if __name__ == "__main__":
    sys.exit(main())
