"""What orders needs of catalog: what is offered, at which price."""

from typing import Any
from uuid import UUID

import pytest

from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, a_state, an_id, asks, problem
from services.orders.clients.catalog import CatalogClient
from services.orders.domain import EventUnknown

catalog = asks("orders", "catalog", CatalogClient)

CLASS = an_id("orders asks catalog: class")


def an_event(event_id: UUID, *, on_sale: bool) -> dict[str, Any]:
    return {
        "event_id": str(event_id),
        "title": matchers.text("Hamlet"),
        "starts_at": matchers.timestamp(),
        "time_zone": matchers.text("Europe/Berlin"),
        "venue": {"name": matchers.text("Globe"), "city": matchers.text("Berlin")},
        "currency": matchers.currency(),
        "on_sale": on_sale,
        "max_per_order": matchers.integer(6),
        "classes": matchers.several(
            {
                "class_id": matchers.identifier(CLASS),
                "name": matchers.text("Standing"),
                "price_minor": matchers.money(2500),
            }
        ),
    }


async def test_an_event_comes_with_the_prices_that_an_order_takes_as_a_snapshot(
    catalog: Asking[CatalogClient],
) -> None:
    event_id = an_id("orders asks catalog: event")
    async with catalog.expects(
        "the offer of an event",
        a_state("an event on sale", event_id=event_id),
        Ask("GET", f"/events/{event_id}"),
        Answer(200, an_event(event_id, on_sale=True)),
    ) as client:
        offer = await client.offer(event_id)
        assert offer.classes == {CLASS: ("Standing", 2500)}
        assert (offer.on_sale, offer.max_per_order, offer.venue_city) == (True, 6, "Berlin")


async def test_an_event_that_is_not_on_sale_says_so(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("orders asks catalog: event not on sale")
    async with catalog.expects(
        "the offer of an event whose sale has not begun",
        a_state("an event that is not on sale", event_id=event_id),
        Ask("GET", f"/events/{event_id}"),
        Answer(200, an_event(event_id, on_sale=False)),
    ) as client:
        assert (await client.offer(event_id)).on_sale is False


async def test_an_event_that_does_not_exist_is_unknown(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("orders asks catalog: unknown event")
    async with catalog.expects(
        "the offer of an event that does not exist",
        None,
        Ask("GET", f"/events/{event_id}"),
        problem(404, "event_unknown"),
    ) as client:
        with pytest.raises(EventUnknown):
            await client.offer(event_id)
