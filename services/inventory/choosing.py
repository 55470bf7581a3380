"""Chooses seats for those who want the best of a class, in the transaction that grants them. Use case and queries."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from chassis.db import Reads, Transaction
from chassis.statements import text
from services.inventory.domain import (
    ClassKind,
    Granted,
    NoneLeft,
    Outcome,
    SeatRow,
    SeatState,
    SoldOut,
    Stock,
    Wish,
    allocate,
    grant,
    refusal_of,
)
from services.inventory.queries import SALE
from services.inventory.seating import FreeSeat, best_seats

# Another process may lock seats between the look and the lock; then others are chosen.
ROUNDS = 3


async def allocate_and_choose(
    tx: Transaction, event_id: UUID, wishes: Sequence[Wish], stock: Stock
) -> dict[UUID, Outcome]:
    """Grants or refuses each wish, in order: by hold. Those for the best seats of seated classes get certain ones, which are locked."""
    seated = {class_id for class_id, row in stock.classes.items() if row.kind is ClassKind.SEATED}
    if not seated:
        return dict(zip((wish.hold_id for wish in wishes), allocate(wishes, stock), strict=True))
    # What is refused as things stand is refused in its turn as well, and keeps no seats from others.
    hopeful = [wish for wish in wishes if refusal_of(wish, stock, seated) is None]
    wanted = {class_id for wish in hopeful for class_id, _ in wish.places} & seated
    taken = {seat_id for wish in hopeful for seat_id in wish.seats}
    found = await _free_seats_of(tx, sorted(wanted)) if wanted else {}
    free = {class_id: [seat for seat in seats if seat.seat_id not in taken] for class_id, seats in found.items()}
    return {wish.hold_id: await _outcome(tx, event_id, wish, stock, free, seated) for wish in wishes}


async def _outcome(
    tx: Transaction, event_id: UUID, wish: Wish, stock: Stock, free: dict[UUID, list[FreeSeat]], seated: set[UUID]
) -> Outcome:
    refusal = refusal_of(wish, stock, seated)
    if refusal is not None:
        return refusal
    before = dict(free)
    chosen = await _chosen(tx, event_id, wish, stock, free)
    outcome = grant(chosen, stock) if isinstance(chosen, Wish) else chosen
    if not isinstance(outcome, Granted):
        _put_back(free, before, stock)
    return outcome


def _put_back(free: dict[UUID, list[FreeSeat]], before: dict[UUID, list[FreeSeat]], stock: Stock) -> None:
    """Leaves the seats that were locked for a wish to those behind it; not those that another process has locked."""
    changed = [class_id for class_id, seats in before.items() if free[class_id] is not seats]
    for class_id in changed:
        left = set(free[class_id])
        free[class_id] = [seat for seat in before[class_id] if seat in left or seat.seat_id in stock.seats]


async def _chosen(
    tx: Transaction, event_id: UUID, wish: Wish, stock: Stock, free: dict[UUID, list[FreeSeat]]
) -> Wish | SoldOut:
    """The wish, for certain seats instead of the best of a class; they are locked, and join the stock."""
    seats = list(wish.seats)
    for class_id, quantity in wish.places:
        if class_id not in free:
            continue
        found = await _lock_best(tx, event_id, stock, free, class_id, quantity, str(wish.hold_id))
        if found is None:
            left = len(free[class_id])
            return SoldOut(class_id, left) if left else NoneLeft(class_id, await _held_seats_of(tx, class_id))
        seats += found
    places = tuple((class_id, quantity) for class_id, quantity in wish.places if class_id not in free)
    return replace(wish, places=places, seats=tuple(seats))


async def _lock_best(
    tx: Transaction,
    event_id: UUID,
    stock: Stock,
    free: dict[UUID, list[FreeSeat]],
    class_id: UUID,
    quantity: int,
    seed: str,
) -> list[str] | None:
    for _ in range(ROUNDS):
        best = best_seats(free[class_id], quantity, seed)
        if best is None:
            return None
        locked = await _lock_free_seats(tx, event_id, best)
        gone = set(best) if len(locked) == len(best) else set(best) - locked.keys()
        free[class_id] = [seat for seat in free[class_id] if seat.seat_id not in gone]
        if len(locked) == len(best):
            stock.seats.update(locked)
            return best
    return None


async def _free_seats_of(reads: Reads, class_ids: list[UUID]) -> dict[UUID, list[FreeSeat]]:
    """The free seats of classes of which somebody wants the best, by row and place."""
    query = text("""
        SELECT class_id, seat_id, row_id, place_in_row FROM seat
        WHERE class_id = ANY(:class_ids) AND state = 'free' ORDER BY row_id, place_in_row, seat_id
    """)
    found: dict[UUID, list[FreeSeat]] = {class_id: [] for class_id in class_ids}
    for row in (await reads.execute(query, {"class_ids": class_ids}, name="inventory.free_seats_of")).mappings():
        found[row["class_id"]].append(FreeSeat(row["seat_id"], row["row_id"], row["place_in_row"]))
    return found


async def _held_seats_of(reads: Reads, class_id: UUID) -> int:
    """How many seats of a class are in carts."""
    query = text("SELECT count(*) FROM seat WHERE class_id = :class_id AND state = 'held'")
    return int((await reads.execute(query, {"class_id": class_id}, name="inventory.held_seats_of")).scalar())


async def _lock_free_seats(tx: Transaction, event_id: UUID, seat_ids: list[str]) -> dict[str, SeatRow]:
    """Locks those of these seats that are free and that nobody else has locked. It waits for nobody."""
    query = text(f"""
        SELECT seat.seat_id, seat.class_id, seat.label, seat.state, {SALE}
        FROM seat JOIN ticket_class USING (class_id)
        WHERE seat.event_id = :event_id AND seat.seat_id = ANY(:seat_ids) AND seat.state = 'free'
        ORDER BY seat.seat_id FOR UPDATE OF seat SKIP LOCKED
    """)  # noqa: S608  # a constant of this module
    rows = await tx.execute(query, {"event_id": event_id, "seat_ids": seat_ids}, name="inventory.lock_free_seats")
    return {row["seat_id"]: SeatRow(**{**row, "state": SeatState(row["state"])}) for row in rows.mappings()}
