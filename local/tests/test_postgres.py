"""Postgres from the wheel: passwords, restarts, damage, other users."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from local.errors import StartError
from local.postgres import PostgresServer
from local.processes import free_port
from local.tests.helpers import ROOT, eventually, folder_for_anybody, lives, ordinary_user, run_as


def ask(url: str, query: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(fetch())


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_for_anybody() as made:
        yield made


def test_second_start_finds_its_data(folder: Path) -> None:
    with PostgresServer(folder / "pg") as first:
        ask(first.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    with PostgresServer(folder / "pg") as second:
        assert ask(second.url(), "SELECT answer FROM kept") == 42


def test_a_wrong_password_is_refused(folder: Path) -> None:
    with PostgresServer(folder / "pg", durable=False) as server, pytest.raises(asyncpg.InvalidPasswordError):
        ask(server.url(password="guessed"), "SELECT 1")


def test_committed_data_survive_a_kill_and_the_stale_lock_is_no_obstacle(folder: Path) -> None:
    server = PostgresServer(folder / "pg")
    server.start()
    ask(server.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    server.kill()
    # Its number belongs to somebody else by now, as after a restart of the machine.
    lock = folder / "pg" / "data" / "postmaster.pid"
    lock.write_text("\n".join([str(os.getpid()), *lock.read_text().splitlines()[1:]]))
    with PostgresServer(folder / "pg") as again:
        assert ask(again.url(), "SELECT answer FROM kept") == 42


def test_a_damaged_folder_is_reported_in_a_sentence_with_the_log_and_the_way_out(folder: Path) -> None:
    with PostgresServer(folder / "pg", durable=False):
        pass
    (folder / "pg" / "data" / "global" / "pg_control").write_bytes(b"rubbish")
    with pytest.raises(StartError, match=r"may be damaged.*log.*make clean"):
        PostgresServer(folder / "pg", durable=False).start()


def test_an_interrupted_first_start_leaves_no_half_made_cluster(folder: Path) -> None:
    half = folder / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    with PostgresServer(folder / "pg", durable=False) as server:
        assert ask(server.url(), "SELECT 1") == 1


def test_a_taken_port_is_named(folder: Path) -> None:
    with PostgresServer(durable=False) as first:
        second = PostgresServer(folder / "pg", first.port, durable=False)
        with pytest.raises(StartError, match=f"Port {first.port} .*taken"):
            second.start()


def test_postgres_ends_when_its_starter_is_killed(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from local.postgres import PostgresServer\n"
        f"server = PostgresServer(Path({str(folder / 'pg')!r}), durable=False); server.start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert lives(pid)
    finally:
        starter.send_signal(signal.SIGKILL)
        starter.communicate()
    eventually(lambda: not lives(pid))
    with PostgresServer(folder / "pg", durable=False) as again:
        assert "was interrupted" not in again.log_file.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can become somebody else.")
def test_an_ordinary_user_can_run_it_too(folder: Path) -> None:
    done = run_as(
        ordinary_user(),
        "from pathlib import Path; from local.postgres import PostgresServer\n"
        f"with PostgresServer(Path({str(folder / 'pg')!r}), {free_port()}, durable=False) as server: print(server.pid)",
    )
    if done is None:
        pytest.skip("An ordinary user can run no fitting Python on this machine.")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root has a folder that Postgres' user cannot enter.")
def test_root_may_keep_and_move_the_data_where_postgres_own_user_cannot_go(folder: Path) -> None:
    closed = Path(tempfile.mkdtemp(prefix="onsale-closed-"))
    closed.chmod(0o700)
    with PostgresServer(folder / "pg", durable=False) as server:
        ask(server.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    shutil.copytree(folder / "pg", closed / "pg")  # by root, so that it belongs to root
    moved = PostgresServer(closed / "pg", durable=False)
    try:
        with moved:
            assert ask(moved.url(), "SELECT answer FROM kept") == 42
        with PostgresServer(closed / "pg", durable=False) as again:
            assert ask(again.url(), "SELECT answer FROM kept") == 42
    finally:
        moved.remove()
        shutil.rmtree(closed)
