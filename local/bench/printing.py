"""What a ticket's PDF costs, its QR code included: `python -m local.bench.printing [CHECKOUT ...]`.

Each checkout (this one, and others such as one of a release before, each with its own `.venv`) prints in a process of its own,
in turns, so that what else the machine does falls on all of them.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TITLES = {
    "Latin": "Die Dreigroschenoper",
    "Arabic": "ليلة الموسيقى العربية: السبت ٢١",
    "Japanese": "日本の音楽祭 2031 第一夜",
    "Devanagari": "हिन्दी संगीत समारोह",
}
_SECONDS = 300
# Runs in any version since 0.1: of what it imports, names and parameters are the same in all of them.
_PRINTS = """
import json, resource, sys, time
from services.tickets.layouts import print_tickets
from services.tickets.printing import Format, Printed
from services.tickets.tests.unit.examples import a_ticket
title, count, places = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def made(number):
    code = "OS1." + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(number * 7 + at * at) % 32] for at in range(165))
    tickets = [a_ticket(event_title=title, venue_name=title[:12], seat_label=f"Row {number}, seat {n}") for n in range(places)]
    printed = [Printed(each, code, n, places) for n, each in enumerate(tickets, 1)]
    began = time.perf_counter()
    print_tickets(printed, Format.A4)
    return (time.perf_counter() - began) * 1000
cold = made(0)
warm = [made(number) for number in range(1, count + 1)]
print(json.dumps({"cold": cold, "warm": warm, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def measured(checkout: Path, title: str, count: int, places: int) -> dict[str, float]:
    """Milliseconds of the first PDF of a process and of the later ones (median, least), and its memory in MiB."""
    python = checkout / ".venv/bin/python"
    command = [str(python), "-c", _PRINTS, title, str(count), str(places)]
    said = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=_SECONDS, check=True)
    found = json.loads(said.stdout.splitlines()[-1])
    warm = found["warm"]
    return {"cold": found["cold"], "warm": statistics.median(warm), "least": min(warm), "mib": found["mib"]}


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.printing", description=__doc__)
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT", help="others to compare with")
    parser.add_argument("--count", type=int, default=30, help="PDFs of each, after the first (30)")
    given = parser.parse_args(arguments)
    checkouts = [*given.checkouts, ROOT]
    print(f"{'':28}{'':12}{'first':>10}{'later':>10}{'least':>10}{'memory':>10}")
    for what, places, count in (("a ticket", 1, given.count), ("50 tickets", 50, max(3, given.count // 10))):
        for script, title in TITLES.items():
            for checkout in checkouts:
                found = measured(checkout.resolve(), title, count, places)
                columns = "".join(f"{found[name]:7.1f} ms" for name in ("cold", "warm", "least"))
                print(f"{checkout.name[-26:]:28}{what:12}{columns}{found['mib']:6.0f} MiB  {script}")


if __name__ == "__main__":
    main(sys.argv[1:])
