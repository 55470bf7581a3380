"""Remembered work: rows that say that something is to be done, by when, and what came of each try. One kind for all services.

A `Queue` names the rows of a service's own table that are work. A worker claims those that are due, for the time of a lease and
under a new fence; while it works no transaction is open. Whoever finishes or puts off compares the fence in the same statement:
a worker that slept through its lease changes nothing. A try that came to nothing is written down with its span and with when it
is tried again (`work_attempt`); who asks why something waits reads that, and never a log (chassis/late.py).
"""

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.db import Transaction
from chassis.statements import Result, Row, text
from tracing.spans import current_traceparent

# Attempts that are kept of one piece of work: one that is tried for weeks must not fill the table.
ATTEMPTS_KEPT = 50
# Many that failed together should not come back together.
JITTER = (0.8, 1.2)


@dataclass(frozen=True)
class Columns:
    """What a table calls the columns of its work, where it is older than this module."""

    due: str = "due_at"
    leased: str = "leased_until"
    fence: str = "fence"
    tries: str = "tries"
    problem: str = "problem"


@dataclass(frozen=True)
class Backoff:
    """How long to wait after a try that came to nothing: doubled each time, up to `longest_seconds`."""

    first_seconds: float
    longest_seconds: float

    def after(self, attempt: int) -> float:
        """Seconds after try number `attempt` (from 1), with jitter."""
        pause = min(self.first_seconds * 2.0 ** min(attempt - 1, 60), self.longest_seconds)
        return pause * random.uniform(*JITTER)  # noqa: S311  # jitter is no secret


@dataclass(frozen=True)
class Queue:
    """One kind of remembered work.

    `name` is also its span's and its metrics'. `waits`: the SQL condition of the rows that are work, as their partial index
    has it. `dead`: of those that were given up, and `dead_at` since when. `since`: since when it has been wanted. `about`: whose
    it is, as far as people ask (an order's id), and `traceparent` where it began: columns, or SQL that finds them. `go_on` says
    in a sentence what somebody can do about one that is stuck. `read` is SQL that reads what is worked on from the rows that were
    just leased, `leased`, so that nobody has to read it again; it has key, fence and tries in it.
    """

    name: str
    table: str
    key: str
    waits: str
    go_on: str
    lease_seconds: float
    batch: int = 20
    columns: Columns = field(default_factory=Columns)
    since: str = "created_at"
    about: str = "order_id"
    traceparent: str = "traceparent"
    dead: str | None = None
    dead_at: str = "created_at"
    read: str = "SELECT * FROM leased"


@dataclass(frozen=True)
class Work:
    """A piece of work that is leased to this process. `attempt` counts from 1 and includes the present try.

    `row`: what its queue reads of it, if it was claimed or taken here.
    """

    key: Any
    fence: int
    attempt: int
    row: Row | None = None


async def claim(tx: Transaction, queue: Queue, limit: int | None = None) -> list[Work]:
    """Leases up to `limit` pieces of work that are due; what another process is taking at this moment is passed over."""
    parameters = {"lease": queue.lease_seconds, "limit": limit or queue.batch}
    return _leased(queue, await tx.execute(text(_claim(queue)), parameters, name=f"{queue.name}.claim"))


async def due(tx: Transaction, queue: Queue) -> list[Row]:
    """What is due, without leasing it: for whoever takes each in a span of its own. A bounded number, the longest due first."""
    c = queue.columns
    statement = f"""
        SELECT * FROM {queue.table} WHERE {is_due(queue)} ORDER BY {c.due} LIMIT :limit
    """  # noqa: S608  # names from this project's code
    return list((await tx.execute(text(statement), {"limit": queue.batch}, name=f"{queue.name}.due")).mappings())


