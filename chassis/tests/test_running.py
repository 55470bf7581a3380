"""How a service is started, stopped and found ready: what a cluster relies on."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from chassis import stream
from chassis.db import Database
from chassis.errors import NotMigrated
from chassis.migrated import SERVICES, newest_migration
from chassis.migrations import migrate
from chassis.testing import Harness
from chassis.testing_databases import POSTGRES_VARIABLE
from chassis.tests.sample.app import SampleSettings, ThingWanted, create_app
from local.processes import LOOPBACK, free_port

SAMPLE = Path(__file__).parent / "sample"
APPLICATION = "chassis.tests.sample.app:create_app"
WANTED = "events.other.thing_wanted.v1"
# A process that starts beside many others, on few cores, is given this long to say what is waited for.
PATIENCE_SECONDS = 120


def environment_of(settings: SampleSettings, prefix: str, port: int) -> dict[str, str]:
    variables = {
        "ENVIRONMENT": "test",
        "PORT": str(port),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "NATS_URL": settings.nats_url.get_secret_value(),
        "KEY_FILE": str(settings.key_file),
        "SERVICE_KEYS_FILE": str(settings.service_keys_file),
        "PERSON_KEYS_URL": settings.person_keys_url,
        "LOG_FORMAT": "json",
    }
    return {f"{prefix}{key}": value for key, value in variables.items()}


@asynccontextmanager
async def started(*arguments: str, environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    command = (sys.executable, "-m", "chassis.serve", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)


async def said(
    process: asyncio.subprocess.Process, wanted: Callable[[str], bool], lines: list[str] | None = None
) -> str:
    """The first line that fits; all until then go to `lines`. Fails when the process ends before."""
    assert process.stdout is not None
    lines = [] if lines is None else lines
    async with asyncio.timeout(PATIENCE_SECONDS):
        while line := (await process.stdout.readline()).decode():
            lines.append(line)
            if wanted(line):
                return line
    raise AssertionError("".join(lines))


async def status_of(address: str) -> int:
    async with httpx.AsyncClient(timeout=30) as http:
        try:
            return (await http.get(address)).status_code
        except httpx.TransportError:
            return 0


async def test_a_setting_that_all_share_is_given_once_and_a_services_own_goes_before(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations")
    for name, value in environment_of(settings, "ONSALE_", 8123).items():
        monkeypatch.setenv(name, value)
    assert SampleSettings().port == 8123
    monkeypatch.setenv("SAMPLE_PORT", "8124")
    assert SampleSettings().port == 8124
    assert SampleSettings(port=8125).port == 8125


async def test_without_an_argument_the_service_is_the_one_that_the_environment_names() -> None:
    async with started(environment={"ONSALE_SERVICE": "orders"}) as process:
        line = await said(process, lambda line: "Setting" in line)
    assert line == "Setting database_url of OrdersSettings: Field required.\n"


async def test_without_any_name_it_says_how_to_name_one() -> None:
    async with started(environment={"ONSALE_SERVICE": ""}) as process:
        line = await said(process, lambda _: True)
        assert await asyncio.wait_for(process.wait(), 20) == 2
    assert "services.orders.app:create_app" in line


async def test_a_changed_file_starts_the_service_anew_where_that_is_wanted(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations")
    port = free_port()
    environment = environment_of(settings, "ONSALE_", port) | {"ONSALE_RELOAD": "1"}
    async with started(APPLICATION, environment=environment) as process:
        await said(process, lambda line: '"event": "started"' in line)
        await harness.eventually(lambda: _is(f"http://{LOOPBACK}:{port}/readyz", 200))
        os.utime(SAMPLE / "app.py")
        await said(process, lambda line: '"event": "stopping"' in line)
        await said(process, lambda line: '"event": "started"' in line)
        await harness.eventually(lambda: _is(f"http://{LOOPBACK}:{port}/readyz", 200))


async def test_each_line_of_a_log_leads_to_a_trace(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations")
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    environment = environment_of(settings, "SAMPLE_", free_port())
    environment |= {"SAMPLE_OTLP_ENDPOINT": nowhere, "SAMPLE_METRICS_ENDPOINT": nowhere}
    async with started("chassis.tests.sample.noisy:create_app", environment=environment) as process:
        every: list[str] = []
        await said(process, lambda line: "noise of the loop" in line, every)
        # What cannot be sent is said, once.
        await said(process, lambda line: "opentelemetry" in line, every)
        process.send_signal(signal.SIGTERM)
        rest, _ = await asyncio.wait_for(process.communicate(), 20)
    lines = [json.loads(line) for line in (*every, *rest.decode().splitlines())]
    assert all(re.fullmatch("[0-9a-f]{32}", line["trace_id"]) for line in lines)
    assert all(re.fullmatch("[0-9a-f]{16}", line["span_id"]) for line in lines)
    text_of_all = json.dumps(lines)
    for noise in ("trace", "warning", "library", "thread", "loop", "step"):
        assert f"noise of a {noise}" in text_of_all or f"noise of the {noise}" in text_of_all
    assert "silent noise" not in text_of_all
    # Two traces: that of the noise, and the process's own.
    assert len({line["trace_id"] for line in lines}) == 2
    loggers = [line["logger"] for line in lines if line["logger"].startswith("opentelemetry")]
    assert loggers
    assert len(loggers) == len(set(loggers))


async def test_a_service_that_is_asked_to_stop_finishes_what_is_under_way(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations")
    port = free_port()
    async with started(APPLICATION, environment=environment_of(settings, "SAMPLE_", port)) as process:
        # It says that it has started a moment before it listens.
        await harness.eventually(lambda: _is(f"http://{LOOPBACK}:{port}/readyz", 200))
        async with httpx.AsyncClient(timeout=30) as http:
            slow = asyncio.create_task(http.get(f"http://{LOOPBACK}:{port}/slow"))
            await harness.eventually(lambda: _sleeps(settings))
            process.send_signal(signal.SIGTERM)
            assert (await slow).status_code == 200
        await asyncio.wait_for(process.wait(), 20)


async def test_facts_that_were_not_handled_when_the_process_stopped_are_free_at_once(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than any test: only who hands a fact back lets another process have it.
    monkeypatch.setattr(stream, "ACK_WAIT_SECONDS", 3600)
    settings = harness.settings(SampleSettings, migrations=SAMPLE / "migrations")
    at_work = asyncio.Event()

    async def stuck(_settings: ThingWanted) -> None:
        at_work.set()
        await asyncio.sleep(3600)

    with monkeypatch.context() as slow:
        slow.setattr("chassis.tests.sample.app.make_thing", lambda _tx, _name: stuck(ThingWanted(name="")))
        async with harness.running(create_app, settings):
            for name in ("lamp", "chair"):
                await harness.tell(WANTED, {"name": name}, aggregate_id="one lane")
            await asyncio.wait_for(at_work.wait(), 20)
    async with harness.running(create_app, settings) as app:
        await harness.eventually(lambda: _names_are(app.app.state.service._databases[0], ["chair", "lamp"]))


async def test_a_service_is_not_ready_before_its_database_is_migrated_as_far_as_its_code_needs(
    harness: Harness,
) -> None:
    database = Database(harness.settings(SampleSettings, migrations=SAMPLE / "migrations"))
    await database.check("0001")
    with pytest.raises(NotMigrated, match="is at migration 0001, and this version needs 0002: run"):
        await database.check("0002")
    async with database.writer() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '0003'"), name="test")
    await database.check("0002")  # a newer version runs beside this one
    async with database.writer() as tx:
        await tx.execute(text("DROP TABLE alembic_version"), name="test")
    with pytest.raises(NotMigrated, match="has no tables yet"):
        await database.check("0001")
    await database.close()


@pytest.mark.parametrize("service", sorted(path.parent.name for path in SERVICES.glob("*/migrations")))
def test_the_newest_migration_is_known_by_its_files_name(service: str) -> None:
    files = sorted((SERVICES / service / "migrations/versions").glob("[0-9]*.py"))
    assert newest_migration(SERVICES / service / "migrations") == files[-1].name[:4]
    for file in files:
        assert f"revision = {json.dumps(file.name[:4])}\n" in file.read_text()


async def _is(address: str, status: int) -> bool:
    return await status_of(address) == status


async def _sleeps(settings: SampleSettings) -> bool:
    database = Database(settings)
    try:
        async with database.reader() as reads:
            query = text(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(5)%' AND pid <> pg_backend_pid()"
            )
            return bool((await reads.execute(query, name="test")).scalar_one())
    finally:
        await database.close()


async def _names_are(database: Database, names: list[str]) -> bool:
    async with database.reader() as reads:
        rows = await reads.execute(text("SELECT name FROM thing ORDER BY name"), name="test")
        return list(rows.scalars()) == names


@pytest.mark.parametrize("change", ["password", "database", "port"])
async def test_a_migration_of_a_database_that_is_not_there_yet_says_so_in_a_sentence(change: str) -> None:
    url = urlsplit(os.environ[POSTGRES_VARIABLE])
    wrong = {
        "password": url._replace(netloc=f"nobody:wrong@{url.hostname}:{url.port}"),
        "database": url._replace(path="/missing"),
        "port": url._replace(netloc=f"{url.username}:{url.password}@{url.hostname}:{free_port()}"),
    }[change]
    environment = {"ONSALE_SERVICE": "orders", "ONSALE_DATABASE_URL": wrong.geturl()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chassis.migrate"), env={**os.environ, **environment}, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert errors.decode().startswith("The database of orders cannot be used yet (")
    assert errors.decode().endswith("Once it is there, run this again.\n")


async def test_a_migration_may_take_longer_than_what_people_wait_for(harness: Harness, tmp_path: Path) -> None:
    url = harness.database_url("sample", SAMPLE / "migrations")
    await _limited(url, "100ms")
    shutil.copytree(SAMPLE / "migrations", tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "migrations/versions/0002_slow.py").write_text(
        "from alembic import op\nrevision = '0002'\ndown_revision = '0001'\n"
        "def upgrade() -> None:\n    op.execute('SELECT pg_sleep(0.3)')\n"
    )
    await asyncio.to_thread(migrate, tmp_path / "migrations", url)
    database = Database(harness.settings(SampleSettings, database_url=url))
    await database.check("0002")
    await database.close()


async def _limited(url: str, statement_timeout: str) -> None:
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"ALTER DATABASE {name} SET statement_timeout = '{statement_timeout}'")
    await connection.close()


def test_a_process_that_cannot_kill_itself_ends_at_a_failpoint_all_the_same() -> None:
    """As the first process of a container cannot."""
    code = (
        "import os; from chassis.failpoints import arm, failpoint\n"
        "os.kill = lambda *_: None; arm('here'); failpoint('elsewhere'); failpoint('here'); print('still alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (137, "")
