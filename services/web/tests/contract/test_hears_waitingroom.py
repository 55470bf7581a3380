"""What web reads in the facts of waitingroom: of which event it must ask again whether it has a waiting room."""

from contracts import matchers
from contracts.consumer import Hearing, an_id, hears
from contracts.demanded import refuse_unread
from services.web.browsing.shop import EventFact
from services.web.tests.contract.listening import NotingShop

waitingroom = hears("web", "waitingroom")


async def test_a_sale_that_is_announced_is_asked_for_again(waitingroom: Hearing) -> None:
    event_id = an_id("web hears waitingroom: event")
    shop = NotingShop()
    data = {"event_id": matchers.identifier(event_id)}
    with waitingroom.published("events.waitingroom.sale_scheduled.v1", data, about=event_id) as event:
        refuse_unread(event.data, EventFact, event.type)
        await shop.on_sale_scheduled(event)
        assert shop.forgotten_sales == [event_id]
