"""However much a service has kept, a page costs as little as on its first day: no statement reads or sorts a whole big table."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.operations import EVERYBODY, Operation
from chassis.testing import Harness, RunningApp
from tests.grown.everything import GREW, YOUNG
from tests.grown.filling import BIG, fill
from tests.grown.listening import Listening
from tests.grown.looking import BLOCKS, Ask, Grew
from tests.grown.plans import Call, Cost, costs_of, in_words

ROOT = Path(__file__).resolve().parent.parent.parent
_SIZES = """
    SELECT relname, GREATEST(reltuples, 0) AS rows FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
"""
_FURTHER_INDEXES = """
    SELECT CAST(indexrelid AS regclass) AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def test_every_service_has_grown() -> None:
    assert {*GREW, *YOUNG} == {path.parent.name for path in ROOT.glob("services/*/app.py")}


@pytest.mark.parametrize("service", sorted(GREW))
def test_every_read_that_is_offered_is_asked(service: str) -> None:
    grew = GREW[service]
    assert {str(each) for each in grew.operations if each.method == "GET"} == set(grew.asks)


@pytest.mark.parametrize("service", sorted(GREW))
async def test_no_page_is_expensive(harness: Harness, monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    grew = GREW[service]
    key_file = harness.keys.key_file(service)
    settings = harness.settings(grew.settings, **{**grew.values, **dict.fromkeys(grew.key_files, key_file)})
    url = settings.database_url.get_secret_value()
    await fill(url, grew.grown)
    listening = Listening(monkeypatch)
    async with harness.running(grew.create, settings) as app:
        asked = [each async for each in _asked(harness, app, grew, listening)]
        await harness.eventually(lambda: _all_has_run(app, listening))
        read = await _read_otherwise(app, grew, listening)
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        sizes = {row["relname"]: row["rows"] for row in await connection.fetch(_SIZES)}
        calls = [*listening.by_itself, *read, *(call for _, each in asked for call in each)]
        big = {table: rows for table, rows in sizes.items() if rows >= BIG}
        costs = await _costs(connection, calls, big)
        assert await _is_seen_without_indexes(connection, calls, big), "What this test is for, it would not see."
    finally:
        await connection.close()
    never_big = set(grew.grown.small)
    assert {table for table, rows in sizes.items() if rows < BIG} == never_big, "Fill these tables, or say why not."
    assert _names_of_reads(service) - {call.name for call in calls} == set(grew.unasked), (
        "Statements that nothing here runs."
    )
    faults = [*_faults_of_requests(asked, costs), *_faults_of_others(grew, [*listening.by_itself, *read], costs)]
    assert not faults, "\n".join(faults)


async def _asked(harness: Harness, app: RunningApp, grew: Grew, listening: Listening) -> Any:
    """Asks everything, one after the other."""
    for operation in (each for each in grew.operations if each.method == "GET"):
        for ask in grew.asks[str(operation)]:
            with listening.request() as calls:
                answer = await app.http.get(ask.path, headers=_headers(harness, grew, operation, ask))
            assert answer.status_code == ask.status, f"{ask.path}: {answer.status_code} {answer.text[:500]}"
            yield ask, calls
    with listening.request() as calls:
        assert (await app.http.get("/work")).status_code == 200
    yield Ask("/work"), calls


def _headers(harness: Harness, grew: Grew, operation: Operation, ask: Ask) -> dict[str, str]:
    if operation.callers == EVERYBODY:
        return {}
    return harness.headers(operation.callers[0], to=grew.settings.service_name, person=ask.person)


def _all_has_run(app: RunningApp, listening: Listening) -> bool:
    """Whether each worker has done a step, and everything was looked at that metrics show."""
    service = app.app.state.service
    workers = {name.removeprefix("worker ") for name, _ in service._tasks if name.startswith("worker ")}
    watches = {name.partition(" of ")[0] for name, _ in service._watching._looks if " of " in name}
    heard = {call.name for call in listening.by_itself}
    return workers <= listening.stepped and watches <= heard and "outbox.remember_stream" in heard


async def _read_otherwise(app: RunningApp, grew: Grew, listening: Listening) -> list[Call]:
    """What else reads, as nobody asks for it with a GET."""
    database = app.app.state.service._databases[0]
    with listening.request() as calls, suppress(_UndoneError):
        if grew.reads is not None:
            async with database.writer() as tx:
                await grew.reads(tx)
                raise _UndoneError
    return calls


class _UndoneError(Exception):
    """Nothing is to be left of what was tried."""


async def _costs(connection: asyncpg.Connection, calls: Sequence[Call], big: dict[str, float]) -> dict[Call, Cost]:
    by_statement: dict[str, list[Call]] = defaultdict(list)
    for call in dict.fromkeys(calls):
        by_statement[call.sql].append(call)
    return {cost.call: cost for each in by_statement.values() for cost in await costs_of(connection, each, big)}


async def _is_seen_without_indexes(
    connection: asyncpg.Connection, calls: Sequence[Call], big: dict[str, float]
) -> bool:
    """Whether one of the statements is found expensive if the database has the indexes of its constraints alone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        for row in await connection.fetch(_FURTHER_INDEXES):
            await connection.execute(f"DROP INDEX {row['name']}")
        for call in calls:
            if (await costs_of(connection, [call], big))[0].faults:
                return True
        return False
    finally:
        await transaction.rollback()


def _faults_of_requests(asked: Sequence[tuple[Ask, list[Call]]], costs: dict[Call, Cost]) -> Iterator[str]:
    for ask, calls in asked:
        paid = [costs[call] for call in calls]
        rows, blocks = sum(each.rows for each in paid), sum(each.blocks for each in paid)
        print(f"{ask.path}: {len(calls)} statements, {rows} rows, {blocks} blocks")
        yield from (f"{ask.path}: {each.call.name} {fault}" for each in paid for fault in each.faults)
        if len(calls) > ask.statements:
            yield f"{ask.path}: {len(calls)} statements"
        if rows > ask.rows or blocks > ask.blocks:
            parts = "; ".join(f"{each.call.name}: {in_words(each.plan)}" for each in paid)
            yield f"{ask.path}: reads {rows} rows in {blocks} blocks ({parts})"


def _faults_of_others(grew: Grew, calls: Sequence[Call], costs: dict[Call, Cost]) -> Iterator[str]:
    for cost in (costs[call] for call in dict.fromkeys(calls)):
        print(f"{cost.call.name}: {cost.rows} rows, {cost.blocks} blocks")
        yield from (f"{cost.call.name} {fault}: {in_words(cost.plan)}" for fault in cost.faults)
        if cost.rows > grew.rows or cost.blocks > BLOCKS:
            yield f"{cost.call.name} reads {cost.rows} rows in {cost.blocks} blocks: {in_words(cost.plan)}"


def _names_of_reads(service: str) -> set[str]:
    """The names of the statements that a service runs on a connection for reading, by its code."""
    found = set()
    for file in (ROOT / "services" / service).rglob("*.py"):
        if "tests" in file.relative_to(ROOT).parts or file.name == "drills.py":
            continue
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "execute":
                named = {each.arg: each.value for each in call.keywords}.get("name")
                if isinstance(call.func.value, ast.Name) and call.func.value.id == "reads":
                    found |= {str(named.value)} if isinstance(named, ast.Constant) else set()
    return found
