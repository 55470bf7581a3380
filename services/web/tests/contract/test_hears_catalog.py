"""What web reads in the facts of catalog: which event its pages must ask about again."""

import pytest

from contracts import matchers
from contracts.consumer import Hearing, an_id, hears
from contracts.demanded import refuse_unread
from services.web.browsing.shop import EventFact
from services.web.tests.contract.listening import NotingShop

catalog = hears("web", "catalog")


@pytest.mark.parametrize("fact", ["event_published", "event_changed", "seats_published"])
async def test_pages_of_a_changed_event_are_forgotten(catalog: Hearing, fact: str) -> None:
    event_id = an_id(f"web hears catalog: {fact}")
    data = {"event_id": matchers.identifier(event_id)}
    shop = NotingShop()
    with catalog.published(f"events.catalog.{fact}.v1", data, about=event_id) as event:
        refuse_unread(event.data, EventFact, event.type)
        await shop.on_catalog_fact(event)
        assert shop.forgotten == [event_id]
