"""Whatever buyers do, in whatever order: places on a real database stand as a model of a few lines says."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import text

from chassis.db import Database
from chassis.ids import uuid7
from chassis.testing import Harness
from services.inventory import granting
from services.inventory.domain import HoldDiffers, HoldGone, HoldState, HoldUnknown, SeatsTaken, SoldOut, Wish
from services.inventory.granting import Granting
from services.inventory.service import Inventory
from services.inventory.settings import InventorySettings
from services.inventory.shards import Shards

RUNS = 1000
STEPS = 8
CAPACITY = 5
SEATS = ("A1", "A2", "A3")
LASTS = 600
Came = TypeVar("Came")


class Nobody:
    """A bus to which nobody listens."""

    async def say(self, message: Any) -> None:
        """Nothing."""


@dataclass
class Promised:
    """A hold, as the model knows it. `late`: its time is over, and nobody has noticed yet."""

    wish: Wish | None
    state: HoldState
    late: bool = False

    @property
    def takes(self) -> bool:
        """Whether its places are nobody else's."""
        return self.state in {HoldState.HELD, HoldState.COMMITTED}


class Model:
    """What inventory promises, without any database."""

    def __init__(self) -> None:
        self.holds: dict[UUID, Promised] = {}

    def left(self) -> int:
        return CAPACITY - sum(places_of(each.wish) for each in self.holds.values() if each.takes and each.wish)

    def owner(self, seat: str) -> Promised | None:
        taking = (each for each in self.holds.values() if each.takes and each.wish and seat in each.wish.seats)
        return next(taking, None)

    def fits(self, wish: Wish) -> bool:
        return places_of(wish) <= self.left() and not any(self.owner(seat) for seat in wish.seats)

    def notice_who_is_late(self) -> None:
        for each in self.holds.values():
            if each.late:
                each.state, each.late = HoldState.EXPIRED, False

    def hold_together(self, wishes: list[Wish]) -> list[Any]:
        owners = [self.owner(seat) for wish in wishes for seat in wish.seats]
        is_short = sum(map(places_of, wishes)) > self.left()
        if is_short or any(owner is not None and owner.state is HoldState.HELD for owner in owners):
            self.notice_who_is_late()
        known = set(self.holds)
        return [self._hold(wish, known) for wish in wishes]

    def _hold(self, wish: Wish, known: set[UUID]) -> Any:
        held = self.holds.get(wish.hold_id)
        if held is not None and wish.hold_id in known:
            if held.state in {HoldState.RELEASED, HoldState.EXPIRED}:
                return HoldGone
            return held.state if held.wish == wish else HoldDiffers
        if places_of(wish) > self.left():
            return SoldOut
        if any(self.owner(seat) for seat in wish.seats):
            return SeatsTaken
        self.holds[wish.hold_id] = Promised(wish, HoldState.HELD)
        return HoldState.HELD

    def commit(self, hold_id: UUID) -> Any:
        held = self.holds.get(hold_id)
        if held is None:
            return HoldUnknown
        if held.state is HoldState.RELEASED:
            return HoldGone
        if held.state is HoldState.EXPIRED and held.wish is not None and not self.fits(held.wish):
            return HoldGone
        held.state, held.late = HoldState.COMMITTED, False
        return held.state

    def release(self, hold_id: UUID) -> Any:
        held = self.holds.setdefault(hold_id, Promised(None, HoldState.RELEASED))
        held.state, held.late = HoldState.RELEASED, False
        return held.state

    def prolong(self, hold_id: UUID) -> Any:
        held = self.holds.get(hold_id)
        if held is None:
            return HoldUnknown
        if held.state is not HoldState.HELD:
            return HoldGone
        held.late = False
        return held.state


def places_of(wish: Wish) -> int:
    """Places of general admission."""
    return sum(quantity for _, quantity in wish.places)


WISHES = st.tuples(st.integers(0, 3), st.sets(st.sampled_from(SEATS), max_size=2)).filter(any)


