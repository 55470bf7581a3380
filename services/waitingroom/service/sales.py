"""Sales with a waiting room: announced, looked at, and steered while they run."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.db import Database, Reads
from chassis.statements import Row
from services.waitingroom import queries
from services.waitingroom.domain import NoChallenge, Sale, SaleHasBegun, SaleUnknown
from services.waitingroom.events import SaleScheduled

SEED_BYTES = 32


@dataclass(frozen=True)
class Announced:
    """What is wished of a sale. Rates in people a minute."""

    doors_open_at: datetime
    starts_at: datetime
    rate: int
    most_active: int


class Sales:
    """Use cases about a whole sale. `can_challenge`: this deployment can ask whoever joins for a proof."""

    def __init__(self, database: Database, *, can_challenge: bool = False) -> None:
        self._database = database
        self._can_challenge = can_challenge

    async def announce(self, event_id: UUID, wished: Announced) -> tuple[Sale, datetime]:
        """Gives an event a waiting room, or changes one whose doors are closed. Raises `SaleHasBegun`.

        The seed is made with the first announcement and never again: its hash is public from then on.
        """
        values = {name: getattr(wished, name) for name in ("doors_open_at", "starts_at", "rate", "most_active")}
        async with self._database.writer() as tx:
            seed = secrets.token_hex(SEED_BYTES)
            if not await queries.insert_sale(tx, {**values, "event_id": event_id, "seed": seed}):
                known, now = _known(await queries.lock_sale(tx, event_id), event_id)
                if now >= known.doors_open_at:
                    raise SaleHasBegun
                await queries.change_sale(tx, event_id, {**values, "rate_now": float(wished.rate)})
            found, now = await known_sale(tx, event_id)
            await tx.publish(_scheduled(found))
        return found, now

    async def sale(self, event_id: UUID) -> tuple[Sale, datetime]:
        """A sale, and what time it is. Raises `SaleUnknown`."""
        async with self._database.reader() as reads:
            return await known_sale(reads, event_id)

    async def drawn(self, event_id: UUID, after: UUID | None, limit: int) -> list[Row]:
        """Who was there when lots were drawn, by their ids. Raises `SaleUnknown`."""
        async with self._database.reader() as reads:
            await known_sale(reads, event_id)
            return await queries.drawn_entries(reads, event_id, after, limit)

    async def steer(
        self,
        event_id: UUID,
        *,
        paused: bool | None,
        ended: bool | None,
        rate: int | None,
        most_active: int | None,
        challenge: bool | None,
    ) -> tuple[Sale, datetime]:
        """Pauses, goes on, ends, or changes how many are let in and whether they are asked for a proof; None leaves it as it is.

        Raises `SaleUnknown`, and `NoChallenge` if this deployment cannot ask for one.
        """
        if challenge and not self._can_challenge:
            raise NoChallenge("This shop cannot ask for proofs: its settings lack WAITINGROOM_CHALLENGE_KEY.")
        async with self._database.writer() as tx:
            found, now = _known(await queries.lock_sale(tx, event_id), event_id)
            wished = {
                "paused": paused,
                "ended": ended,
                "rate": rate,
                "most_active": most_active,
                "challenge": challenge,
            }
            changes: dict[str, Any] = {name: value for name, value in wished.items() if value is not None}
            if rate is not None:
                changes["rate_now"] = min(found.rate_now, float(rate)) if rate < found.rate else float(rate)
            if changes:
                await queries.change_sale(tx, event_id, changes)
            steered = replace(found, **changes)
            if steered.ended != found.ended:
                await tx.publish(_scheduled(steered))
        return steered, now


async def known_sale(reads: Reads, event_id: UUID) -> tuple[Sale, datetime]:
    """A sale, and what time it is. Raises `SaleUnknown`."""
    return _known(await queries.sale(reads, event_id), event_id)


def _known(found: tuple[Sale, datetime] | None, event_id: UUID) -> tuple[Sale, datetime]:
    if found is None:
        raise SaleUnknown(event_id)
    return found


def _scheduled(sale: Sale) -> SaleScheduled:
    return SaleScheduled(
        event_id=sale.event_id,
        doors_open_at=sale.doors_open_at,
        starts_at=sale.starts_at,
        needs_pass=not sale.ended,
    )
