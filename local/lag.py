"""`make lag SECONDS=5`: how far the replica of `make up REPLICAS=1` is behind from now on; 0: as near as it can be.

It applies what others commit so many seconds later (recovery_min_apply_delay), as a busy or distant replica would.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import asyncpg

from local.errors import StartError
from local.postgres import SUPERUSER
from local.processes import LOOPBACK
from local.running import Running

LONGEST_SECONDS = 3600.0


async def set_lag(running: Running, seconds: float) -> float:
    """Sets it, and says how many seconds the replica was behind before. Raises StartError if there is no replica."""
    password_file = running.data / "replica" / "password"
    try:
        password = password_file.read_text().strip()
        connection = await asyncpg.connect(
            host=LOOPBACK, port=running.ports["replica"], user=SUPERUSER, password=password, database="postgres"
        )
    except (OSError, KeyError, asyncpg.PostgresError) as error:
        raise StartError("This system has no replica that answers. Start one: make up REPLICAS=1") from error
    try:
        behind = await connection.fetchval("SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())")
        await connection.execute(f"ALTER SYSTEM SET recovery_min_apply_delay = '{int(seconds * 1000)}ms'")
        await connection.execute("SELECT pg_reload_conf()")
        return float(behind or 0.0)
    finally:
        await connection.close()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make lag", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder (DATA=)")
    parser.add_argument("--seconds", type=float, required=True, help="how far it is behind (SECONDS=5)")
    asked = parser.parse_args()
    if not 0 <= asked.seconds <= LONGEST_SECONDS:
        parser.error(f"SECONDS= is a number from 0 to {LONGEST_SECONDS:g}, such as SECONDS=5")
    try:
        asyncio.run(set_lag(Running.find(asked.data), asked.seconds))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    print(f"The replica is {asked.seconds:g} s behind from now on. Who changes something sees it at once all the same.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
