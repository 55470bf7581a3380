"""The rehearsal's buyers as Locust's users, without its page: some places are sold, and what they were told is true."""

import asyncio
import json
from pathlib import Path

import pytest

from local.provision import make_secrets
from local.system import System
from rehearsal.audit.auditor import audit
from rehearsal.audit.sources import Sources
from rehearsal.event import make_event
from rehearsal.sale import Door, waiting_room
from rehearsal.with_locust import Show, installed, play
from tests.system.conftest import HASTE

pytestmark = pytest.mark.system

HOLD_SECONDS = float(HASTE["orders"]["ORDERS_HOLD_TTL_SECONDS"])
PLACES = 6


async def test_users_of_locust_go_through_the_waiting_room_and_buy(
    fragile_system: System, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Locust is in an environment of its own, which is made when it is missing.
    python = await asyncio.to_thread(installed)
    system, log = fragile_system, tmp_path / "told.jsonl"
    shop, key = system.addresses["web"], make_secrets(system.layout).web_support_key
    event_id = await make_event(system.load, shop, PLACES)
    show = Show(shop, event_id, PLACES, HOLD_SECONDS, users=5, seconds=25, port=0)
    async with waiting_room(shop, key, event_id, Door(rate=3000, inside=40), start_seconds=3):
        await play(show, python, log)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    sold = sum(each["places"] for each in told if each["told"] == "confirmed")
    said = "".join(capfd.readouterr())
    assert 0 < sold <= PLACES, said
    assert f"{sold} of {PLACES} places sold." in said
    assert "join the queue" in said
    found = await audit(Sources.of(system), log=log, rest_seconds=HOLD_SECONDS + 60, also_buyers=True)
    assert found.findings == []
