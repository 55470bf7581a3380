"""The best seats that are free for people who come together: beside each other, and leaving nobody else alone. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby


@dataclass(frozen=True, slots=True)
class FreeSeat:
    """A seat that nobody has. Seats of one row whose places follow each other are neighbours."""

    seat_id: str
    row_id: str | None
    place: int | None


Block = Sequence[FreeSeat]


def best_seats(free: Sequence[FreeSeat], count: int, seed: str) -> list[str] | None:
    """So many seats of `free`, which is in the order of rows and places; None if there are not so many.

    Neighbours in one row, chosen so that no single seat is left alone; among equals by `seed`, so that a crowd is not sent to one
    corner. If no row has so many beside each other, those that are nearest to each other.
    """
    if count > len(free):
        return None
    choices = [choice for block in _blocks(free) for choice in _choices(block, count)]
    if not choices:
        return _nearest(free, count)
    fewest = min(alone for alone, _ in choices)
    equals = [seats for alone, seats in choices if alone == fewest]
    chosen = equals[int.from_bytes(sha256(seed.encode()).digest()[:8]) % len(equals)]
    return [seat.seat_id for seat in chosen]


def _blocks(free: Sequence[FreeSeat]) -> Iterator[Block]:
    """Free seats that are beside each other, without a gap. Of a seat whose neighbours are not known, itself alone."""

    def key(numbered: tuple[int, FreeSeat]) -> tuple[str | None, int | None]:
        index, seat = numbered
        return seat.row_id, None if seat.place is None else seat.place - index

    for (row_id, _), block in groupby(enumerate(free), key):
        seats = [seat for _, seat in block]
        yield from [seats] if row_id is not None else [[seat] for seat in seats]


def _choices(block: Block, count: int) -> Iterator[tuple[int, Block]]:
    """Each way to seat so many in a block, and how many seats it leaves alone."""
    for start in range(len(block) - count + 1):
        left, right = start, len(block) - start - count
        yield (left == 1) + (right == 1), block[start : start + count]


def _nearest(free: Sequence[FreeSeat], count: int) -> list[str]:
    """Those that follow each other in the order of rows and places with the fewest rows between the first and the last."""
    rows: dict[str | None, int] = {}
    for seat in free:
        rows.setdefault(seat.row_id, len(rows))

    def spread(start: int) -> tuple[int, int]:
        first, last = free[start], free[start + count - 1]
        apart = rows[last.row_id] - rows[first.row_id]
        # Places of different rows say nothing about how near they are.
        return apart, 0 if apart else (last.place or 0) - (first.place or 0)

    best = min(range(len(free) - count + 1), key=spread)
    return [seat.seat_id for seat in free[best : best + count]]
