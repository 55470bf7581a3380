"""The list of events, the page of one, its seating plan, and what changes while somebody looks."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from services.web.browsing.domain import Wish
from services.web.browsing.event_rooms import EventRooms
from services.web.browsing.held_places import held_notice, own_orders, own_seats
from services.web.browsing.shop import Shop
from services.web.browsing.views import card_of, event_view
from services.web.browsing.way_in import admitted_notice, needs_pass, way_in
from services.web.frame.domain import PageUnknown
from services.web.frame.notices import Notice
from services.web.frame.pages import immutable
from services.web.frame.signing import new_secret
from services.web.frame.site import Site
from services.web.frame.sockets import Sockets, no_socket
from services.web.frame.visitors import Visitor

OLD_NUMBERS = Notice(
    "warning",
    "We cannot see at the moment how many places are left.",
    "You can choose, and try: you hear what is gone when you hold your places.",
)
# A proxy may keep it for a second, for everybody.
PLACES_HEADERS = {"Cache-Control": "public, max-age=1"}
NO_SEATS: dict[str, str] = {}
LONGEST_QUERY = 100
TOO_LONG = Notice(
    "warning",
    f"A search has at most {LONGEST_QUERY} letters.",
    "Write less: the name of the event, of the place, or of a city. Until then, here are all events.",
)
OLD_EVENT = Notice(
    "warning",
    "This page may be a little old.",
    "We cannot reach our catalogue at the moment. What you see was true a short while ago.",
)


class EventPage:
    """The page of an event."""

    def __init__(self, site: Site, shop: Shop) -> None:
        self._site = site
        self._shop = shop

    async def show(
        self,
        request: Request,
        visitor: Visitor,
        event_id: UUID,
        *,
        wish: Wish | None = None,
        attempt: str | None = None,
        notices: tuple[Notice, ...] = (),
        status: int = 200,
        also_taken: frozenset[str] = frozenset(),
        has_lost_pass: bool = False,
    ) -> Response:
        """The page, also as the answer to a form that could not be fulfilled: then with what was chosen.

        `has_lost_pass`: the browser's pass was refused, so that the way into the waiting room is shown again.
        """
        wish = wish or Wish()
        found = await self._shop.event(event_id)
        house = await self._shop.house(found.value)
        # What one holds is only a help: nobody waits for it longer than for what everybody sees.
        own, (free, taken, is_old), sale = await asyncio.gather(
            own_orders(self._site, visitor, event_id),
            self._places(event_id, with_seats=house is not None),
            self._shop.sale(event_id),
        )
        admission = None if has_lost_pass else self._site.cookies.admission(request, event_id)
        zone = found.value.time_zone
        admitted = [admitted_notice(admission, zone)] if admission and needs_pass(sale) else []
        shown = [*notices, *admitted, *(held_notice(order) for order in own), *([OLD_EVENT] if found.stale else [])]

        def context(new_attempt: str) -> dict[str, Any]:
            view = event_view(found.value, house, free, wish)
            closed = house.seats_of(view.unsold_categories) if house else {}
            kept = closed | taken | dict.fromkeys(also_taken - taken.keys(), "held") if closed or also_taken else taken
            return {
                "event": view,
                "way_in": way_in(sale, admission, view.unsold, zone, datetime.now(UTC)),
                "seat_list": house.list_of_seats(kept, wish.seats, own_seats(own)) if house else "",
                "notices": [*shown, *([OLD_NUMBERS] if is_old and view.on_sale else [])],
                "attempt": attempt or new_attempt,
            }

        template = "browsing/event.html"
        if own or shown or attempt or wish != Wish() or also_taken or status != HTTPStatus.OK:
            return self._site.renderer.page(request, visitor, template, status=status, **context(new_secret()))
        sources = (found.value, house, free, taken, is_old, sale)
        return self._site.renderer.shared_page(
            request, visitor, template, key=event_id, sources=sources, context=context
        )

    async def _places(self, event_id: UUID, *, with_seats: bool) -> tuple[dict[UUID, int] | None, dict[str, str], bool]:
        """What is free and what is taken, and whether that is old or unknown."""
        try:
            if not with_seats:
                free = await self._shop.free_places(event_id)
                return free.value, NO_SEATS, free.stale
            # At once: inventory may be on another continent, and a second way there and back is what readers would wait for.
            free, taken = await asyncio.gather(self._shop.free_places(event_id), self._shop.taken_seats(event_id))
        except (ProviderUnavailable, ProviderProblem):
            # Inventory does not answer, or has not heard yet of an event that was published a moment ago.
            return None, NO_SEATS, True
        return free.value, taken.value, free.stale or taken.stale


def make_browsing_router(
    site: Site, shop: Shop, events_now: EventRooms, event_page: EventPage, sockets: Sockets
) -> APIRouter:
    """Pages that everybody may see, and what keeps the page of an event up to date: a socket, or an answer for who has none."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", dependencies=[open_to_all])
    async def events(
        request: Request,
        q: str = "",
        after: Annotated[str, Query(max_length=500)] = "",
    ) -> Response:
        visitor = await site.recognise(request)
        query = " ".join(q.split())
        is_too_long = len(query) > LONGEST_QUERY
        query = query[:LONGEST_QUERY]
        searched = "" if is_too_long else query
        listed = await shop.events(searched, after)

        def context(_attempt: str = "") -> dict[str, Any]:
            cards = [card_of(event) for event in listed.value.items]
            following = {name: value for name, value in (("q", searched), ("after", listed.value.next)) if value}
            return {
                "query": query,
                "notices": [TOO_LONG] if is_too_long else [],
                "cards": cards,
                "art_keys": sorted({card.art.key for card in cards} or {"default"}),
                "more": f"/?{urlencode(following)}" if listed.value.next else None,
                "stale": listed.stale,
            }

        template = "browsing/events.html"
        if is_too_long or listed.stale:
            return site.renderer.page(request, visitor, template, status=422 if is_too_long else 200, **context())
        return site.renderer.shared_page(
            request, visitor, template, key=(query, after), sources=(listed.value,), context=context
        )

    @router.get("/events/{event_id}", dependencies=[open_to_all])
    async def event(request: Request, event_id: UUID) -> Response:
        visitor = await site.recognise(request)
        return await event_page.show(request, visitor, event_id)

    @router.get("/events/{event_id}/plan/{name}.svg", dependencies=[open_to_all])
    async def plan(request: Request, event_id: UUID, name: str) -> Response:
        house = await shop.house((await shop.event(event_id)).value)
        if house is None:
            raise PageUnknown
        # A page that was open while prices changed asks for an older picture: the geometry is the same.
        seconds = None if name == house.drawing_key else 60
        return immutable(request, house.picture, house.compressed_picture, "image/svg+xml", seconds)

    router.get("/live/events/{event_id}", dependencies=[open_to_all])(no_socket)

    @router.websocket("/live/events/{event_id}", dependencies=[open_to_all])
    async def live_event(socket: WebSocket, event_id: UUID, have: str = "") -> None:
        await sockets.serve(socket, lambda listener: events_now.rooms.joined(event_id, listener, have))

    @router.get("/api/events/{event_id}/places", dependencies=[open_to_all])
    async def places(event_id: UUID) -> Response:
        return Response(await events_now.now(event_id), headers=PLACES_HEADERS, media_type="application/json")

    return router
