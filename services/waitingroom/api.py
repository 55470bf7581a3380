"""Waitingroom's routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.identity import Person, person
from chassis.operations import serves
from services.waitingroom.domain import Sale, commitment, expected_seconds
from services.waitingroom.operations import (
    ANNOUNCE_SALE,
    COME_IN,
    ENTRIES_A_PAGE,
    GET_SALE,
    GET_STANDING,
    JOIN_QUEUE,
    LIST_DRAWN,
    MAKE_CHALLENGE,
    STEER_SALE,
    ChallengeOut,
    DrawnOut,
    DrawnPage,
    JoinIn,
    PassOut,
    SaleIn,
    SaleOut,
    StandingOut,
    SteerIn,
)
from services.waitingroom.service.proofs import Proofs
from services.waitingroom.service.queue import Queue, Standing
from services.waitingroom.service.sales import Announced, Sales


def make_router(sales: Sales, queue: Queue, proofs: Proofs) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()
    _add_sales(router, sales)
    _add_queue(router, queue, proofs)
    return router


def _add_sales(router: APIRouter, sales: Sales) -> None:
    @serves(router, ANNOUNCE_SALE)
    async def announce(event_id: UUID, body: SaleIn) -> SaleOut:
        """Gives an event a waiting room, or changes one whose doors are closed."""
        wished = Announced(body.doors_open_at, body.starts_at, body.rate, body.most_active)
        return sale_out(*await sales.announce(event_id, wished))

    @serves(router, GET_SALE)
    async def sale(event_id: UUID) -> SaleOut:
        """How a sale stands."""
        return sale_out(*await sales.sale(event_id))

    @serves(router, STEER_SALE)
    async def steer(event_id: UUID, body: SteerIn) -> SaleOut:
        """Pauses a sale, goes on, ends it, changes how many are let in, or whether whoever joins is asked for a proof of work."""
        return sale_out(*await sales.steer(event_id, **body.model_dump()))

    @serves(router, LIST_DRAWN)
    async def drawn(event_id: UUID, after: Annotated[UUID | None, Query()] = None) -> DrawnPage:
        """Who was there when lots were drawn, and their numbers: with the seed anybody can draw them again."""
        found = await sales.drawn(event_id, after, ENTRIES_A_PAGE + 1)
        items = [DrawnOut.model_validate(row) for row in found[:ENTRIES_A_PAGE]]
        return DrawnPage(items=items, next=items[-1].entry_id if len(found) > ENTRIES_A_PAGE else None)


def _add_queue(router: APIRouter, queue: Queue, proofs: Proofs) -> None:
    @serves(router, MAKE_CHALLENGE)
    async def challenge(event_id: UUID) -> ChallengeOut:
        """What a browser is to compute before its person joins, where the sale asks for it."""
        return ChallengeOut(puzzle=await proofs.puzzle(event_id))

    @serves(router, JOIN_QUEUE)
    async def join(event_id: UUID, body: JoinIn, buyer: Annotated[Person, Depends(person)]) -> StandingOut:
        """Puts the person into the queue; asked again, they stay where they are."""
        return _standing_out(await queue.join(event_id, buyer.person_id, body.address, body.solution))

    @serves(router, GET_STANDING)
    async def standing(event_id: UUID, buyer: Annotated[Person, Depends(person)]) -> StandingOut:
        """How the person stands in the queue."""
        return _standing_out(await queue.standing(event_id, buyer.person_id))

    @serves(router, COME_IN)
    async def come_in(event_id: UUID, buyer: Annotated[Person, Depends(person)]) -> PassOut:
        """A pass, if it is their turn; asked again, the same."""
        token, until = await queue.come_in(event_id, buyer.person_id)
        return PassOut(token=token, until=until)


def sale_out(sale: Sale, now: datetime) -> SaleOut:
    """A sale as everybody may see it: its seed once lots are drawn."""
    return SaleOut(
        event_id=sale.event_id,
        state=sale.state(now),
        doors_open_at=sale.doors_open_at,
        starts_at=sale.starts_at,
        rate=sale.rate,
        rate_now=sale.rate_now,
        most_active=sale.most_active,
        seed_hash=commitment(sale.seed),
        seed=sale.seed if sale.drawn_at else None,
        serving=sale.serving,
        last_number=sale.last_number,
        places_left=sale.places_left,
        places_in_carts=sale.places_in_carts,
        challenge=sale.challenge,
    )


def _standing_out(standing: Standing) -> StandingOut:
    sale, entry, now = standing.sale, standing.entry, standing.now
    expected = expected_seconds(sale, entry.number, now) if entry.number is not None else None
    return StandingOut(
        entry_id=entry.entry_id,
        state=entry.state(now),
        number=entry.number,
        until=entry.until,
        expected_seconds=expected,
        sale=sale_out(sale, now),
    )
