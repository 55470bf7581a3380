"""Remembered work that is late: what waits, for how long, why, and how to go on. `/work` answers it, `make stuck` collects it.

Late is what should have been done for a while: no worker has taken it, or its tries come to nothing, or it was given up. What
waits for a person, as an order whose buyer is at the bank, is not late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause

from chassis.db import Database
from chassis.statements import Row, text
from chassis.watching import Watch
from chassis.work import Columns, Queue
from tracing.instruments import WORK_AGE, WORK_GIVEN_UP, WORK_LATE
from tracing.spans import trace_id_of

LATE_SECONDS = 60
MOST = 100
# Work that was given up longer ago is not shown any more.
GIVEN_UP_DAYS = 14

OUTBOX = Queue(
    name="outbox",
    table="outbox",
    key="event_id",
    waits="published_at IS NULL",
    columns=Columns(
        due="created_at", leased="claimed_until", fence="publications", tries="publications", problem="NULL"
    ),
    about="aggregate_id",
    lease_seconds=0,
    go_on="Look whether NATS runs and lets this service in: facts leave by themselves once it does.",
)
LETTERS = Queue(
    name="dead_letters",
    table="dead_letter",
    key="message_id",
    waits="false",
    dead="true",
    dead_at="died_at",
    since="died_at",
    columns=Columns(
        due="died_at", leased="died_at", fence="deliveries", tries="deliveries", problem="'could not take effect'"
    ),
    about="aggregate_id",
    lease_seconds=0,
    go_on="Its row in dead_letter has the reason and the body: mend the cause, then tell the fact again.",
)


@dataclass(frozen=True)
class Late:
    """One piece of work. `state`: untaken, failing, under_way or given_up; `why` and `go_on` are sentences for people."""

    queue: str
    key: str
    about: str | None
    state: str
    since: datetime
    due_at: datetime | None
    tries: int
    problem: str | None
    trace_id: str | None
    why: str
    go_on: str


async def late_work(
    remembered: Mapping[Database, Sequence[Queue]], older_seconds: int = LATE_SECONDS
) -> list[dict[str, Any]]:
    """What is late in these databases, the longest first, a bounded number of each queue. Raises as `Database.look` does.

    `older_seconds`: for how long it should have been done by now.
    """
    found: list[Late] = []
    for database, queues in remembered.items():
        for queue in (*queues, OUTBOX, LETTERS):
            rows = await database.look(_listing(queue, older_seconds), name=f"{queue.name}.late")
            found += [_late(queue, row) for row in rows]
    return [asdict(each) for each in sorted(found, key=lambda each: each.since)]


def watch_of(queues: Sequence[Queue]) -> Watch:
    """How much of each queue is late and since when, as metrics: one statement for all of them."""
    counts = " UNION ALL ".join(_counting(queue) for queue in queues)
    shows = {"late": WORK_LATE, "age": WORK_AGE, "given_up": WORK_GIVEN_UP}
    return Watch("metrics.late_work", text(counts), shows, {"queue": "onsale.queue"})


def _is_late(queue: Queue, older_seconds: int = LATE_SECONDS) -> str:
    c = queue.columns
    then = f"now() - interval '{older_seconds:d} seconds'"
    return f"({queue.waits}) AND {queue.since} < {then} AND ({c.due} < {then} OR {c.problem} IS NOT NULL)"


def _is_dead(queue: Queue) -> str:
    return f"({queue.dead or 'false'}) AND {queue.dead_at} > now() - interval '{GIVEN_UP_DAYS} days'"


def _listing(queue: Queue, older_seconds: int) -> TextClause:
    c = queue.columns
    what = f"""
        CAST({queue.key} AS text) AS key, CAST({queue.about} AS text) AS about, {queue.since} AS since, {c.due} AS due_at,
        {c.tries} AS tries, CAST({c.problem} AS text) AS problem,
        {queue.traceparent} AS traceparent
    """
    dead = f"""
        UNION ALL
        (SELECT {what}, 'given_up' FROM {queue.table} WHERE {_is_dead(queue)} ORDER BY {queue.dead_at} DESC LIMIT {MOST})
    """  # noqa: S608  # names from this project's code
    return text(f"""
        (SELECT {what}, CASE WHEN {c.leased} >= now() THEN 'under_way' WHEN {c.problem} IS NULL THEN 'untaken' ELSE 'failing' END
            AS state
         FROM {queue.table} WHERE {_is_late(queue, older_seconds)} ORDER BY {c.due} LIMIT {MOST})
        {dead if queue.dead else ""}
    """)  # noqa: S608  # names from this project's code


def _counting(queue: Queue) -> str:
    c = queue.columns
    given_up = f"(SELECT count(*) FROM {queue.table} WHERE {_is_dead(queue)})" if queue.dead else "0"  # noqa: S608
    return f"""
        SELECT '{queue.name}' AS queue, count(*) AS late, EXTRACT(EPOCH FROM COALESCE(now() - min(since), interval '0')) AS age,
            {given_up} AS given_up
        FROM (SELECT {queue.since} AS since FROM {queue.table} WHERE {_is_late(queue)} ORDER BY {c.due} LIMIT 10000) AS first
    """  # noqa: S608  # names from this project's code


def _late(queue: Queue, row: Row) -> Late:
    columns = {name: row[name] for name in ("key", "about", "state", "since", "due_at", "tries", "problem")}
    due = row["due_at"] if row["state"] != "given_up" else None
    trace_id = trace_id_of(row["traceparent"])
    return Late(**columns | {"due_at": due}, queue=queue.name, trace_id=trace_id, why=_why(row), go_on=queue.go_on)


def _why(row: Row) -> str:
    tries, problem = row["tries"], row["problem"]
    tried = "once" if tries == 1 else f"{tries} times"
    again = f"It goes on at {row['due_at']:%H:%M:%S} UTC, by itself."
    match row["state"]:
        case "given_up":
            return f"It was tried {tried} and given up: {problem}."
        case "under_way":
            return f"It is being tried now, for the {tries}. time" + (f"; before: {problem}." if problem else ".")
        case "failing":
            return (
                f"It was tried {tried}, the last time: {problem}. {again}" if tries else f"It waits: {problem}. {again}"
            )
    return "It is due, and no worker has taken it: the service may not run, be too busy, or wait for its database."
