"""A server that dies under a running system is brought back, and one that cannot be is named in a sentence, and everything stops."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest

from chassis.stream import STREAM
from local import processes
from local.buyer import Buyer, Wish
from local.console import Console
from local.errors import StartError
from local.keeper import GIVE_UP_AFTER, Keeper, Kept
from local.nats import ADMIN, NatsServer
from local.postgres import PostgresServer
from local.shape import Shape
from local.system import System
from local.temporary import temporary_system
from local.tests.helpers import eventually, lives, processes_that_mention
from local.topology import HEARS, Ports

SECONDS = 60.0


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with temporary_system() as running:
        yield running


@pytest.mark.system
def test_nats_and_postgres_that_die_are_brought_back_and_tickets_are_sold_again(system: System) -> None:
    assert system.nats is not None
    for server in (system.nats, system.postgres):
        died = server.pid
        assert died is not None
        os.kill(died, signal.SIGKILL)
        eventually(lambda server=server, died=died: server.pid not in {None, died}, SECONDS)  # type: ignore[misc]
        assert not lives(died)
    system.wait_ready()
    assert bought(system)


@pytest.mark.system
def test_a_broker_that_lost_its_store_is_given_stream_and_consumers_again(system: System) -> None:
    assert system.nats is not None
    died = system.nats.pid
    assert died is not None
    os.kill(died, signal.SIGSTOP)  # nobody starts it before its store is gone
    shutil.rmtree(system.nats.store_dir / "jetstream")
    os.kill(died, signal.SIGKILL)
    eventually(lambda: system.nats is not None and system.nats.pid not in {None, died}, SECONDS)
    eventually(lambda: consumers_of(system) == set(HEARS), SECONDS)
    system.wait_ready()
    assert bought(system)


def bought(system: System) -> bool:
    wish = Wish(places=1, prefer_general=True)
    purchase = asyncio.run(Buyer(system.addresses, wish).buy([asyncio.run(an_event(system))]))
    return bool(purchase.ticket_codes)


async def an_event(system: System) -> str:
    from local.topology import database_of

    connection = await asyncpg.connect(system.postgres.url(database_of("catalog")))
    try:
        event_id = await connection.fetchval(
            "SELECT event_id FROM event JOIN ticket_class USING (event_id) WHERE kind = 'general' AND on_sale LIMIT 1"
        )
        return f"{system.addresses['web']}/events/{event_id}"
    finally:
        await connection.close()


def consumers_of(system: System) -> set[str]:
    async def ask() -> set[str]:
        assert system.nats is not None
        client = await nats.connect(system.nats.url(ADMIN), allow_reconnect=False)
        try:
            return {str(info.name) for info in await client.jetstream().consumers_info(STREAM)}
        finally:
            await client.close()

    try:
        return asyncio.run(ask())
    except (nats.errors.Error, OSError):
        return set()


class Broken:
    """A server that dies as soon as it is started, or does not even start."""

    def __init__(self, *, starts: bool) -> None:
        self.ended_with: int | None = -signal.SIGKILL
        self.started = 0
        self._starts = starts

    def kill(self) -> None:
        self.ended_with = None

    def start(self) -> None:
        self.started += 1
        if not self._starts:
            raise StartError("Its store is damaged.")
        self.ended_with = 1


@pytest.mark.parametrize("starts", [True, False])
def test_a_server_that_dies_again_and_again_is_named_and_given_up(
    starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.keeper.FIRST_DELAY_SECONDS", 0.01)
    said: list[str] = []
    given_up = threading.Event()
    server = Broken(starts=starts)
    keeper = Keeper([Kept("NATS", server)], said.append, lambda why: (said.append(why), given_up.set())[0])  # type: ignore[func-returns-value]
    keeper.open()
    assert given_up.wait(SECONDS)
    keeper.close()
    assert server.started == GIVE_UP_AFTER - 1
    assert "NATS" in said[-1]
    assert "all is stopped" in said[-1]


def test_make_up_ends_with_the_sentence_when_a_server_cannot_be_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The start of the whole is cut short: what is tried is how the end is reported."""
    from local import up

    class Breaking(System):
        def start(self) -> None:
            threading.Timer(0.1, self._break_off, ["NATS was killed by SIGKILL: it cannot be brought back."]).start()

    monkeypatch.setattr(up, "System", Breaking)
    monkeypatch.setattr(up, "_welcome", lambda *_: "")
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        assert up.run(tmp_path / "data", Ports.free(), Console(quiet=True), Shape()) == 1
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert "it cannot be brought back" in capsys.readouterr().err
    assert processes_that_mention(str(tmp_path / "data")) == []


@pytest.mark.parametrize("module", ["local.nats", "local.postgres"])
def test_a_server_that_was_asked_to_end_did_not_die_by_itself(
    module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The keeper looks ten times a second. Whoever kills a server starts it again, and the keeper must not do so beside them."""
    server: Any = NatsServer(tmp_path) if module == "local.nats" else PostgresServer(tmp_path)
    server._process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    seen: list[int | None] = []

    def end_and_look(process: subprocess.Popen[bytes], *steps: object) -> None:
        processes.end(process)
        seen.append(server.ended_with)

    monkeypatch.setattr(f"{module}.end", end_and_look)
    server.kill()
    assert seen == [None]