async def take(
    tx: Transaction,
    queue: Queue,
    key: Any,
    *,
    from_others: bool = False,
    is_noted: bool = True,
    only: str = "true",
    **values: Any,
) -> Work | None:
    """Leases this one, due or not. None if there is nothing to do.

    That its try begins is written down in the current span, unless it need not be (`is_noted`).

    Likewise if somebody is at it, unless it may be taken `from_others`: that is for what is safe to do twice at once; and if it
    is not what is wanted: `only` is a condition in SQL, with its `values`.
    """
    parameters = values | {"lease": queue.lease_seconds, "key": key, "traceparent": current_traceparent()}
    statement = text(_take(queue, only, from_others=from_others, kept=ATTEMPTS_KEPT if is_noted else 0))
    return next(iter(_leased(queue, await tx.execute(statement, parameters, name=f"{queue.name}.take"))), None)


async def finish(tx: Transaction, queue: Queue, work: Work, outcome: str, assignments: str, **values: Any) -> bool:
    """Writes what came of it, in SQL (`state = 'sent', sent_at = now()`). False if the lease was lost to another process."""
    return await _end(tx, queue, work, outcome, assignments, "NULL", values, name="finish")


async def give_up(tx: Transaction, queue: Queue, work: Work, problem: str, assignments: str, **values: Any) -> bool:
    """The same for what comes to nothing, for ever. `problem`: why, without personal data."""
    c = queue.columns
    assignments = f"{assignments}, {c.problem} = :problem"
    return await _end(tx, queue, work, "given_up", assignments, "NULL", values | {"problem": problem}, name="give_up")


async def put_off(tx: Transaction, queue: Queue, work: Work, problem: str, seconds: float, outcome: str = "") -> bool:
    """It came to nothing, and is due again after `seconds`. `problem`: why, as a code or in words without personal data."""
    c = queue.columns
    assignments = f"{c.due} = now() + make_interval(secs => :seconds), {c.problem} = :problem"
    values = {"seconds": seconds, "problem": problem}
    return await _end(tx, queue, work, outcome or "put_off", assignments, "due", values, name="put_off")


async def wait(tx: Transaction, queue: Queue, work: Work, until: datetime | float, why: str | None = None) -> bool:
    """It is due at a moment, or after so many seconds; this was no try. `why` it waits, in words without personal data."""
    c = queue.columns
    due = "CAST(:until AS timestamptz)" if isinstance(until, datetime) else "now() + make_interval(secs => :until)"
    statement = f"""
        UPDATE {queue.table} SET {c.due} = {due}, {c.leased} = NULL, {c.tries} = {c.tries} - 1, {c.problem} = :why
        WHERE {_ours(queue)}
    """  # noqa: S608  # names from this project's code
    parameters = {"key": work.key, "fence": work.fence, "until": until, "why": why}
    return (await tx.execute(text(statement), parameters, name=f"{queue.name}.wait")).rowcount == 1


async def let_go(tx: Transaction, queue: Queue, work: Work) -> bool:
    """The next one may claim it at once; this was no try."""
    c = queue.columns
    statement = f"UPDATE {queue.table} SET {c.leased} = NULL, {c.tries} = {c.tries} - 1 WHERE {_ours(queue)}"  # noqa: S608
    parameters = {"key": work.key, "fence": work.fence}
    return (await tx.execute(text(statement), parameters, name=f"{queue.name}.let_go")).rowcount == 1


async def make_due(tx: Transaction, queue: Queue, condition: str, **values: Any) -> None:
    """Lets a worker look at work now, whoever holds its lease: what there is to do has changed.

    Several rows are locked in the order of their keys: two who want the same ones wait for each other, and not both for ever.
    """
    c = queue.columns
    statement = f"""
        UPDATE {queue.table} AS own SET {c.due} = now(), {c.leased} = NULL
        FROM (
            SELECT {queue.key} AS key FROM {queue.table} WHERE ({queue.waits}) AND ({condition})
            ORDER BY {queue.key} FOR UPDATE
        ) AS locked
        WHERE own.{queue.key} = locked.key
    """  # noqa: S608  # names from this project's code
    await tx.execute(text(statement), values, name=f"{queue.name}.make_due")


