"""`make audit-bugs`: plants bugs that oversell, lose or double, one at a time; the auditor must find each, or a test.

The exit code is 0 if all were found. The last line is the score.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.errors import StartError
from local.parts import part_of
from local.system import System
from local.temporary import temporary_system
from rehearsal.audit.auditor import audit
from rehearsal.audit.sources import Sources
from rehearsal.bugs.code import CODE_BUGS, SWITCHES, TESTED_BUGS
from rehearsal.bugs.model import CodeBug, Outcome, RowBug, TestedBug
from rehearsal.bugs.planting import Ground
from rehearsal.bugs.rows import ROW_BUGS
from rehearsal.bugs.running import Faulty
from rehearsal.bugs.sale import HASTE, sell
from rehearsal.bugs.tested import try_test

CLEAN_SECONDS = 60.0

HEAD = f"{'bug':<30}{'of':>3}  {'found by':<20}{'the database would refuse by':<44}what it does"


class NotClean(Exception):
    """The system that bugs are planted into breaks promises by itself."""


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make audit-bugs", description=__doc__)
    parser.add_argument("--names", nargs="*", default=[], help="only these (NAMES=)")
    parser.add_argument("--part", help="a part of them: 7/12 is every twelfth, beginning with number 7")
    chosen = parser.parse_args(arguments)
    rows, faults, tested = (_wanted(bugs, chosen.names, chosen.part) for bugs in (ROW_BUGS, CODE_BUGS, TESTED_BUGS))
    if not (rows or faults or tested):
        known = ", ".join([*(each.name for each in ROW_BUGS), *SWITCHES])
        print(f"There is no such bug. There are: {known}", file=sys.stderr)
        return 2
    began = time.monotonic()
    print(HEAD)
    try:
        outcomes = _on_a_system(rows, faults) if rows or faults else []
    except (StartError, NotClean) as error:
        print(error, file=sys.stderr)
        return 2
    for bug in tested:
        outcomes.append(asyncio.run(try_test(bug)))
        print(_line(outcomes[-1]), flush=True)
    caught = sum(each.caught for each in outcomes)
    print(f"\n{time.monotonic() - began:.0f} s\ncaught {caught} of {len(outcomes)}")
    return 0 if caught == len(outcomes) else 1


def _wanted(bugs: Sequence[Any], names: list[str], part: str | None) -> list[Any]:
    if names:
        return [each for each in bugs if each.name in names]
    return list(bugs) if part is None else part_of(bugs, part)


def _on_a_system(rows: list[RowBug], faults: list[CodeBug]) -> list[Outcome]:
    with temporary_system(environment=HASTE) as system, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_plant(system, Path(folder), rows, faults))


async def _plant(system: System, folder: Path, rows: list[RowBug], faults: list[CodeBug]) -> list[Outcome]:
    """First the rows, in copies of what was sold without a fault; then the code, which leaves the system broken."""
    await sell(system.addresses)
    clean = await audit(Sources.of(system), rest_seconds=CLEAN_SECONDS, also_buyers=True)
    if clean.broken:
        raise NotClean("Before anything was planted, this was wrong:\n" + "\n".join(clean.findings))
    outcomes = []
    if rows:
        ground = Ground(system, folder)
        await ground.prepare()
        for row in rows:
            outcomes.append(await ground.try_out(row))
            print(_line(outcomes[-1]), flush=True)
        if faults:
            await ground.give_back()
    faulty = Faulty(system)
    for fault in faults:
        outcomes.append(await faulty.try_out(fault))
        print(_line(outcomes[-1]), flush=True)
    return outcomes


def _line(outcome: Outcome) -> str:
    bug, missed = outcome.bug, "" if outcome.caught else "  MISSED"
    if isinstance(bug, TestedBug):
        must, found = "", "a test" if outcome.caught else "nobody"
    else:
        must, found = str(bug.number), ",".join(str(number) for number in outcome.found) or "nobody"
    return f"{bug.name:<30}{must:>3}  {found:<20}{outcome.refused_by or '-':<44}{bug.does}{missed}"


if __name__ == "__main__":
    sys.exit(main())
