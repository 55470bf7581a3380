"""How an order stands, for whoever follows it: a live stream, and JSON for programs."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, StreamingResponse

from chassis.identity import open_to_all
from services.web.buying.order_watchers import OrderWatchers
from services.web.frame.domain import SessionEnded
from services.web.frame.site import Site
from services.web.frame.streams import streaming


def make_order_status_router(site: Site, watchers: OrderWatchers) -> APIRouter:
    """`/live/...` is a stream each; `/api/...` is one answer."""
    router = APIRouter()

    @router.get("/live/orders/{order_id}", dependencies=[open_to_all], include_in_schema=False)
    async def live_order(request: Request, order_id: UUID) -> StreamingResponse:
        visitor = await site.recognise(request)

        async def snapshot() -> dict[str, Any]:
            if visitor.session_cookie and not await site.sessions.is_open(visitor.session_cookie):
                raise SessionEnded
            async with site.token_of(visitor) as token:
                order = await site.orders.order(token, order_id)
                tickets = await site.tickets.of_order(token, order_id) if order.state == "confirmed" else []
            return {"state": order.state, "tickets": len(tickets)}

        # A stranger is refused before anything is sent.
        await snapshot()
        return await streaming(watchers.stream(order_id, snapshot, site.cookies.caller(request)))

    @router.get("/api/orders/{order_id}", dependencies=[open_to_all])
    async def api_order(request: Request, order_id: UUID) -> JSONResponse:
        async with site.person(request) as (_, token):
            order = await site.orders.order(token, order_id)
            # While tickets does not answer, the order is shown without them.
            found = await site.tickets.of_order_now(token, order_id) if order.state == "confirmed" else None
            tickets = found or []
        answer = {
            "order_id": str(order.order_id),
            "number": order.number,
            "state": order.state,
            "reason": order.reason,
            "last_decline": order.last_decline,
            "currency": order.currency,
            "total_minor": order.total_minor,
            "redirect_url": order.redirect_url,
            "trace_id": order.trace_id,
            "tickets": [
                {"code": one.code, "class_name": one.class_name, "seat_label": one.seat_label, "state": one.state}
                for one in tickets
            ],
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    return router
