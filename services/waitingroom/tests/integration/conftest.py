"""A running waiting room, and an inventory beside it that says what it is told to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from chassis.clock import utc_now
from chassis.testing import Harness, RunningApp
from services.waitingroom.app import create_app
from services.waitingroom.settings import WaitingroomSettings

CHALLENGE_KEY = "k" * 32


@dataclass
class Crowd:
    """What inventory says of each event; None: it does not answer."""

    left: int = 1000
    in_carts: int = 0
    wait_seconds: float = 0.0
    answers: bool = True
    app: FastAPI = field(default_factory=FastAPI)

    def __post_init__(self) -> None:
        @self.app.get("/events/{event_id}/crowd")
        async def crowd(event_id: UUID) -> Any:
            if not self.answers:
                raise RuntimeError("no answer")
            return {"left": self.left, "in_carts": self.in_carts, "wait_seconds": self.wait_seconds}


@dataclass
class Room:
    """The running service and a sale in it, with short ways to ask."""

    app: RunningApp
    harness: Harness
    crowd: Crowd
    event_id: UUID = field(default_factory=uuid4)

    async def web(self, method: str, path: str = "", person: UUID | None = None, **body: Any) -> httpx.Response:
        headers = self.harness.headers("web", to="waitingroom", person=person)
        url = f"/sales/{self.event_id}{path}"
        return await self.app.http.request(method, url, json=body or None, headers=headers)

    async def announce(
        self, doors: float = -60, starts: float = 3600, rate: int = 6000, most_active: int = 1000
    ) -> dict[str, Any]:
        """A sale whose doors open, and which starts, so many seconds from now."""
        answer = await self.announced(doors, starts, rate, most_active)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def announced(self, doors: float, starts: float, rate: int, most_active: int) -> httpx.Response:
        now = utc_now()
        times = {"doors_open_at": now + timedelta(seconds=doors), "starts_at": now + timedelta(seconds=starts)}
        said = {name: moment.isoformat() for name, moment in times.items()}
        return await self.web("PUT", "", None, rate=rate, most_active=most_active, **said)

    async def start(self) -> None:
        """Lets the time come at which the sale starts."""
        await self.write("UPDATE sale SET doors_open_at = now() - interval '1 minute', starts_at = now()")
        await self.harness.eventually(self.has_drawn)

    async def has_drawn(self) -> bool:
        return bool((await self.sale())["seed"])

    async def sale(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.web("GET")).json()
        return found

    async def join(self, person: UUID | None = None, address: str = "a", **more: Any) -> httpx.Response:
        return await self.web("PUT", "/entry", person or uuid4(), address=(address * 64)[:64], **more)

    async def standing(self, person: UUID) -> dict[str, Any]:
        found: dict[str, Any] = (await self.web("GET", "/entry", person)).json()
        return found

    async def crowd_joins(self, count: int) -> list[UUID]:
        people = [uuid4() for _ in range(count)]
        for number, person in enumerate(people):
            joined = await self.join(person, f"{number:064x}")
            assert joined.status_code == 200, joined.text
        return people

    async def write(self, statement: str) -> None:
        async with self.app.app.state.service._databases[0].writer() as tx:
            await tx.execute(text(statement), name="test")


@pytest.fixture
async def room(harness: Harness) -> AsyncIterator[Room]:
    """The service, started on a database of its own."""
    crowd = Crowd()
    async with harness.serving(crowd.app) as inventory_url:
        settings = harness.settings(
            WaitingroomSettings,
            inventory_url=inventory_url,
            step_seconds=0.05,
            most_per_address=20,
            challenge_key=CHALLENGE_KEY,
            challenge_tries=20,
            challenge_rounds=10,
        )
        async with harness.running(create_app, settings) as app:
            yield Room(app, harness, crowd)
