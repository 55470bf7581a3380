"""Inventory's use cases, one transaction each."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.bus import Bus
from chassis.db import Transaction
from chassis.lookout import Rest
from services.inventory import queries
from services.inventory.choosing import allocate_and_choose
from services.inventory.domain import (
    ClassKind,
    ClassRow,
    EventUnknown,
    Granted,
    HoldDiffers,
    HoldGone,
    HoldState,
    HoldUnknown,
    InventoryError,
    Line,
    NoneLeft,
    Outcome,
    SeatRow,
    SeatState,
    SoldOut,
    Stock,
    Wish,
    is_same_wish,
    quantities,
    seats_of,
)
from services.inventory.events import ChangedSeat, HoldExpired, PlacesChanged
from services.inventory.repetitions import Repetitions
from services.inventory.shards import Shards, where_it_is
from services.inventory.sold_out import SoldOutClasses
from tracing.spans import continued, note, span


@dataclass(frozen=True)
class Hold:
    """A hold as callers see it. `new` tells whether this call made it."""

    hold_id: UUID
    event_id: UUID
    order_id: UUID | None
    state: HoldState
    expires_at: datetime
    lines: tuple[Line, ...]
    new: bool = False


Answer = Hold | InventoryError


@dataclass(frozen=True)
class _Placed:
    """What a batch of wishes came to, and what was granted of it."""

    answers: list[Answer]
    lines: list[Line]


class _SomeAreOverdue(Exception):
    """Somebody would be refused what holds that ran out still have: nothing is written before those are given back."""


class Inventory:
    """What may be sold: capacity, seats, holds."""

    def __init__(self, shards: Shards, bus: Bus) -> None:
        self._shards = shards
        self._bus = bus
        self._sold_out = SoldOutClasses()
        self._repetitions = Repetitions(shards)
        self._rests = {database: Rest(database) for database in shards.all()}

    @where_it_is
    async def place_holds(self, event_id: UUID, wishes: list[Wish]) -> list[Answer]:
        """Grants or refuses a batch of wishes for one event in one transaction, in order. Never more than there is.

        Holds that nobody paid for in time are given back first if that could help somebody here.
        """
        with span("inventory.place_holds", {"onsale.event_id": str(event_id), "onsale.batch": len(wishes)}):
            try:
                placed = await self._place(event_id, wishes, may_be_short=False)
            except _SomeAreOverdue:
                # In a transaction of its own: their seats are others than the wished ones, and after those would be locked out of order.
                async with self._shards.writer(event_id) as tx:
                    rows = await self._expire_overdue(tx, event_id)
                await self._tell_freed(rows)
                placed = await self._place(event_id, wishes, may_be_short=True)
        if placed.lines:
            await self._tell_bus(event_id, placed.lines, SeatState.HELD)
        return placed.answers

    async def _place(self, event_id: UUID, wishes: list[Wish], *, may_be_short: bool) -> _Placed:
        """One attempt. Raises `_SomeAreOverdue` if places are short and overdue holds have some, unless it `may_be_short`."""
        changes = self._sold_out.changes
        async with self._shards.writer(event_id) as tx:
            stock = await _locked_stock(tx, event_id, wishes)
            # Expiry is part of the question: who comes now gets what others let go, whether or not the sweeper has run.
            if not may_be_short and _is_short(wishes, stock) and await queries.any_overdue(tx, event_id):
                raise _SomeAreOverdue
            # This is read under the locks, because another process may just have granted the same wish.
            known = await queries.holds_by_id(tx, [wish.hold_id for wish in wishes])
            fresh = list({wish.hold_id: wish for wish in wishes if wish.hold_id not in known}.values())
            # Before seats are chosen: who is refused for want of a pass takes none from the others.
            stock.passes = await queries.take_passes(tx, _passes_of(fresh, stock))
            outcomes = await allocate_and_choose(tx, event_id, fresh, stock)
            if not may_be_short and _lacks_seats(outcomes, stock) and await queries.any_overdue(tx, event_id):
                raise _SomeAreOverdue
            granted = [outcome for outcome in outcomes.values() if isinstance(outcome, Granted)]
            expiries = await self._write(tx, event_id, granted, stock)
            await self._give_passes_back(tx, outcomes, stock)
        for outcome in outcomes.values():
            if isinstance(outcome, NoneLeft):
                self._sold_out.remember(event_id, outcome, changes)
        answers = [_answer(wish, event_id, known, outcomes, expiries) for wish in wishes]
        return _Placed(answers, [line for each in granted for line in each.lines])

    @where_it_is
    async def refuse_at_once(self, event_id: UUID, wish: Wish) -> None:
        """Raises `NoneLeft` if that is known, unless this very wish was granted before. It waits for no lock."""
        refusal = self._sold_out.refusal(event_id, wish)
        if refusal is not None and not await self._repetitions.is_one(event_id, wish.hold_id):
            raise refusal

    @where_it_is
    async def hold(self, event_id: UUID, hold_id: UUID) -> Hold:
        """One hold. Raises `HoldUnknown`."""
        async with self._shards.reader(event_id) as reads:
            row = (await queries.holds_by_id(reads, [hold_id])).get(hold_id)
        if row is None or row["event_id"] != event_id:
            raise HoldUnknown(hold_id)
        return _hold_of(row)

    @where_it_is
    async def commit_hold(self, event_id: UUID, hold_id: UUID) -> Hold:
        """Sells what a hold holds. Safe to repeat. An expired hold is taken again if its places are free.

        Raises `HoldUnknown`, and `HoldGone` if it was released or its places went to others.
        """
        with span("inventory.commit_hold", {"onsale.event_id": str(event_id), "onsale.hold_id": str(hold_id)}):
            async with self._shards.writer(event_id) as tx:
                row = await queries.lock_hold(tx, event_id, hold_id)
                if row is None:
                    raise HoldUnknown(hold_id)
                hold = _hold_of(row)
                note(_attributes_of(hold))
                if hold.state is HoldState.COMMITTED:
                    return hold
                if hold.state is HoldState.RELEASED:
                    raise HoldGone(hold_id)
                counts = quantities(hold.lines)
                if hold.state is HoldState.HELD:
                    await queries.add_to_counters(tx, {key: -count for key, count in counts.items()}, counts)
                    await queries.sell_held_seats(tx, hold_id, len(seats_of(hold.lines)))
                else:
                    await self._take_again(tx, hold)
                await queries.set_hold_state(tx, hold_id, hold.state, HoldState.COMMITTED)
        await self._tell_bus(event_id, hold.lines, SeatState.SOLD)
        return _with_state(hold, HoldState.COMMITTED)

    @where_it_is
    async def prolong_hold(self, event_id: UUID, hold_id: UUID, ttl_seconds: int, longest_seconds: int) -> Hold:
        """Lets a hold last so long from now, at most so long from its beginning; never shorter than before. Safe to repeat.

        Raises `HoldUnknown`, and `HoldGone` if it is no hold any more.
        """
        with span("inventory.prolong_hold", {"onsale.event_id": str(event_id), "onsale.hold_id": str(hold_id)}):
            async with self._shards.writer(event_id) as tx:
                row = await queries.lock_hold(tx, event_id, hold_id)
                if row is None:
                    raise HoldUnknown(hold_id)
                hold = _hold_of(row)
                note(_attributes_of(hold))
                if hold.state is not HoldState.HELD:
                    raise HoldGone(hold_id)
                return replace(hold, expires_at=await queries.prolong_hold(tx, hold_id, ttl_seconds, longest_seconds))

    @where_it_is
    async def release_hold(self, event_id: UUID, hold_id: UUID) -> Hold:
        """Gives the places back, sold ones too. Safe to repeat. A hold that is not known can never be granted after this."""
        with span("inventory.release_hold", {"onsale.event_id": str(event_id), "onsale.hold_id": str(hold_id)}):
            async with self._shards.writer(event_id) as tx:
                if await queries.insert_tombstone(tx, event_id, hold_id):
                    return _hold_of((await queries.holds_by_id(tx, [hold_id]))[hold_id])
                row = await queries.lock_hold(tx, event_id, hold_id)
                if row is None:
                    raise HoldUnknown(hold_id)
                hold = _hold_of(row)
                note(_attributes_of(hold))
                if hold.state is HoldState.RELEASED:
                    return hold
                counts = {key: -count for key, count in quantities(hold.lines).items()}
                if hold.state is HoldState.HELD:
                    await queries.add_to_counters(tx, counts, {})
                elif hold.state is HoldState.COMMITTED:
                    await queries.add_to_counters(tx, {}, counts)
                await queries.free_seats(tx, [hold_id])
                await queries.set_hold_state(tx, hold_id, hold.state, HoldState.RELEASED)
        # What ran out was told free then, and by now others may have it.
        if hold.state is not HoldState.EXPIRED:
            await self._tell_bus(event_id, hold.lines, SeatState.FREE)
        return _with_state(hold, HoldState.RELEASED)

    async def release_expired_holds(self) -> int:
        """Tidies: gives back a bounded number of overdue holds of each shard. How many."""
        expired = 0
        for database, rest in self._rests.items():
            # Most of the time nothing is overdue: while nothing is held it is not even asked each time.
            if not rest.is_over:
                continue
            writes = database.writes
            async with database.writer(single=True) as tx:
                any_held, any_overdue = await queries.held(tx)
            rest.begin(writes + 1, waits=any_held)  # its own look was one
            if not any_overdue:
                continue
            async with database.writer() as tx:
                rows = await self._expire_overdue(tx, None)
            await self._tell_freed(rows)
            expired += len(rows)
        return expired

    @where_it_is
    async def availability(self, event_id: UUID) -> list[Any]:
        """Capacity and free places of each class. Raises `EventUnknown`. Overdue holds count as taken until they are tidied."""
        async with self._shards.reader(event_id) as reads:
            rows = await queries.availability(reads, event_id)
        if not rows:
            raise EventUnknown(event_id)
        return rows

    @where_it_is
    async def crowd(self, event_id: UUID) -> tuple[int, int]:
        """How many places are left, and how many are in carts. Raises `EventUnknown`."""
        async with self._shards.reader(event_id) as reads:
            row = await queries.crowd(reads, event_id)
        if row is None:
            raise EventUnknown(event_id)
        return row["left"], row["in_carts"]

    @where_it_is
    async def taken_seats(self, event_id: UUID) -> list[Any]:
        """Seats that somebody has. Raises `EventUnknown`."""
        async with self._shards.reader(event_id) as reads:
            rows = await queries.taken_seats(reads, event_id)
            if not rows and not await queries.event_exists(reads, event_id):
                raise EventUnknown(event_id)
        return rows

    async def _write(
        self, tx: Transaction, event_id: UUID, granted: list[Granted], stock: Stock
    ) -> dict[UUID, datetime]:
        if not granted:
            return {}
        expiries = await queries.insert_holds(tx, event_id, granted)
        await queries.add_to_counters(tx, quantities(line for each in granted for line in each.lines), {})
        await queries.hold_seats(tx, event_id, stock.taken_seats)
        return expiries

    async def _give_passes_back(self, tx: Transaction, outcomes: dict[UUID, Outcome], stock: Stock) -> None:
        refused = [hold_id for hold_id in stock.passes.values() if isinstance(outcomes.get(hold_id), InventoryError)]
        if refused:
            await queries.give_passes_back(tx, refused)

    async def _take_again(self, tx: Transaction, hold: Hold) -> None:
        counts = quantities(hold.lines)
        classes = await queries.lock_classes(tx, hold.event_id, sorted(counts))
        if any(count > classes[class_id].available for class_id, count in counts.items()):
            raise HoldGone(hold.hold_id)
        owners = dict.fromkeys(seats_of(hold.lines), hold.hold_id)
        if await queries.take_seats(tx, hold.event_id, owners, SeatState.SOLD) < len(owners):
            raise HoldGone(hold.hold_id)
        await queries.add_to_counters(tx, {}, counts)

    async def _expire_overdue(self, tx: Transaction, event_id: UUID | None) -> list[Any]:
        rows = await queries.take_overdue_holds(tx, event_id)
        if rows:
            counts = quantities(line for row in rows for line in queries.lines_of_json(row["lines"]))
            await queries.add_to_counters(tx, {key: -count for key, count in counts.items()}, {})
            await queries.free_seats(tx, [row["hold_id"] for row in rows])
        for row in rows:
            fact = HoldExpired(
                hold_id=row["hold_id"], event_id=row["event_id"], order_id=row["order_id"], expired_at=row["expires_at"]
            )
            # The span belongs to the trace of the purchase that held the places, whichever process releases them.
            with continued("inventory.release_expired_hold", row["traceparent"], _attributes_of(_expired(row))):
                await tx.publish(fact)
        return rows

    async def _tell_freed(self, rows: list[Any]) -> None:
        for row in rows:
            with continued("inventory.tell_freed_places", row["traceparent"], _attributes_of(_expired(row))):
                await self._tell_bus(row["event_id"], queries.lines_of_json(row["lines"]), SeatState.FREE)

    async def _tell_bus(self, event_id: UUID, lines: list[Line] | tuple[Line, ...], state: SeatState) -> None:
        """Lets open seat maps know, and who is refused from memory; who misses it sees it with the next snapshot."""
        if state is SeatState.FREE:
            self._sold_out.forget(event_id, {line.class_id for line in lines})
        seats = [ChangedSeat(seat_id=line.seat_id, state=state) for line in lines if line.seat_id]
        message = PlacesChanged(event_id=event_id, seats=seats, classes=sorted({line.class_id for line in lines}))
        await self._bus.say(message)


async def _locked_stock(tx: Transaction, event_id: UUID, wishes: list[Wish]) -> Stock:
    class_ids = sorted({class_id for wish in wishes for class_id, _ in wish.places})
    seat_ids = sorted({seat_id for wish in wishes for seat_id in wish.seats})
    classes = await queries.lock_classes(tx, event_id, class_ids)
    seats = await queries.lock_seats(tx, event_id, seat_ids)
    if not classes and not seats and not await queries.event_exists(tx, event_id):
        raise EventUnknown(event_id)
    return Stock(classes, seats)


def _passes_of(wishes: list[Wish], stock: Stock) -> dict[UUID, UUID]:
    """Who wants to use which pass; of two who come with the same, the first. Nobody, if this event needs none."""
    rows: list[ClassRow | SeatRow] = [*stock.classes.values(), *stock.seats.values()]
    if not any(row.needs_pass for row in rows):
        return {}
    return {wish.pass_id: wish.hold_id for wish in reversed(wishes) if wish.pass_id is not None}


def _is_short(wishes: list[Wish], stock: Stock) -> bool:
    asked: dict[UUID, int] = {}
    for wish in wishes:
        for class_id, quantity in wish.places:
            asked[class_id] = asked.get(class_id, 0) + quantity
    few = any(
        class_id in stock.classes and count > stock.classes[class_id].available for class_id, count in asked.items()
    )
    return few or any(seat.state is SeatState.HELD for seat in stock.seats.values())


def _lacks_seats(outcomes: dict[UUID, Outcome], stock: Stock) -> bool:
    refused = {outcome.class_id for outcome in outcomes.values() if isinstance(outcome, SoldOut)}
    return any(stock.classes[class_id].kind is ClassKind.SEATED for class_id in refused)


def _answer(
    wish: Wish, event_id: UUID, known: dict[UUID, Any], outcomes: dict[UUID, Outcome], expiries: dict[UUID, datetime]
) -> Answer:
    if wish.hold_id in known:
        return _known_answer(wish, _hold_of(known[wish.hold_id]))
    outcome = outcomes[wish.hold_id]
    if isinstance(outcome, InventoryError):
        return outcome
    return Hold(wish.hold_id, event_id, wish.order_id, HoldState.HELD, expiries[wish.hold_id], outcome.lines, new=True)


def _known_answer(wish: Wish, hold: Hold) -> Answer:
    if hold.state in {HoldState.RELEASED, HoldState.EXPIRED}:
        return HoldGone(wish.hold_id)
    if hold.order_id is None or not is_same_wish(wish, hold.order_id, hold.lines):
        return HoldDiffers(wish.hold_id)
    return hold


def _hold_of(row: Any) -> Hold:
    lines = queries.lines_of_json(row["lines"])
    return Hold(row["hold_id"], row["event_id"], row["order_id"], HoldState(row["state"]), row["expires_at"], lines)


def _attributes_of(hold: Hold) -> dict[str, Any]:
    """Which hold this is, for spans."""
    order = {"onsale.order_id": str(hold.order_id)} if hold.order_id else {}
    return order | {
        "onsale.hold_id": str(hold.hold_id),
        "onsale.event_id": str(hold.event_id),
        "onsale.hold_state": hold.state.value,
        "onsale.places": sum(line.quantity for line in hold.lines),
    }


def _expired(row: Any) -> Hold:
    return _hold_of({**row, "state": HoldState.EXPIRED})


def _with_state(hold: Hold, state: HoldState) -> Hold:
    return Hold(hold.hold_id, hold.event_id, hold.order_id, state, hold.expires_at, hold.lines)
