"""Lets a crowd loose on a shop, shows how far it is, and ends it in time."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from rehearsal.crowd.buyer import RehearsedBuyer, Stage
from rehearsal.crowd.lobby import Lobby
from rehearsal.crowd.plan import Person
from rehearsal.crowd.record import End, Record
from rehearsal.crowd.told import ToldLog

ANSWER_SECONDS = 60.0
CONNECTIONS = 1000
SHOW_SECONDS = (1.0, 10.0)  # on a terminal, and in a file
RECENT_REQUESTS = 500


@dataclass(frozen=True)
class Rehearsed:
    """What a crowd came to."""

    people: list[Person]
    record: Record
    log: Path
    seconds: float


async def rehearse(
    people: list[Person],
    shop: str,
    event_id: str,
    places: int,
    *,
    hold_seconds: float,
    at_most_seconds: float,
    log: Path,
    say: Callable[[str], None] = print,
    beside: Callable[[Record], Awaitable[None]] | None = None,
) -> Rehearsed:
    """All of them come and go, through the waiting room if the event has one.

    Who is still there after `at_most_seconds` could not be served in time. `beside` runs as long as the crowd is there.
    """
    record = Record(shop, places)
    async with stage_for(record, event_id, hold_seconds, log) as stage:
        visits = [asyncio.create_task(_visit(stage, person)) for person in people]
        others = [asyncio.ensure_future(_show(record, len(people), say))]
        if beside is not None:
            others.append(asyncio.ensure_future(beside(record)))
        try:
            _, late = await asyncio.wait(visits, timeout=at_most_seconds)
        finally:  # also when somebody presses Ctrl-C: nobody is left who would use a connection that is closed
            for each in (*others, *visits):
                each.cancel()
            await asyncio.gather(*others, *visits, return_exceptions=True)
        record.ends[End.NOT_SERVED] += len(late)
        seconds = record.now
    say(progress(record, len(people)))
    if late:
        say(
            f"Stopped after {at_most_seconds:.0f} s, with {len(late):,} people still there. MINUTES= gives them longer."
        )
    return Rehearsed(people, record, log, seconds)


@asynccontextmanager
async def stage_for(record: Record, event_id: str, hold_seconds: float, log: Path) -> AsyncIterator[Stage]:
    """What a crowd shares: connections, the log of what they were told, and their view of the waiting room."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with (
        ToldLog(log) as told,
        aiohttp.ClientSession(timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        event_url = f"{record.shop}/events/{event_id}"
        lobby = Lobby(http, event_url, record)
        watching = asyncio.create_task(lobby.watch())
        try:
            yield Stage(http, event_url, hold_seconds, record, told, lobby)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _visit(stage: Stage, person: Person) -> None:
    await asyncio.sleep(person.arrives_after_seconds)
    stage.record.arrived += 1
    end = await RehearsedBuyer(stage, person).visit()
    stage.record.ends[end] += 1


async def _show(record: Record, buyers: int, say: Callable[[str], None]) -> None:
    on_terminal = sys.stdout.isatty()
    while True:
        await asyncio.sleep(SHOW_SECONDS[0] if on_terminal else SHOW_SECONDS[1])
        say(progress(record, buyers))


def progress(record: Record, buyers: int) -> str:
    """How far it is, in a line."""
    recent = record.requests[-RECENT_REQUESTS:]
    slow = sorted(each.seconds for each in recent)
    p99 = slow[len(slow) * 99 // 100] * 1000 if slow else 0.0
    errors = sum(each.is_error for each in recent)
    ended = sum(record.ends.values())
    queue = f"{record.waiting} wait, {record.inside} inside, serving {record.seen[-1].serving}  " if record.seen else ""
    return (
        f"{record.now:6.0f} s  {record.arrived}/{buyers} came, {record.arrived - ended} are here  {queue}"
        f"{record.sold}/{record.places} places sold  p99 {p99:.0f} ms  {errors} errors of the last {len(recent)} requests"
    )
