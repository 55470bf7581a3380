"""`make rehearse-locust`: the rehearsal's buyers on Locust's page, which shows them, and how many there are.

Locust has an environment of its own below `.bench/`, made from `requirements/locust.txt` when it is missing. The page listens on
this machine alone. With SECONDS= there is no page, and it ends by itself; in any case the audit looks at what was sold.
"""

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.errors import StartError
from local.processes import LOOPBACK
from local.topology import ROOT
from rehearsal.audit.auditor import audit
from rehearsal.audit.report import verdict
from rehearsal.event import make_event
from rehearsal.sale import Door, waiting_room
from rehearsal.venue import Venue, venue

LIST = ROOT / "requirements" / "locust.txt"
LOCUSTFILE = ROOT / "rehearsal" / "locustfile.py"
DRAW_SECONDS = 10.0
REST_SECONDS = 60.0


@dataclass(frozen=True)
class Show:
    """What Locust plays: who buys at once, where; `seconds` without its page, or with it (0) until somebody stops it."""

    shop: str
    event_id: str
    places: int
    hold_seconds: float
    users: int
    seconds: int
    port: int


def environment_of() -> Path:
    """Where Locust is, or would be: another list, another folder."""
    return ROOT / ".bench" / f"locust-{hashlib.sha256(LIST.read_bytes()).hexdigest()[:10]}"


def installed() -> Path:
    """Its Python, after it was installed if need be. Raises StartError."""
    folder = environment_of()
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.exists():
        print("Installing Locust (once) ...", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(LIST)])
        stamp.touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # the commands above
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise StartError(f"Locust could not be installed: {''.join(last)} Is the package index reachable?")


def main(arguments: list[str] | None = None) -> int:
    """The command line. The exit code: 0 if no promise is broken, 1 if one is, 2 if it could not be tried."""
    parser = argparse.ArgumentParser(prog="make rehearse-locust", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="the data folder of a running system; one is started if none runs")
    add("--places", type=int, default=200, help="how many places there are (PLACES=)")
    add("--users", type=int, default=20, help="how many buyers at once, at first (USERS=)")
    add("--seconds", type=int, default=0, help="without the page, for so long (SECONDS=)")
    add("--queue", choices=("0", "1"), default="1", help="0: without a waiting room (QUEUE=)")
    add("--rate", type=int, default=600, help="people let in a minute, at most (RATE=)")
    add("--inside", type=int, default=120, help="people inside at the same time, at most (INSIDE=)")
    add("--hold", type=float, default=40.0, help="how many seconds places are held (HOLD=)")
    add("--port", type=int, default=8089, help="where the page listens (PORT=)")
    chosen = parser.parse_args(arguments)
    try:
        python = installed()
        with venue(chosen.data, chosen.hold, "", "") as found:
            return asyncio.run(_rehearse(chosen, found, python))
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 2


async def _rehearse(chosen: argparse.Namespace, where: Venue, python: Path) -> int:
    if where.load is None or where.sources is None:
        raise StartError("This needs a system of this machine. Against another one: make rehearse URL=")
    event_id = await make_event(where.load, where.shop, chosen.places)
    show = Show(where.shop, event_id, chosen.places, chosen.hold, chosen.users, chosen.seconds, chosen.port)
    with tempfile.TemporaryDirectory(prefix="onsale-locust-") as folder:
        log = Path(folder) / "told.jsonl"
        if chosen.queue == "0":
            await play(show, python, log)
        else:
            async with waiting_room(where.shop, where.key, event_id, Door(chosen.rate, chosen.inside), DRAW_SECONDS):
                await play(show, python, log)
        rest_seconds = chosen.hold + REST_SECONDS
        told = log if log.exists() else None
        found = await audit(where.sources, log=told, rest_seconds=rest_seconds, also_buyers=True)
    print(f"Audit: {verdict(found)}", *found.findings, sep="\n  ")
    return 1 if found.broken else 0


async def play(show: Show, python: Path, log: Path) -> None:
    """Runs Locust until it ends by itself, or somebody presses Ctrl-C, which ends it in an orderly way."""
    command = [str(python), "-m", "locust", "--locustfile", str(LOCUSTFILE), "--host", show.shop]
    command += ["--users", str(show.users), "--spawn-rate", str(max(1, show.users // 5))]
    if show.seconds:
        command += ["--headless", "--only-summary", "--run-time", f"{show.seconds}s", "--exit-code-on-error", "0"]
    else:
        command += ["--web-host", LOOPBACK, "--web-port", str(show.port)]
        print(f"Locust's page is http://{LOOPBACK}:{show.port}; Ctrl-C ends it, and then comes the audit.", flush=True)
    environment = os.environ | {
        "LOCUST_SKIP_MONKEY_PATCH": "1",  # the buyers stand on asyncio, which gevent would take apart
        "PYTHONPATH": str(ROOT),
        "REHEARSAL_EVENT": show.event_id,
        "REHEARSAL_PLACES": str(show.places),
        "REHEARSAL_HOLD": str(show.hold_seconds),
        "REHEARSAL_LOG": str(log),
    }
    print(f"{show.places} places of {show.shop}/events/{show.event_id}", flush=True)
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        await process.wait()
    except asyncio.CancelledError:  # Ctrl-C went to Locust as well: it says goodbye
        await process.wait()


if __name__ == "__main__":
    sys.exit(main())
