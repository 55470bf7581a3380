"""The books of a whole system, as tests read them: the auditor looks, and its findings are sentences."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import asyncpg

from local.system import System
from local.topology import database_of
from rehearsal.audit.auditor import audit
from rehearsal.audit.model import Audit
from rehearsal.audit.sources import Sources

# Twice a lease: what a killed process was at is nobody else's for so long.
REST_SECONDS = 60.0


@dataclass(frozen=True)
class Books:
    """What the databases and the bank say about orders, read once nothing was under way.

    `open_orders` are those that wait for their buyer: none after all buyers have gone and holds have ended.
    """

    wrong: list[str]
    open_orders: list[str]
    confirmed: int
    cancelled: int


async def read_books(system: System) -> Books:
    """Waits until nothing is under way, and lists every sentence that is not true."""
    found = await audit(Sources.of(system), rest_seconds=REST_SECONDS)
    query = "SELECT number, state FROM purchase_order WHERE state NOT IN ('confirmed', 'cancelled')"
    open_orders = [f"{row['number']} {row['state']}" for row in await rows(system, "orders", query)]
    return Books(found.findings, open_orders, found.counts["confirmed"], found.counts["cancelled"])


def assert_promises_hold(system: System) -> None:
    """For the end of a system, when tests have done all that they do to it. A thread has its own loop: Playwright keeps one here."""
    found = _in_a_thread(audit(Sources.of(system), rest_seconds=REST_SECONDS))
    assert not found.findings, "\n".join(found.findings)


def _in_a_thread(work: Coroutine[Any, Any, Audit]) -> Audit:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def rows(system: System, service: str, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """Rows of a service's database, read as the superuser."""
    connection = await asyncpg.connect(system.postgres.url(database=database_of(service)))
    try:
        return [dict(row) for row in await connection.fetch(query, *parameters)]
    finally:
        await connection.close()
