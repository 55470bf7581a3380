"""What whoever runs a service is told when it is not ready: what lies behind it, besides what people are told."""

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chassis.db import Database
from chassis.health import Readiness
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"query": "connect_timeout=10"}, 'unrecognized configuration parameter "connect_timeout"'),
        ({"path": "/nowhere"}, 'database "nowhere" does not exist'),
        ({"netloc": "nobody:nothing@127.0.0.1:1"}, "Connect call failed ('127.0.0.1', 1)"),
    ],
)
async def test_readiness_tells_why_the_database_cannot_be_had(
    harness: Harness, change: dict[str, str], reason: str
) -> None:
    address = urlsplit(harness.database_url("sample", MIGRATIONS))._replace(**change).geturl()
    database = Database(harness.settings(SampleSettings, database_url=address))
    readiness = Readiness()
    readiness.checks["database"] = partial(database.check, "0001")
    state, parts = await readiness.report()
    await database.close()
    assert state == "not ready"
    assert "Try again in a few seconds." in parts["database"]
    assert reason in parts["database"]
    assert "nothing" not in parts["database"]