def is_due(queue: Queue) -> str:
    """SQL that is true of a row which is to be done now, and which nobody holds."""
    return f"({queue.waits}) AND {queue.columns.due} <= now() AND {_free(queue)}"


def noted(queue: Queue, rows: str, kept: int = ATTEMPTS_KEPT) -> str:
    """SQL that writes down that the tries of rows begin: for a statement that leases them. Its parameter: `:traceparent`."""
    c = queue.columns
    return f"""
        INSERT INTO work_attempt (queue, key, attempt, fence, traceparent)
        SELECT '{queue.name}', CAST({queue.key} AS text), {c.tries}, {c.fence}, CAST(:traceparent AS text)
        FROM {rows} WHERE {c.tries} <= {kept}
    """  # noqa: S608  # names from this project's code


def _claim(queue: Queue) -> str:
    c = queue.columns
    return f"""
        WITH leased AS (
            UPDATE {queue.table} SET {_lease(queue)} WHERE {queue.key} IN (
                SELECT {queue.key} FROM {queue.table}
                WHERE {is_due(queue)}
                ORDER BY {c.due} LIMIT :limit FOR UPDATE SKIP LOCKED
            )
            RETURNING *
        )
        {queue.read}
    """  # noqa: S608  # names from this project's code


def _take(queue: Queue, only: str, *, from_others: bool, kept: int) -> str:
    free = "true" if from_others else _free(queue)
    return f"""
        WITH leased AS (
            UPDATE {queue.table} SET {_lease(queue)} WHERE {queue.key} = :key AND ({queue.waits}) AND {free} AND ({only})
            RETURNING *
        ), noted AS ({noted(queue, "leased", kept)})
        {queue.read}
    """  # noqa: S608  # names from this project's code


def _lease(queue: Queue) -> str:
    c = queue.columns
    until = "now() + make_interval(secs => :lease)"
    return f"{c.leased} = {until}, {c.fence} = {c.fence} + 1, {c.tries} = {c.tries} + 1"


def _free(queue: Queue) -> str:
    return f"({queue.columns.leased} IS NULL OR {queue.columns.leased} < now())"


def _ours(queue: Queue) -> str:
    return f"{queue.key} = :key AND {queue.columns.fence} = :fence AND ({queue.waits})"


def _leased(queue: Queue, found: Result) -> list[Work]:
    c = queue.columns
    return [Work(row[queue.key], row[c.fence], row[c.tries], row) for row in found.mappings()]


async def _end(
    tx: Transaction,
    queue: Queue,
    work: Work,
    outcome: str,
    assignments: str,
    again_at: str,
    values: dict[str, Any],
    *,
    name: str,
) -> bool:
    """In one statement with what support reads of this try: its end is added to its beginning, if `take` has noted one."""
    c = queue.columns
    statement = f"""
        WITH ended AS (
            UPDATE {queue.table} SET {c.leased} = NULL, {assignments} WHERE {_ours(queue)}
            RETURNING CAST({queue.key} AS text) AS key, {c.due} AS due
        ), noted AS (
            INSERT INTO work_attempt (queue, key, attempt, fence, ended_at, outcome, problem, again_at, traceparent)
            SELECT '{queue.name}', key, CAST(:attempt AS integer), CAST(:fence AS integer), now(), CAST(:outcome AS text),
                CAST(:attempt_problem AS text), {again_at}, CAST(:traceparent AS text)
            FROM ended WHERE CAST(:attempt AS integer) <= {ATTEMPTS_KEPT}
            ON CONFLICT (queue, key, fence) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome,
                problem = excluded.problem, again_at = excluded.again_at
        )
        SELECT key FROM ended
    """  # noqa: S608  # names from this project's code
    parameters = values | {
        "key": work.key,
        "fence": work.fence,
        "attempt": work.attempt,
        "outcome": outcome,
        "attempt_problem": values.get("problem"),
        "traceparent": current_traceparent(),
    }
    return (await tx.execute(text(statement), parameters, name=f"{queue.name}.{name}")).first() is not None