class Buyers(RuleBasedStateMachine):
    """Does what buyers do, to inventory and to the model, and compares what each of them answers."""

    loop: asyncio.AbstractEventLoop
    database: Database
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        bus: Any = Nobody()
        self.model = Model()
        self.inventory = Inventory(Shards([self.database]), bus)
        self.granting = Granting(self.inventory)
        self.event_id, self.standing, self.stalls = uuid4(), uuid4(), uuid4()
        self.wishes: dict[UUID, Wish] = {}
        self.run(self._publish())

    def run(self, work: Coroutine[Any, Any, Came]) -> Came:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def _publish(self) -> None:
        about = {"event": self.event_id, "standing": self.standing, "stalls": self.stalls, "capacity": CAPACITY}
        async with self.database.writer() as tx:
            await tx.execute(_EVENT, {"event": self.event_id}, name="test")
            await tx.execute(_CLASSES, about, name="test")
            seats = {"event": self.event_id, "stalls": self.stalls, "seats": list(SEATS)}
            await tx.execute(_SEATS, seats, name="test")

    @rule(target=holds, wanted=st.lists(WISHES, min_size=1, max_size=4))
    def hold(self, wanted: list[tuple[int, set[str]]]) -> Any:
        wishes = [self._wish(uuid7(), *each) for each in wanted]
        self._compare(self._grant(wishes), self.model.hold_together(wishes))
        return multiple(*(wish.hold_id for wish in wishes))

    @rule(hold_id=holds)
    def hold_again(self, hold_id: UUID) -> None:
        wish = self.wishes[hold_id]
        self._compare(self._grant([wish]), self.model.hold_together([wish]))

    @rule(hold_id=holds, wanted=WISHES)
    def hold_something_else_by_the_same_name(self, hold_id: UUID, wanted: tuple[int, set[str]]) -> None:
        before = self.wishes[hold_id]
        other = self._wish(hold_id, *wanted)
        self._compare(self._grant([other]), self.model.hold_together([other]))
        if hold_id in self.model.holds and self.model.holds[hold_id].wish != other:
            self.wishes[hold_id] = before

    @rule(hold_id=holds)
    def commit(self, hold_id: UUID) -> None:
        self._compare([self._ask(self.inventory.commit_hold(self.event_id, hold_id))], [self.model.commit(hold_id)])

    @rule(hold_id=holds)
    def release(self, hold_id: UUID) -> None:
        self._compare([self._ask(self.inventory.release_hold(self.event_id, hold_id))], [self.model.release(hold_id)])

    @rule(hold_id=holds)
    def prolong(self, hold_id: UUID) -> None:
        asked = self.inventory.prolong_hold(self.event_id, hold_id, LASTS, LASTS)
        self._compare([self._ask(asked)], [self.model.prolong(hold_id)])

    @rule(hold_id=holds)
    def let_its_time_pass(self, hold_id: UUID) -> None:
        held = self.model.holds.get(hold_id)
        if held is not None and held.state is HoldState.HELD:
            held.late = True
            self.run(self._write(_LATE, {"hold_id": hold_id}))
            # A refusal is remembered for less time than a hold lasts.
            self.inventory._sold_out.forget(self.event_id, {self.standing})

    @rule()
    def tidy(self) -> None:
        self.run(self.inventory.release_expired_holds())
        self.model.notice_who_is_late()

    @invariant()
    def places_stand_as_the_model_says(self) -> None:
        counts, seats = self.run(self._look())
        taking = [each for each in self.model.holds.values() if each.wish]
        by_state = {
            state: sum(places_of(each.wish) for each in taking if each.wish and each.state is state)
            for state in (HoldState.HELD, HoldState.COMMITTED)
        }
        assert counts == tuple(by_state.values())
        names = {HoldState.HELD: "held", HoldState.COMMITTED: "sold"}
        owners = {seat: self.model.owner(seat) for seat in SEATS}
        assert seats == {seat: names[owner.state] if owner else "free" for seat, owner in owners.items()}

    def _wish(self, hold_id: UUID, quantity: int, seats: set[str]) -> Wish:
        known = self.wishes.get(hold_id)
        order_id = known.order_id if known else uuid4()
        places = ((self.standing, quantity),) if quantity else ()
        self.wishes[hold_id] = Wish(hold_id, order_id, places, tuple(sorted(seats)), LASTS)
        return self.wishes[hold_id]

    def _grant(self, wishes: list[Wish]) -> list[Any]:
        async def grant() -> list[Any]:
            asked = (self.granting.grant(self.event_id, wish) for wish in wishes)
            return await asyncio.gather(*asked, return_exceptions=True)

        return self.run(grant())

    def _ask(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.run(work)
        except Exception as error:  # noqa: BLE001  # which one it is, is compared
            return error

    def _compare(self, answers: list[Any], expected: list[Any]) -> None:
        for answer, said in zip(answers, expected, strict=True):
            if isinstance(said, HoldState):
                assert getattr(answer, "state", answer) == said
            else:
                assert isinstance(answer, said), f"{answer!r} instead of {said.__name__}"

    async def _write(self, statement: Any, parameters: dict[str, Any]) -> None:
        async with self.database.writer() as tx:
            await tx.execute(statement, parameters, name="test")

    async def _look(self) -> tuple[tuple[int, int], dict[str, str]]:
        async with self.database.reader() as reads:
            counts = (await reads.execute(_COUNTS, {"standing": self.standing}, name="test")).one()
            seats = await reads.execute(_STATES, {"event": self.event_id}, name="test")
            return (counts["held"], counts["sold"]), {row["seat_id"]: row["state"] for row in seats.mappings()}


_EVENT = text("INSERT INTO event (event_id, title, starts_at) VALUES (:event, 'Hamlet', now())")
_CLASSES = text("""
    INSERT INTO ticket_class (class_id, event_id, name, kind, capacity)
    VALUES (:standing, :event, 'Standing', 'general', :capacity), (:stalls, :event, 'Stalls', 'seated', 0)
""")
_SEATS = text("""
    INSERT INTO seat (event_id, seat_id, class_id, label)
    SELECT :event, each, :stalls, each FROM unnest(CAST(:seats AS text[])) AS each
""")
_LATE = text("UPDATE hold SET expires_at = now() - interval '1 second' WHERE hold_id = :hold_id")
_COUNTS = text("SELECT held, sold FROM ticket_class WHERE class_id = :standing")
_STATES = text("SELECT seat_id, state FROM seat WHERE event_id = :event")


@pytest.mark.timeout(900)
async def test_places_stand_as_a_simple_model_says(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    # The model knows no crowd: on a machine without a moment for it, a wish would be refused because it waits too long.
    monkeypatch.setattr(granting, "LONGEST_WAIT_SECONDS", 60.0)
    database = Database(harness.settings(InventorySettings))
    Buyers.loop, Buyers.database = asyncio.get_running_loop(), database
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    runs = settings(max_examples=RUNS, stateful_step_count=STEPS, suppress_health_check=slow, database=None)
    try:
        await asyncio.to_thread(run_state_machine_as_test, Buyers, settings=runs)
    finally:
        await database.close()
