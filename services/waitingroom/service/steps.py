"""A sale goes on by itself: lots are drawn when it starts, who comes later gets a number, and people are let in."""

import time
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.bus import Bus
from chassis.db import Database, Transaction
from chassis.http import ProviderProblem, ProviderUnavailable
from services.waitingroom import queries
from services.waitingroom.bank import Bank
from services.waitingroom.clients.inventory import Crowd, InventoryClient
from services.waitingroom.domain import Sale, let_in, next_rate
from services.waitingroom.events import QueueMoved
from tracing.spans import note, span

REST_SECONDS = 5.0


class Steps:
    """Takes steps of all sales that have begun. Several processes may: a step of one sale is one transaction on its row."""

    def __init__(self, database: Database, inventory: InventoryClient, bank: Bank, bus: Bus, turn_seconds: int) -> None:
        self._database = database
        self._inventory = inventory
        self._bank = bank
        self._bus = bus
        self._turn_seconds = turn_seconds
        self._rests_until = float("-inf")

    async def __call__(self) -> int:
        """A step of each sale. It returns 0: the next one is due after a while, never at once."""
        if time.monotonic() < self._rests_until:
            return 0
        async with self._database.reader() as reads:
            sales = await queries.sales_under_way(reads, REST_SECONDS)
        if not sales:
            # Most of the time nothing is sold this way: then it is looked for rarely, and seen before it begins.
            self._rests_until = time.monotonic() + REST_SECONDS / 2
        failed: Exception | None = None
        for event_id in (each for each, has_begun in sales.items() if has_begun):
            try:
                with span("waitingroom.step", {"onsale.event_id": str(event_id)}):
                    await self._step(event_id, await self._crowd(event_id))
            except Exception as error:  # noqa: BLE001  # one sale's trouble is none of the others'
                failed = error
        if failed is not None:
            raise failed
        return 0

    async def _crowd(self, event_id: UUID) -> Crowd | None:
        try:
            return await self._inventory.crowd(event_id)
        except (ProviderUnavailable, ProviderProblem):
            return None

    async def _step(self, event_id: UUID, crowd: Crowd | None) -> None:
        async with self._database.writer() as tx:
            found = await queries.take_due_sale(tx, event_id)
            if found is None:
                return
            before, now = found
            sale = await self._give_numbers(tx, before, now)
            late = self._bank.late_seconds()
            sale = as_the_shop_keeps_up(sale, crowd, late)
            serving, credit = let_in(sale, now, await queries.active(tx, event_id))
            if serving > sale.serving:
                await queries.give_turns(tx, event_id, sale.serving, serving, self._turn_seconds)
            sale = replace(sale, serving=serving, credit=credit, advanced_at=now)
            await queries.change_sale(tx, event_id, _changes(before, sale))
            note({"onsale.serving": serving, "onsale.places_left": sale.places_left})
            note({"onsale.rate_now": round(sale.rate_now, 1), "onsale.bank_late_ms": int(1000 * late) or None})
        if serving > before.serving:
            await self._bus.say(QueueMoved(event_id=event_id, serving=serving))

    async def _give_numbers(self, tx: Transaction, sale: Sale, now: datetime) -> Sale:
        if sale.drawn_at is None:
            drawn = await queries.draw_lots(tx, sale.event_id, sale.seed)
            await queries.change_sale(tx, sale.event_id, {"drawn": drawn, "drawn_at": now, "last_number": drawn})
            return replace(sale, drawn_at=now, last_number=drawn, advanced_at=now)
        late = await queries.number_late_comers(tx, sale.event_id, sale.last_number)
        return replace(sale, last_number=sale.last_number + late)


def as_the_shop_keeps_up(sale: Sale, crowd: Crowd | None, bank_late_seconds: float) -> Sale:
    """How fast it may go on, and whether there is anything to come in for. Without an answer it goes on more slowly."""
    wait_seconds = max(crowd.wait_seconds, bank_late_seconds) if crowd else None
    sale = replace(sale, rate_now=next_rate(sale.rate_now, sale.rate, wait_seconds))
    return replace(sale, places_left=crowd.left, places_in_carts=crowd.in_carts) if crowd else sale


def _changes(before: Sale, sale: Sale) -> dict[str, object]:
    names = ("rate_now", "serving", "credit", "last_number", "advanced_at", "places_left", "places_in_carts")
    return {name: getattr(sale, name) for name in names if getattr(sale, name) != getattr(before, name)}
