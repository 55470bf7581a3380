"""Waitingroom answers what its consumers ask, as their pacts say. Nobody is let in by itself while a state is looked at."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.db import Database
from chassis.ids import uuid7
from chassis.statements import text
from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import provided, verify_answers
from contracts.states import ForOneRequest, refusing
from services.waitingroom import queries
from services.waitingroom.app import create_app
from services.waitingroom.domain import NoChallenge, Solved
from services.waitingroom.operations import ENTRIES_A_PAGE
from services.waitingroom.proof_of_work import ProofOfWork
from services.waitingroom.service.sales import Sales
from services.waitingroom.settings import WaitingroomSettings

NOWHERE = "http://127.0.0.1:9"
NEVER_SECONDS = 3600
SEED = "5eed" * 16
TURN_SECONDS, PASS_SECONDS = 120, 600
ANNOUNCED = {"doors_open_at": "2031-06-21T17:30:00Z", "starts_at": "2031-06-21T18:00:00Z"}
DOORS_OPEN = ANNOUNCED | {"doors_open_at": "2026-01-05T10:00:00Z"}
NOTHING_YET = {
    "serving": 0,
    "last_number": 0,
    "drawn": 0,
    "drawn_at": None,
    "places_left": None,
    "places_in_carts": None,
}
# Two people are in, 17 numbers are given.
SELLING: dict[str, Any] = {
    "doors_open_at": "2026-01-05T10:00:00Z",
    "starts_at": "2026-01-05T10:30:00Z",
    "rate": 600,
    "rate_now": 120.0,
    "most_active": 300,
    "seed": SEED,
    "drawn_at": "2026-01-05T10:30:00Z",
    "paused": False,
    "ended": False,
    "serving": 2,
    "last_number": 17,
    "drawn": 17,
    "places_left": 40,
    "places_in_carts": 3,
    "challenge": False,
}
MOST_PER_ADDRESS = 3
CHALLENGE_KEY = "k" * 32
# What a proof says that is taken for granted: its challenge, and until when it counts.
PROVED = Solved(UUID(int=7), datetime(2031, 6, 21, tzinfo=UTC), None)
# How somebody stands: their number, and the end of their turn or pass.
STANDINGS: dict[str, dict[str, Any]] = {
    "waiting": {"number": 17},
    "turn": {"number": 2, "seconds": TURN_SECONDS},
    "inside": {"number": 2, "seconds": PASS_SECONDS, "passed": True},
    "done": {"number": 2, "seconds": PASS_SECONDS, "passed": True, "done": True},
    "missed": {"number": 2, "until": "2026-01-05T10:45:00Z"},
}
_SALE = text(f"""
    INSERT INTO sale (event_id, {", ".join(SELLING)}) VALUES (:event_id, {", ".join(f":{name}" for name in SELLING)})
""")  # noqa: S608  # names of our own columns
_ENTRY = text("""
    INSERT INTO entry (entry_id, event_id, person_id, address, number, until, passed, done)
    VALUES (:entry_id, :event_id, :person_id, :address, :number,
            COALESCE(CAST(:until AS timestamptz), now() + make_interval(secs => CAST(:seconds AS float))), :passed, :done)
