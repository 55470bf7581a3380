"""A short rehearsal by way of a waiting room: thirty people draw lots for ten places, and exactly ten are sold, to those inside."""

import asyncio
from pathlib import Path

import pytest

from local.provision import make_secrets
from local.system import System
from rehearsal.audit.auditor import audit
from rehearsal.audit.sources import Sources
from rehearsal.crowd.driver import rehearse
from rehearsal.crowd.plan import Behaviour, crowd_of
from rehearsal.crowd.record import End
from rehearsal.event import make_event
from rehearsal.lots import drawn_again, fingerprint
from rehearsal.report.page import page_of
from rehearsal.report.queue import waited_examples
from rehearsal.report.words import Told, headline, rate_sentence
from rehearsal.sale import Door, waiting_room, watch_rate
from tests.system.conftest import HASTE

pytestmark = pytest.mark.system

BUYERS, PLACES = 30, 10
HOLD_SECONDS = float(HASTE["orders"]["ORDERS_HOLD_TTL_SECONDS"])
SPREAD_SECONDS, START_SECONDS = 2.0, 4.0
DOOR = Door(rate=3000, inside=40)
# Whoever lets a hold lapse makes everybody wait for its end; they are in the rehearsal without a door.
QUICK = (Behaviour.BUYS, Behaviour.DOUBLE_CLICKS, Behaviour.SENDS_AGAIN, Behaviour.GOES_BACK)


async def test_a_short_rehearsal_by_way_of_a_waiting_room_sells_exactly_its_places_to_those_who_came_in(
    fragile_system: System, tmp_path: Path
) -> None:
    system, shop = fragile_system, fragile_system.addresses["web"]
    key, event_id = make_secrets(system.layout).web_support_key, await make_event(system.load, shop, PLACES)
    people = [each for each in crowd_of(3 * BUYERS, 1, SPREAD_SECONDS, START_SECONDS) if each.behaviour in QUICK]
    async with waiting_room(shop, key, event_id, DOOR, START_SECONDS):
        noted = await fingerprint(shop, event_id)
        rehearsed = await rehearse(
            people[:BUYERS],
            shop,
            event_id,
            PLACES,
            hold_seconds=HOLD_SECONDS,
            # On a busy machine it takes its time; it ends by itself when all is sold.
            at_most_seconds=200.0,
            log=tmp_path / "told.jsonl",
            say=lambda _: None,
            beside=lambda record: watch_rate(
                shop, key, event_id, lambda rate: record.allowed.append((record.now, rate))
            ),
        )
        lots = await drawn_again(shop, event_id, noted)
    found = await audit(Sources.of(system), log=rehearsed.log, rest_seconds=60, also_buyers=True)
    assert found.findings == []
    assert lots.is_right, lots.sentence
    record = rehearsed.record
    assert (record.ends[End.FAILED], record.ends[End.NOT_SERVED]) == (0, 0), record.faults
    assert record.ends[End.BOUGHT] <= len(record.waits)  # nobody bought who did not come in
    assert (record.waiting, record.inside, record.seen[-1].places) == (0, 0, "none")
    report = Told(rehearsed, 1, HOLD_SECONDS, found, system.addresses["traces"], DOOR, lots)
    assert headline(report) == f"Sold exactly {PLACES} places to {BUYERS} people."
    assert "admission rate" in rate_sentence(report)
    page = await asyncio.to_thread(page_of, report)
    assert "<h2>Waiting room</h2>" in page
    assert all(f"{system.addresses['traces']}/trace/{each.trace_id}" in page for each in waited_examples(record.waits))
