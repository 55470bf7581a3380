"""`make audit`: whether what was promised holds over all databases and the bank, once nothing is under way.

The exit code: 0 if all holds, 1 if something does not, 2 if it could not look.
"""

import argparse
import asyncio
import contextlib
import sqlite3
import sys
from pathlib import Path

import asyncpg
import nats.errors

from local.commands import seconds
from local.errors import StartError
from rehearsal.audit.auditor import REST_SECONDS, audit
from rehearsal.audit.model import Audit
from rehearsal.audit.report import render
from rehearsal.audit.sources import Sources

CANNOT_LOOK = (asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error, sqlite3.Error, OSError, ValueError)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder of the system (DATA=)")
    parser.add_argument("--log", type=Path, help="what buyers were told, as make rehearse wrote it (LOG=)")
    parser.add_argument("--wait", type=seconds, default=REST_SECONDS, help="seconds until it must be at rest (WAIT=)")
    parser.add_argument(
        "--postgres", default="", help="of another system: its server, with an admin's login (POSTGRES=)"
    )
    parser.add_argument(
        "--books", type=Path, help="with POSTGRES=: a copy of the ledger of its simulated bank (BOOKS=)"
    )
    chosen = parser.parse_args(arguments)
    if bool(chosen.postgres) != bool(chosen.books):
        parser.error("POSTGRES= and BOOKS= belong together: the books are held against those of the bank")
    if chosen.log is not None and not chosen.log.is_file():
        parser.error(f"There is no file {chosen.log}: name the log that make rehearse wrote (LOG=)")
    try:
        found = _look(chosen)
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    except CANNOT_LOOK as error:
        print(
            f"It could not be looked at ({type(error).__name__}: {error}). Does the system run? make up",
            file=sys.stderr,
        )
        return 2
    print(render(found))
    return 1 if found.broken else 0


def _look(chosen: argparse.Namespace) -> Audit:
    with contextlib.ExitStack() as stack:
        elsewhere = Sources.elsewhere(chosen.postgres, chosen.books) if chosen.postgres else None
        sources = elsewhere or stack.enter_context(Sources.found(chosen.data))
        return asyncio.run(audit(sources, log=chosen.log, rest_seconds=chosen.wait))


if __name__ == "__main__":
    sys.exit(main())
