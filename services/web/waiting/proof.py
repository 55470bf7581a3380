"""The proof of a draw: what was published before, what was revealed after, and all numbers, for whoever wants to draw again."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from services.web.browsing.shop import Shop
from services.web.clients.waitingroom import DrawnPage, Sale, WaitingroomClient
from services.web.frame import formats
from services.web.frame.cache import Cache
from services.web.frame.domain import OrderNotHere, SessionEnded
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor
from services.web.waiting.now_serving import NowServing

# What was drawn never changes; the pages of it are of 40 kB each.
DRAWN_SECONDS, MOST_PAGES = 3600.0, 200
PROOF_HEADERS = {"Cache-Control": "public, max-age=5"}
After = Annotated[UUID | None, Query()]


class Proofs:
    """What was drawn, kept in memory once lots are drawn: whoever checks reads all of it."""

    def __init__(self, waitingroom: WaitingroomClient, now_serving: NowServing) -> None:
        self._waitingroom = waitingroom
        self._now_serving = now_serving
        self._drawn: Cache[tuple[UUID, UUID | None], DrawnPage] = Cache(
            name="drawn", size=MOST_PAGES, ttl_seconds=DRAWN_SECONDS
        )

    async def sale(self, event_id: UUID) -> Sale:
        """The sale whose draw it is. Raises NoWaitingRoom."""
        return await self._now_serving.sale(event_id)

    async def drawn(self, sale: Sale, after: UUID | None) -> DrawnPage:
        """Some entries and their numbers, by entry; none before lots are drawn."""
        if sale.seed is None:
            return DrawnPage(items=[], next=None)
        event_id = sale.event_id
        return (await self._drawn.get((event_id, after), lambda: self._waitingroom.drawn(event_id, after))).value

    async def document(self, event_id: UUID, after: UUID | None) -> dict[str, Any]:
        """The proof as programs read it: local/verify_queue.py, and the script of its page."""
        sale = await self.sale(event_id)
        page = await self.drawn(sale, after)
        return {
            "event_id": str(event_id),
            "seed_hash": sale.seed_hash,
            "seed": sale.seed,
            "entries": [{"entry_id": str(each.entry_id), "number": each.number} for each in page.items],
            "next": str(page.next) if page.next else None,
        }


def make_proof_router(site: Site, shop: Shop, waitingroom: WaitingroomClient, proofs: Proofs) -> APIRouter:
    """The page that explains the draw, and what it is drawn again from."""
    router = APIRouter(include_in_schema=False)

    @router.get("/events/{event_id}/queue/proof", dependencies=[open_to_all])
    async def proof(request: Request, event_id: UUID, after: After = None) -> Response:
        visitor = await site.recognise(request)
        event = (await shop.event(event_id)).value
        sale = await proofs.sale(event_id)
        page = await proofs.drawn(sale, after)
        starts = formats.Moment(sale.starts_at, event.time_zone)
        path = f"/events/{event_id}/queue/proof"
        return site.renderer.page(
            request,
            visitor,
            "waiting/proof.html",
            event=event,
            sale=sale,
            starts=f"{starts.full} {starts.zone_name}",
            entries=sorted(page.items, key=lambda each: each.number),
            own=await _own_entry(site, visitor, waitingroom, event_id),
            path=path,
            is_part=after is not None or page.next is not None,
            more=f"{path}?after={page.next}" if page.next else None,
        )

    @router.get("/events/{event_id}/queue/proof.json", dependencies=[open_to_all])
    async def document(event_id: UUID, after: After = None) -> Response:
        return JSONResponse(await proofs.document(event_id, after), headers=PROOF_HEADERS)

    return router


async def _own_entry(site: Site, visitor: Visitor, waitingroom: WaitingroomClient, event_id: UUID) -> UUID | None:
    """The visitor's entry; None for who is in no queue, or if it cannot be asked now. The proof holds without it."""
    if visitor.session is None:
        return None
    try:
        async with site.token_of(visitor) as token:
            return (await waitingroom.standing(token, event_id)).entry_id
    except (OrderNotHere, SessionEnded, ProviderProblem, ProviderUnavailable):
        return None
