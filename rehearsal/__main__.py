"""`make rehearse`: a crowd buys an event of its own in the shop, then the auditor looks, then a report says how it went.

The exit code: 0 if no promise is broken and all places are sold that somebody wanted, 1 if not, 2 if it could not be tried.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import httpx

from local.errors import StartError
from local.verify_queue import NotReadable
from rehearsal.audit.__main__ import CANNOT_LOOK
from rehearsal.audit.auditor import audit
from rehearsal.audit.model import Audit
from rehearsal.crowd.driver import Rehearsed, rehearse
from rehearsal.crowd.plan import Person, crowd_of
from rehearsal.crowd.record import End, Record
from rehearsal.event import make_event
from rehearsal.lots import drawn_again, fingerprint
from rehearsal.report.page import page_of
from rehearsal.report.words import Told, render
from rehearsal.sale import Door, waiting_room, watch_rate
from rehearsal.venue import Venue, venue

MOST = 100_000
# On average, unless SPREAD says otherwise: of people who buy at once, and of those who join a queue.
ARRIVALS_A_SECOND, JOINS_A_SECOND = 10.0, 40.0
LEAST_SPREAD_SECONDS = 5.0
# Between the last of those who come early and the draw.
BEFORE_THE_DRAW_SECONDS = 5.0
REST_SECONDS = 60.0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    chosen = _arguments(arguments)
    folder = (chosen.out or chosen.data / "rehearsals") / time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    try:
        with venue(chosen.data, chosen.hold, chosen.url, chosen.key) as found:
            told = asyncio.run(_rehearse(chosen, found, folder))
    except (StartError, NotReadable) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped before its end: there is no report.", file=sys.stderr)
        return 2
    except (aiohttp.ClientError, httpx.HTTPError, *CANNOT_LOOK) as error:
        print(
            f"The shop or its databases do not answer ({type(error).__name__}: {error}). Does it run?", file=sys.stderr
        )
        return 2
    page = folder / "report.html"
    page.write_text(page_of(told), encoding="utf-8")
    print(render(told))
    print(f"\n  report            {page}\n  acknowledgements  {told.rehearsed.log}")
    return 0 if _is_good(told) else 1


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="the data folder of a running system; one is started if none runs")
    add("--buyers", type=_number, default=200, help="how many people come (BUYERS=)")
    add("--places", type=_number, default=50, help="how many places there are (PLACES=)")
    add("--url", default="", help="the shop of another system (URL=), with EVENT=")
    add("--event", default="", help="the id of an event there, with one class and PLACES free places (EVENT=)")
    add("--key", default="", help="its support key (KEY=): with it a waiting room is announced for the event")
    add("--queue", choices=("0", "1"), default="1", help="0: there is no waiting room, and all come at once (QUEUE=)")
    add("--rate", type=_number, default=600, help="people let in a minute, at most (RATE=)")
    add("--inside", type=_number, default=120, help="people inside at the same time, at most (INSIDE=)")
    add("--seed", type=int, default=1, help="who comes, and when (SEED=)")
    add("--spread", type=float, help="within how many seconds they come (SPREAD=)")
    add("--hold", type=float, default=40.0, help="seconds that places are held; of URL=: are known to be (HOLD=)")
    add("--minutes", type=float, default=20.0, help="after which it ends, whoever is still there (MINUTES=)")
    add("--out", type=Path, help="where reports are written (OUT=); beside the data if not said")
    chosen = parser.parse_args(arguments)
    if bool(chosen.url) != bool(chosen.event):
        parser.error("URL= and EVENT= belong together: an event cannot be made in a shop of somebody else")
    if chosen.key and not chosen.url:
        parser.error("KEY= belongs to URL=: the key of a shop on this machine is known")
    if chosen.spread is None:
        a_second = JOINS_A_SECOND if chosen.queue == "1" else ARRIVALS_A_SECOND
        chosen.spread = max(LEAST_SPREAD_SECONDS, chosen.buyers / a_second)
    return chosen


def _number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"it is a number from 1 to {MOST}, not {text!r}")
    return int(text)


async def _rehearse(chosen: argparse.Namespace, where: Venue, folder: Path) -> Told:
    event_id = chosen.event
    if where.load is not None:
        event_id = await make_event(where.load, where.shop, chosen.places)
    async with _doors(chosen, where, event_id) as (people, door):
        print(f"{_who_comes(chosen, people, door)}: {where.shop}/events/{event_id}")
        noted = await fingerprint(where.shop, event_id) if door else ""
        rehearsed = await rehearse(
            people,
            where.shop,
            event_id,
            chosen.places,
            hold_seconds=chosen.hold,
            at_most_seconds=60 * chosen.minutes,
            log=folder / "told.jsonl",
            beside=_watching(where, event_id) if door else None,
        )
        lots = await drawn_again(where.shop, event_id, noted) if door else None
        found = await _look(where, rehearsed, chosen.hold)
    return Told(rehearsed, chosen.seed, chosen.hold, found, where.traces, door, lots)


@contextlib.asynccontextmanager
async def _doors(
    chosen: argparse.Namespace, where: Venue, event_id: str
) -> AsyncIterator[tuple[list[Person], Door | None]]:
    """Who comes, and how they are let in: by a waiting room that is announced now and closed afterwards, or at once."""
    if chosen.queue == "0" or not where.key:
        yield crowd_of(chosen.buyers, chosen.seed, chosen.spread), None
        return
    start_seconds = chosen.spread + BEFORE_THE_DRAW_SECONDS
    door = Door(chosen.rate, chosen.inside)
    async with waiting_room(where.shop, where.key, event_id, door, start_seconds):
        yield crowd_of(chosen.buyers, chosen.seed, chosen.spread, start_seconds), door


def _watching(where: Venue, event_id: str) -> Callable[[Record], Awaitable[None]]:
    async def watch(record: Record) -> None:
        await watch_rate(where.shop, where.key, event_id, lambda rate: record.allowed.append((record.now, rate)))

    return watch


def _who_comes(chosen: argparse.Namespace, people: list[Person], door: Door | None) -> str:
    wish = f"for {chosen.places:,} places"
    if door is None:
        return f"{len(people):,} people come within {chosen.spread:.0f} s {wish}"
    early = sum(each.arrives_after_seconds <= chosen.spread for each in people)
    return (
        f"{early:,} people join the queue within {chosen.spread:.0f} s {wish} and {len(people) - early:,} after the draw; "
        f"at most {door.rate:,} a minute are let in, {door.inside:,} are inside"
    )


async def _look(where: Venue, rehearsed: Rehearsed, hold_seconds: float) -> Audit | None:
    """The audit, once the last hold has ended and all that was bought is sent."""
    if where.sources is None:
        return None
    print("Waiting until the last holds have ended ...")
    rest_seconds = hold_seconds + REST_SECONDS + rehearsed.record.sold / 20
    return await audit(where.sources, log=rehearsed.log, rest_seconds=rest_seconds, also_buyers=True)


def _is_good(told: Told) -> bool:
    """No promise is broken, lots were drawn as was said, and nobody went without while places were left."""
    record = told.rehearsed.record
    wanted_more = record.ends[End.SOLD_OUT] + record.ends[End.NOT_SERVED] > 0
    all_sold = record.sold == record.places or (record.sold < record.places and not wanted_more)
    is_fair = told.lots is None or told.lots.is_right
    return all_sold and is_fair and (told.audit is None or not told.audit.broken)


if __name__ == "__main__":
    sys.exit(main())
