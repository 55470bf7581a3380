"""`make stuck`: all remembered work that is late, over all services, with why it waits and how to go on."""

import argparse
import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import OK
from pathlib import Path
from typing import Any

from local.commands import seconds, stop_when_nobody_reads
from local.errors import StartError
from local.ready import got
from local.running import Running
from local.topology import SERVICES

PATIENCE_SECONDS = 10.0
LATE_SECONDS = 60
HOUR, MINUTE = 3600, 60


def main() -> int:
    """The command line: 0 if all services have said what waits, else 1."""
    parser = argparse.ArgumentParser(prog="make stuck", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--older", type=seconds, default=LATE_SECONDS, help="since how many seconds it has been wanted")
    chosen = parser.parse_args()
    stop_when_nobody_reads()
    try:
        addresses = Running.find(chosen.data).services
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    late, silent = late_work(addresses, int(chosen.older))
    print(render(late, silent, datetime.now(UTC)))
    return 1 if silent else 0


def late_work(addresses: Mapping[str, str], older_seconds: int) -> tuple[list[dict[str, Any]], list[str]]:
    """What is late, the longest first, each with its `service`; and a sentence for each service that cannot say."""
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        answers = list(pool.map(lambda name: _ask(name, addresses[name], older_seconds), sorted(SERVICES)))
    late = [each for answer in answers if isinstance(answer, list) for each in answer]
    return sorted(late, key=lambda each: str(each["since"])), [answer for answer in answers if isinstance(answer, str)]


def render(late: list[dict[str, Any]], silent: list[str], now: datetime) -> str:
    """The list as text, for people."""
    lines = [*silent]
    if not late:
        return "\n".join([*lines, "Nothing else is late." if silent else "Nothing is late."])
    lines.append(
        f"{len(late)} {'piece' if len(late) == 1 else 'pieces'} of work {'is' if len(late) == 1 else 'are'} late."
    )
    for each in late:
        about = f" of {each['about']}" if each["about"] else ""
        lines.append(f"\n{each['queue']}{about}, wanted for {_long(now, each['since'])} ({each['service']})")
        lines.append(f"    why    {each['why']}")
        lines.append(f"    go on  {each['go_on']}")
        if each["trace_id"]:
            lines.append(f"    trace  make trace ID={each['trace_id']}")
    return "\n".join(lines)


def _ask(service: str, address: str, older_seconds: int) -> list[dict[str, Any]] | str:
    try:
        status, body = got(f"{address}/work?older_seconds={older_seconds}", PATIENCE_SECONDS)
        found: list[dict[str, Any]] = json.loads(body)["late"] if status == OK else []
        if status != OK:
            raise ConnectionError(f"It answered {status}.")
    except (OSError, ValueError, KeyError) as error:
        return (
            f"{service} does not say what waits there ({type(error).__name__}): look whether it runs, and its database."
        )
    return [each | {"service": service} for each in found]


def _long(now: datetime, since: str) -> str:
    seconds = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    return f"{seconds // HOUR} h {seconds % HOUR // MINUTE} min"


if __name__ == "__main__":
    sys.exit(main())
