"""My tickets and my orders."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from services.web.browsing.domain import EventUnknown
from services.web.browsing.shop import Shop
from services.web.browsing.words import Standing, standing_of
from services.web.buying.ticket_views import ticket_groups
from services.web.buying.views import order_view
from services.web.clients.orders import OrderPage
from services.web.clients.tickets import LONGEST_MARKER, TicketPage
from services.web.frame.domain import PageUnknown
from services.web.frame.notices import Notice
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor

PAGE_SIZE = 20
After = Annotated[str, Query(max_length=500)]
T = TypeVar("T")


def make_mine_router(site: Site, shop: Shop) -> APIRouter:
    """Pages of one person; to a stranger they say how to sign in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/my/tickets", dependencies=[open_to_all])
    async def my_tickets(request: Request, after: After = "") -> Response:
        visitor = await site.recognise(request)
        nothing = TicketPage(items=[], next=None)
        page, notices = await _mine(
            site, visitor, lambda token: site.tickets.mine(token, _marker(after), PAGE_SIZE), nothing, "tickets"
        )
        return site.renderer.page(
            request,
            visitor,
            "buying/tickets.html",
            here="tickets",
            groups=ticket_groups(page.items, await _standings(shop, page)),
            more=f"/my/tickets?{urlencode({'after': page.next})}" if page.next else None,
            notices=notices,
            status=503 if notices else 200,
        )

    @router.get("/my/orders", dependencies=[open_to_all])
    async def my_orders(request: Request, after: After = "") -> Response:
        visitor = await site.recognise(request)
        nothing = OrderPage(items=[], next=None)
        page, notices = await _mine(
            site, visitor, lambda token: site.orders.orders(token, _order_id(after), PAGE_SIZE), nothing, "orders"
        )
        return site.renderer.page(
            request,
            visitor,
            "buying/orders.html",
            here="orders",
            orders=[order_view(order) for order in page.items],
            more=f"/my/orders?{urlencode({'after': page.next})}" if page.next else None,
            notices=notices,
            status=503 if notices else 200,
        )

    return router


def _marker(after: str) -> str | None:
    """The place in the list of tickets. Raises PageUnknown for one that no page of ours has led to."""
    if len(after) > LONGEST_MARKER:
        raise PageUnknown
    return after or None


def _order_id(after: str) -> UUID | None:
    """The place in the list of orders: the last one before it. Raises PageUnknown as above."""
    try:
        return UUID(after) if after else None
    except ValueError as error:
        raise PageUnknown from error


async def _standings(shop: Shop, page: TicketPage) -> dict[UUID, Standing]:
    """How the events of these tickets stand, of those that are not as planned; nothing of what cannot be asked now."""
    known: dict[UUID, Standing] = {}
    for event_id in dict.fromkeys(ticket.event_id for ticket in page.items):
        with suppress(ProviderUnavailable, ProviderProblem, EventUnknown):
            event = (await shop.event(event_id)).value
            if standing := standing_of(event.state, event.previous_starts_at, event.time_zone):
                known[event_id] = standing
    return known


async def _mine(
    site: Site, visitor: Visitor, ask: Callable[[str], Awaitable[T]], nothing: T, what: str
) -> tuple[T, list[Notice]]:
    """What belongs to the visitor: nothing for a stranger, and a sentence if it cannot be asked now."""
    if visitor.session is None and not visitor.is_unknown:
        return nothing, []
    try:
        async with site.token_of(visitor) as token:
            return await ask(token), []
    except ProviderProblem as problem:
        if problem.problem_code == "cursor_invalid":
            raise PageUnknown from problem
        raise
    except ProviderUnavailable:
        text = "They are safe. Try again in a minute."
        return nothing, [Notice("error", f"We cannot show your {what} at the moment.", text)]
