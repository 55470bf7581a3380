"""What somebody holds of an event already, so that who goes back to choose again finds it and the way to the order."""

import asyncio
from uuid import UUID

from chassis.errors import ChassisError
from chassis.http import ProviderProblem, ProviderUnavailable
from services.web.clients.orders import Order
from services.web.frame import formats
from services.web.frame.domain import WebError
from services.web.frame.notices import Notice
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor

# The page of an event does not wait longer than this for orders, since what it shows of them is only a help.
PATIENCE_SECONDS = 1.0


async def own_orders(site: Site, visitor: Visitor, event_id: UUID) -> list[Order]:
    """The visitor's open orders of an event, newest first; none if that cannot be asked now."""
    if visitor.session is None:
        return []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), site.token_of(visitor) as token:
            return await site.orders.open_for(token, event_id)
    except (TimeoutError, ProviderProblem, ProviderUnavailable, ChassisError, WebError):
        return []


def own_seats(orders: list[Order]) -> frozenset[str]:
    """The seats that these orders hold."""
    return frozenset(line.seat_id for order in orders for line in order.lines if line.seat_id)


def held_notice(order: Order, *, focus: bool = False) -> Notice:
    """Which places an order holds, until when, and how to go on."""
    names = [line.seat_label or f"{line.quantity} \u00d7 {line.class_name}" for line in order.lines]
    until = formats.Moment(order.hold_expires_at, order.event_time_zone) if order.hold_expires_at else None
    title = f"You hold places until {until.time} {until.zone_name}." if until else "You hold places of this event."
    return Notice(
        "info",
        title,
        f"{formats.enumerate_names(names)}. They are yours to pay; other places would be another order."
        if names
        else "They are yours to pay; other places would be another order.",
        focus=focus,
        href=f"/orders/{order.order_id}",
        words="Go on with your order",
    )
