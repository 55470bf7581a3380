"""A short rehearsal: sixty people want twenty places, each in their own way, and exactly twenty are sold."""

import asyncio
import json
from pathlib import Path

import pytest

from local.system import System
from rehearsal.audit.auditor import audit
from rehearsal.audit.sources import Sources
from rehearsal.crowd.driver import rehearse
from rehearsal.crowd.plan import crowd_of
from rehearsal.crowd.record import End
from rehearsal.event import make_event
from rehearsal.report.page import page_of
from rehearsal.report.words import Told, headline
from tests.system.conftest import HASTE

pytestmark = pytest.mark.system

BUYERS, PLACES = 60, 20
HOLD_SECONDS = float(HASTE["orders"]["ORDERS_HOLD_TTL_SECONDS"])
SPREAD_SECONDS = 5.0
AT_MOST_SECONDS = 150.0


async def test_a_short_rehearsal_sells_exactly_its_places_and_keeps_every_promise(
    fragile_system: System, tmp_path: Path
) -> None:
    system = fragile_system
    shop = system.addresses["web"]
    event_id = await make_event(system.load, shop, PLACES)
    said: list[str] = []
    rehearsed = await rehearse(
        crowd_of(BUYERS, 1, SPREAD_SECONDS),
        shop,
        event_id,
        PLACES,
        hold_seconds=HOLD_SECONDS,
        at_most_seconds=AT_MOST_SECONDS,
        log=tmp_path / "told.jsonl",
        say=said.append,
    )
    found = await audit(Sources.of(system), log=rehearsed.log, rest_seconds=60, also_buyers=True)
    assert found.findings == []
    told = [json.loads(line) for line in rehearsed.log.read_text().splitlines()]
    assert sum(each["places"] for each in told if each["told"] == "confirmed") == rehearsed.record.sold == PLACES
    assert found.counts["acknowledgements"] == len(told) > PLACES
    ends = rehearsed.record.ends
    assert sum(ends.values()) == BUYERS
    assert ends[End.SOLD_OUT] > 0
    assert (ends[End.FAILED], ends[End.NOT_SERVED]) == (0, 0), rehearsed.record.faults
    assert f"{PLACES}/{PLACES} places sold" in said[-1]
    report = Told(rehearsed, 1, HOLD_SECONDS, found, system.addresses["traces"])
    page = await asyncio.to_thread(page_of, report)
    assert headline(report) == f"Sold exactly {PLACES} places to {BUYERS} people."
    assert f"{system.addresses['traces']}/trace/" in page
