"""Reads that may go to a replica: people see what they wrote themselves, and may see slightly old data of others."""

from pathlib import Path
from uuid import uuid4

from chassis.db import Database
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings, create_app
from local.processes import free_port

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"


async def test_a_header_that_is_no_pin_is_ignored(harness: Harness) -> None:
    behind = harness.database_url("sample", MIGRATIONS)
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS, replica_url=behind)
    async with harness.running(create_app, settings) as app:
        answer = await app.http.get(f"/things/{uuid4()}", headers={"Onsale-Pin": "'; DROP TABLE thing"})
    assert answer.status_code == 404


async def test_without_a_replica_there_are_no_pins(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS)
    async with harness.running(create_app, settings) as app:
        headers = harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": "key-00001"}
        made = await app.http.post("/things", json={"name": "lamp"}, headers=headers)
    assert made.status_code == 201
    assert "onsale-pin" not in made.headers


async def test_reads_go_to_the_primary_while_the_replica_does_not_answer(harness: Harness) -> None:
    nobody = f"postgresql://a:b@127.0.0.1:{free_port()}/x"
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS, replica_url=nobody)
    async with harness.running(create_app, settings) as app:
        headers = harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": "key-00001"}
        made = await app.http.post("/things", json={"name": "lamp"}, headers=headers)
        for _ in range(3):
            assert (await app.http.get(f"/things/{made.json()['thing_id']}")).status_code == 200


async def test_who_has_much_to_do_is_ready_all_the_same(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS, database_pool_size=1)
    async with harness.running(create_app, settings) as app:
        database: Database = app.app.state.service._databases[0]
        async with database.writer():  # the only connection is in use
            assert (await app.http.get("/readyz")).status_code == 200
