"""What the kernel and the servers know of a running system, whatever its version: processor time, memory, statements, mails, requests."""

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

TICKS = os.sysconf("SC_CLK_TCK")
# The processor time of these is not counted to a purchase: they stand for machines of others.
SIMULATED = frozenset({"bank", "mailbox", "smtp", "traces", "otlp"})
_EXECUTED = re.compile(r"LOG:  (?:execute|statement)")
_ASKS_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Reading:
    """Processes by name: `services`, `postgres`, ...; each with all that it has started."""

    run_file: Path

    @property
    def told(self) -> dict[str, Any]:
        """What `make up` wrote of itself."""
        found: dict[str, Any] = json.loads(self.run_file.read_text())
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time until now, by name."""
        return {name: sum(map(_cpu_seconds, pids)) for name, pids in self._by_name().items()}

    def memory_mib(self) -> dict[str, float]:
        """Proportional set size, by name: pages that several processes share are counted once."""
        return {name: sum(map(_memory_mib, pids)) for name, pids in self._by_name().items()}

    def _by_name(self) -> dict[str, list[int]]:
        told = self.told
        listeners = _listeners()
        names = {listeners[port]: name for name, port in told["ports"].items() if port in listeners}
        found: dict[str, list[int]] = {name: [] for name in names.values()}
        found["supervision"] = []
        for pid, name in _named(int(told["pid"]), names, "supervision"):
            found[name].append(pid)
        return found

    async def statements_logged(self, on: bool) -> None:
        """From now on Postgres writes each statement to its log, or none any more."""
        connection = await self._postgres()
        await connection.execute(f"ALTER SYSTEM SET log_statement = '{'all' if on else 'none'}'")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

    def statements(self) -> int:
        """How many are in the log by now, BEGIN and COMMIT too."""
        log = self.run_file.parent / "postgres" / "log"
        return sum(1 for line in log.read_text(errors="replace").splitlines() if _EXECUTED.search(line))

    async def captured(self) -> tuple[int, int]:
        """What the books of payments say: payments that were captured, and their sum in minor units."""
        connection = await self._postgres("onsale_payments")
        row = await connection.fetchrow(
            "SELECT count(*), coalesce(sum(amount_minor), 0) FROM payment WHERE state = 'captured'"
        )
        await connection.close()
        return (int(row[0]), int(row[1])) if row is not None else (0, 0)

    async def _postgres(self, database: str = "postgres") -> asyncpg.Connection:
        password = (self.run_file.parent / "postgres" / "password").read_text().strip()
        port = self.told["ports"]["postgres"]
        return await asyncpg.connect(host="127.0.0.1", port=port, user="postgres", password=password, database=database)

    def mails(self) -> dict[str, float]:
        """By address: when its mail with a PDF came, in seconds since the epoch. Raises ValueError if one came twice."""
        return mails_in(self.run_file.parent / "mailbox")

    def requests_between(self, trace_id: str, services: Mapping[str, object]) -> int:
        """How many requests of a trace one service answered another one; those of people and of the bank are not counted."""
        url = f"{self.told['addresses']['traces']}/api/traces/{trace_id}"
        trace = httpx.get(url, timeout=_ASKS_ANSWER_SECONDS).raise_for_status().json()["data"][0]
        names = {key: process["serviceName"] for key, process in trace["processes"].items()}
        return sum(
            1
            for span in trace["spans"]
            if names[span["processID"]] in services
            and names[span["processID"]] != "web"
            and "webhook" not in span["operationName"]
            and any(tag["key"] == "span.kind" and tag["value"] == "server" for tag in span["tags"])
        )


def mails_in(mailbox: Path) -> dict[str, float]:
    """By address: when its mail with a PDF came into that folder, in seconds since the epoch. Raises ValueError if one came twice."""
    file = next(mailbox.glob("*.sqlite"))
    query = """
        SELECT address, count(*), max(received_at) FROM message JOIN recipient ON message_id = id
        WHERE instr(content, 'application/pdf') > 0 GROUP BY address
    """
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        rows = database.execute(query).fetchall()
    if twice := [address for address, number, _ in rows if number > 1]:
        raise ValueError(f"The tickets were sent twice to {twice[0]}, and to {len(twice) - 1} others.")
    return {address: datetime.fromisoformat(came).timestamp() for address, _, came in rows}


def machine_cpu_seconds() -> float:
    """What all processes of this machine took until now, on all cores."""
    user, nice, system, _idle, _waits, irq, soft_irq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, soft_irq))) / TICKS


def tree_cpu_seconds(root: int) -> float:
    """User and system time until now of a process and all that it has started."""
    return sum(_cpu_seconds(pid) for pid, _ in _named(root, {}, ""))


def _named(root: int, names: Mapping[int, str], otherwise: str) -> Iterator[tuple[int, str]]:
    """A process and all below it, each with the name of the nearest above it that has one."""
    name = names.get(root, otherwise)
    yield root, name
    for child in _children(root):
        yield from _named(child, names, name)


def _children(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(each) for each in file.read_text().split()]
        except OSError:
            continue  # a thread that has ended
    return found


def _cpu_seconds(pid: int) -> float:
    """Of a process, and of those that it started and that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it has just ended, and is counted by who started it
    return sum(map(int, fields[11:15])) / TICKS


def _memory_mib(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def _listeners() -> dict[int, int]:
    """Which process listens on a TCP port of this machine."""
    ports = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            ports[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    found: dict[int, int] = {}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            inode = os.readlink(link)
        except OSError:
            continue
        if inode.startswith("socket:[") and inode[8:-1] in ports:
            pid = int(link.parts[2])
            port = ports[inode[8:-1]]
            # A server's children have its socket too.
            found[port] = min(pid, found.get(port, pid))
    return found