""")


def _moment(words: str | None) -> datetime | None:
    return datetime.fromisoformat(words) if words else None


class States:
    """Makes true what the consumers' interactions take for granted."""

    def __init__(self, database: Database, briefly: ForOneRequest) -> None:
        self._database = database
        self._briefly = briefly

    async def a_sale(self, given: dict[str, Any], **changes: Any) -> None:
        values = SELLING | changes
        moments = {name: _moment(values[name]) for name in ("doors_open_at", "starts_at", "drawn_at")}
        async with self._database.writer() as tx:
            await tx.execute(_SALE, {**values, **moments, "event_id": UUID(given["event_id"])}, name="tests.sale")

    async def an_entry(self, given: dict[str, Any], **values: Any) -> None:
        empty = {"number": None, "until": None, "seconds": None, "passed": False, "done": False, "address": "cd" * 32}
        entry: dict[str, Any] = empty | {"entry_id": uuid7(), "person_id": uuid7()} | values
        entry["until"] = _moment(entry["until"])
        async with self._database.writer() as tx:
            await tx.execute(_ENTRY, entry | {"event_id": UUID(given["event_id"])}, name="tests.entry")

    async def announced(self, given: dict[str, Any]) -> None:
        await self.a_sale(given, **ANNOUNCED, **NOTHING_YET, rate_now=600.0)

    async def doors_open(self, given: dict[str, Any]) -> None:
        await self.a_sale(given, **DOORS_OPEN, **NOTHING_YET)

    async def selling(self, given: dict[str, Any]) -> None:
        await self.a_sale(given)

    async def paused(self, given: dict[str, Any]) -> None:
        await self.a_sale(given, paused=True)

    async def ended(self, given: dict[str, Any]) -> None:
        await self.a_sale(given, ended=True)

    async def asks_for_a_proof(self, given: dict[str, Any]) -> None:
        await self.a_sale(given, challenge=True)

    async def a_proof_that_holds(self, given: dict[str, Any]) -> None:
        """What web sends is a word of its own making, which the real check would refuse."""
        await self.asks_for_a_proof(given)

        def check(_: ProofOfWork, event_id: UUID, solution: str) -> Solved:
            assert (str(event_id), solution) == (given["event_id"], given["solution"])
            return replace(PROVED, solution_id=event_id)

        self._briefly.change(ProofOfWork, "check", check)

    async def a_proof_that_was_used(self, given: dict[str, Any]) -> None:
        await self.a_proof_that_holds(given)
        event_id = UUID(given["event_id"])
        async with self._database.writer() as tx:
            assert await queries.use_solution(tx, event_id, event_id, PROVED.expires_at)

    async def no_key(self, given: dict[str, Any]) -> None:
        await self.a_sale(given)
        self._briefly.change(Sales, "steer", refusing(lambda: NoChallenge("There is no key.")))

    async def a_full_address(self, given: dict[str, Any]) -> None:
        await self.doors_open(given)
        for _ in range(MOST_PER_ADDRESS):
            await self.an_entry(given, address=given["address"])

    def somebody(self, state: str) -> Any:
        """The handler of somebody who stands so."""

        async def stands(given: dict[str, Any]) -> None:
            await self.a_sale(given)
            who = {"entry_id": UUID(given["entry_id"]), "person_id": UUID(given["person_id"])}
            await self.an_entry(given, **who, **STANDINGS[state])

        return stands

    async def drawn(self, given: dict[str, Any]) -> None:
        await self.a_sale(given)
        for each in given["entries"]:
            await self.an_entry(given, entry_id=UUID(each["entry_id"]), number=each["number"])

    async def very_many_drawn(self, given: dict[str, Any]) -> None:
        """More than a page behind one entry, whose own number is not on that page."""
        after = int(UUID(given["after"]))
        await self.a_sale(given, drawn=ENTRIES_A_PAGE + 2, last_number=ENTRIES_A_PAGE + 2)
        for number in range(ENTRIES_A_PAGE + 2):
            await self.an_entry(given, entry_id=UUID(int=after + number), number=number + 1)

    def handlers(self) -> dict[str, Any]:
        """Each by the name of its state."""
        return {
            "a sale announced": self.announced,
            "a sale whose doors are open": self.doors_open,
            "a sale that sells": self.selling,
            "a sale that is paused": self.paused,
            "a sale that has ended": self.ended,
            "a sale that asks for a proof": self.asks_for_a_proof,
            "a sale that asks for a proof, and this one holds": self.a_proof_that_holds,
            "a sale that asks for a proof, and this one was used": self.a_proof_that_was_used,
            "a sale of a shop that has no key for challenges": self.no_key,
            "a sale for which very many wait from one address": self.a_full_address,
            "a sale whose lots were drawn": self.drawn,
            "a sale with more entries behind one than a page has": self.very_many_drawn,
            **{f"somebody in a queue: {state}": self.somebody(state) for state in STANDINGS},
        }


async def test_waitingroom_answers_what_its_consumers_ask(harness: Harness) -> None:
    settings = harness.settings(
        WaitingroomSettings,
        inventory_url=NOWHERE,
        step_seconds=NEVER_SECONDS,
        most_per_address=MOST_PER_ADDRESS,
        challenge_key=CHALLENGE_KEY,
    )
    database = Database(settings)
    briefly = ForOneRequest()
    states = States(database, briefly)
    with_tracing()
    async with provided(lambda given: briefly.around(create_app(given)), settings, harness) as running:
        await verify_answers("waitingroom", running.url, callers=["web"], states=states.handlers())
    await database.close()
