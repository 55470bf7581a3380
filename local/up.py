"""`make up`: the whole system on this machine until Ctrl-C."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

if __name__ == "__main__":
    # nats-py imports it for NATS over WebSockets, which nobody speaks here: a third of what this process would import, and hold.
    sys.modules["aiohttp"] = None  # type: ignore[assignment]  # as Python itself notes what cannot be imported

from local.backend import ports_with_backend
from local.console import Console
from local.errors import StartError, Stopped
from local.shape import Shape
from local.system import System
from local.topology import MOST_SHARDS, ROOT, Ports

DEFAULT_DATA = ROOT / ".onsale"
HIGHEST_BASE = 65_000


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="the data folder (make up DATA=...)")
    parser.add_argument(
        "--ports", type=_base, default=None, help="the shop's port; all others follow (make up PORTS=...)"
    )
    parser.add_argument("--hosts", type=int, default=0, help="on how many hosts the services live (make up HOSTS=3)")
    parser.add_argument("--regions", type=int, default=0, help="in how many regions, far apart (make up REGIONS=2)")
    parser.add_argument("--replicas", type=int, choices=(0, 1), default=0, help="a replica to read from (REPLICAS=1)")
    parser.add_argument(
        "--shards", type=int, choices=range(1, MOST_SHARDS + 1), default=1, help="databases for places (SHARDS=2)"
    )
    parser.add_argument("--monolith", action="store_true", help="all services in one process (make up MONOLITH=1)")
    parser.add_argument("--apart", default="", help="but for these, which have one each (MONOLITH=1 APART=tickets)")
    parser.add_argument(
        "--transport",
        choices=("http", "bus"),
        default="http",
        help="what carries calls between services (TRANSPORT=bus)",
    )
    parser.add_argument("--otlp", default="", help="send spans there (make up OTLP=http://127.0.0.1:4318)")
    parser.add_argument("--traces", default="", help="with --otlp: where traces can be looked at, a Jaeger")
    chosen = parser.parse_args()
    if chosen.traces and not chosen.otlp:
        parser.error("TRACES= says where the traces can be looked at that OTLP= sends away: say OTLP= too")
    try:
        shape = Shape.of_arguments(chosen)
    except ValueError as error:
        parser.error(str(error))
    ports = Ports.from_base(chosen.ports) if chosen.ports else Ports.default()
    try:
        ports = ports_with_backend(ports, chosen.otlp, chosen.traces) if chosen.otlp else ports
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return run(chosen.data, ports, Console(), shape)


def run(data: Path, ports: Ports, console: Console, shape: Shape) -> int:
    """Runs a system until a signal ends it. The exit code: 1 if it could not start."""
    stop = threading.Event()
    try:
        system = System(data, ports, console=console, shape=shape, on_broken=stop.set)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1

    def on_signal(number: int, _frame: FrameType | None) -> None:
        hurry = stop.is_set() and number == signal.SIGINT
        stop.set()
        system.request_stop(hurry=hurry)
        console.say("\nStopping at once ..." if hurry else "\nStopping ... (Ctrl-C again to hurry)")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    sentence = ""
    try:
        system.start()
        console.say(_welcome(system, data, ports))
        stop.wait()
    except Stopped:
        pass
    except StartError as error:
        sentence = str(error)
    finally:
        system.stop()
    sentence = sentence or system.broken
    if sentence:
        sys.stderr.write(f"\n{sentence}\n")
        return 1
    console.say("Stopped. Nothing runs any more; the data stays.")
    return 0


def _welcome(system: System, data: Path, ports: Ports) -> str:
    addresses = system.addresses
    rows = [
        ("Shop", addresses["web"]),
        ("E-mails", addresses["mailbox"]),
        ("Traces", addresses["traces"]),
        ("Bank", f"{addresses['bank']}  (card 4242 4242 4242 4242)"),
        ("Postgres", f"127.0.0.1:{ports.of['postgres']}  (logins: {data / 'secrets.json'})"),
        ("NATS", f"127.0.0.1:{ports.of['nats']}"),
        ("Logs", str(system.layout.folder / "logs")),
    ]
    if system.replica is not None:
        behind = "catalog, orders and tickets read there; make lag SECONDS=5"
        rows.insert(5, ("Replica", f"127.0.0.1:{ports.of['replica']}  ({behind})"))
    if system.shape.transport == "bus":
        rows.append(("Services", "ask each other over NATS; none but the shop has a port"))
    if ports.elsewhere:
        rows.append(("OTLP", f"{addresses['otlp']}  (the dev trace store does not run)"))
    if system.shape.together:
        rows.append(("Monolith", f"{', '.join(system.shape.together)} in one process (pid {system.pid('web')})"))
    if system.hosts.housing.hosts:
        rows.append((system.hosts.title, system.hosts.description))
    table = "\n".join(f"  {name:<10} {where}" for name, where in rows)
    again = "" if data.absolute() == DEFAULT_DATA else f" DATA={data}"
    return f"\nOnsale is ready.\n\n{table}\n\n  try: make buy{again}      Ctrl-C stops everything.\n"


def _base(text: str) -> int:
    if not text.isdigit() or not 1024 <= int(text) <= HIGHEST_BASE:
        raise argparse.ArgumentTypeError(f"it is one number from 1024 to {HIGHEST_BASE}, such as 9000, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
