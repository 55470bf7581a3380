"""The contracts over the bus: `TRANSPORT=bus make contracts` holds all of them, and this a pair with each commit."""

import os
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from chassis.calls import Sending
from contracts import over_bus, run
from contracts.journal import JOURNAL, entries
from contracts.pactfile import Edge, read
from contracts.running import pytest_command

EDGE = Edge("orders", "asks", "inventory")
BOTH_SIDES = ("orders/tests/contract/test_asks_inventory.py", "inventory/tests/contract/test_is_asked.py")


def test_a_consumer_and_its_provider_agree_over_the_bus_as_over_http(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    command = pytest_command(run.ROOT, [run.SERVICES / each for each in BOTH_SIDES], parallel=False)
    environment = os.environ | {over_bus.TRANSPORT: over_bus.BUS, JOURNAL: str(journal)}
    done = subprocess.run(command, cwd=run.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    known = {entry.what: entry for entry in entries(journal) if entry.edge == EDGE}
    assert known.keys() == {"compared", "verified"}
    assert {entry.interactions for entry in known.values()} == {len(read(EDGE))}


async def test_a_consumer_asks_over_nats_with_its_own_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not ask waits in vain, whatever the mock server would say."""
    monkeypatch.setenv(over_bus.TRANSPORT, over_bus.BUS)
    async with AsyncExitStack() as stack:
        carry = await over_bus.way_to(stack, Edge("tickets", "asks", "inventory"), "http://127.0.0.1:1")
        assert carry is not None
        with pytest.raises(TimeoutError):
            await carry(Sending("GET", "bus://inventory", "/livez", "", {}, b"", 0.3, 0.3))


async def test_without_being_asked_for_it_contracts_are_held_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(over_bus.TRANSPORT, raising=False)
    async with AsyncExitStack() as stack:
        assert await over_bus.way_to(stack, EDGE, "http://127.0.0.1:1") is None
