"""People's keys: a crowd that meets a process which has just started is let in, and the keys are fetched once."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.responses import Response

from chassis import people
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings, create_app

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"


class Publisher:
    """Publishes people's keys, slowly, and counts who asks. `down` answers 503."""

    def __init__(self, keys: bytes) -> None:
        self.asked = 0
        self.down = False
        self.app = FastAPI()

        @self.app.get("/.well-known/jwks.json")
        async def jwks() -> Response:
            self.asked += 1
            await asyncio.sleep(0.2)
            return Response(keys, 503 if self.down else 200)


@pytest.fixture
def publisher(harness: Harness) -> Publisher:
    return Publisher(Path(harness.keys.person_keys_url.removeprefix("file:")).read_bytes())


@pytest.mark.parametrize(
    "retry_seconds", [2.0, 0.05], ids=["a quick accounts", "an accounts that takes longer than a retry"]
)
async def test_a_crowd_at_a_process_that_has_just_started_is_let_in(
    harness: Harness, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, retry_seconds: float
) -> None:
    monkeypatch.setattr(people, "KEYS_RETRY_SECONDS", retry_seconds)
    async with harness.serving(publisher.app) as url:
        settings = harness.settings(
            SampleSettings, migrations=MIGRATIONS, person_keys_url=f"{url}/.well-known/jwks.json"
        )
        async with harness.running(create_app, settings) as app:
            asking = (
                app.http.post(
                    "/things",
                    json={"name": "lamp"},
                    headers=harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": f"key-{n:05}"},
                )
                for n in range(20)
            )
            answers = await asyncio.gather(*asking)
    assert {answer.status_code for answer in answers} == {201}
    assert publisher.asked == 1


async def test_known_people_are_let_in_while_accounts_is_down(harness: Harness, publisher: Publisher) -> None:
    async with harness.serving(publisher.app) as url:
        settings = harness.settings(
            SampleSettings, migrations=MIGRATIONS, person_keys_url=f"{url}/.well-known/jwks.json"
        )
        async with harness.running(create_app, settings) as app:
            for number, down in enumerate((False, True)):
                publisher.down = down
                headers = harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": f"key-{number:05}"}
                answer = await app.http.post("/things", json={"name": "lamp"}, headers=headers)
                assert answer.status_code == 201


async def test_nobody_is_called_unauthenticated_because_accounts_was_never_reached(
    harness: Harness, publisher: Publisher
) -> None:
    publisher.down = True
    async with harness.serving(publisher.app) as url:
        settings = harness.settings(
            SampleSettings, migrations=MIGRATIONS, person_keys_url=f"{url}/.well-known/jwks.json"
        )
        async with harness.running(create_app, settings) as app:
            headers = harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": "key-00001"}
            answer = await app.http.post("/things", json={"name": "lamp"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "accounts_unavailable")
