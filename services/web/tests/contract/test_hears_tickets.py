"""What web reads in the facts of tickets: which open order pages can show their tickets now."""

from contracts import matchers
from contracts.consumer import Hearing, an_id, hears
from contracts.demanded import refuse_unread
from services.web.buying.order_watchers import OrderHeard
from services.web.tests.contract.listening import NotingWatchers

tickets = hears("web", "tickets")


async def test_an_open_order_page_shows_its_tickets(tickets: Hearing) -> None:
    order_id = an_id("web hears tickets: order")
    watchers = NotingWatchers()
    data = {"order_id": matchers.identifier(order_id)}
    with tickets.published("events.tickets.tickets_issued.v1", data, about=order_id, flavour="of seats") as event:
        refuse_unread(event.data, OrderHeard, event.type)
        await watchers.on_fact(event)
        assert watchers.heard == [order_id]
