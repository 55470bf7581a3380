"""What orders needs of catalog: what is offered, at which price."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.orders.clients.catalog import EVENT, CatalogClient
from services.orders.refusals import EventUnknown

catalog = asks("orders", "catalog", CatalogClient)

CLASS = an_id("orders asks catalog: class")


def an_event(
    event_id: UUID, *, on_sale: bool, doors_at: Any = None, state: str = "scheduled", begins_at: Any = None
) -> dict[str, Any]:
    begins_at = matchers.nothing() if begins_at is None else begins_at
    doors_at = matchers.nothing() if doors_at is None else doors_at
    return {
        "event_id": str(event_id),
        "title": matchers.text("Hamlet"),
        "starts_at": matchers.timestamp(),
        "time_zone": matchers.text("Europe/Berlin"),
        "doors_at": doors_at,
        "venue": {
            "name": matchers.text("Globe"),
            "street": matchers.text("Spreeufer 1"),
            "city": matchers.text("Berlin"),
            "country": matchers.text("DE"),
        },
        "currency": matchers.currency(),
        "on_sale": on_sale,
        "sale_begins_at": begins_at,
        "state": matchers.one_of(state, "scheduled", "rescheduled", "postponed", "cancelled", "moved_online"),
        "version": matchers.integer(1),
        "max_per_order": matchers.integer(6),
        "max_per_buyer": matchers.nothing(),
        "classes": matchers.several(
            {
                "class_id": matchers.identifier(CLASS),
                "name": matchers.text("Standing"),
                "price_minor": matchers.money(2500),
                "on_sale": on_sale,
                "sale_begins_at": begins_at,
            }
        ),
    }


async def test_an_event_comes_with_the_prices_that_an_order_takes_as_a_snapshot(
    catalog: Asking[CatalogClient],
) -> None:
    event_id = an_id("orders asks catalog: event")
    async with catalog.expects(
        "the offer of an event",
        a_state("an event on sale with doors", event_id=event_id),
        ask(EVENT, event_id=event_id),
        Answer(200, an_event(event_id, on_sale=True, doors_at=matchers.timestamp("2031-06-21T17:00:00Z"))),
    ) as client:
        offer = await client.offer(event_id)
        assert offer.classes == {CLASS: ("Standing", 2500)}
        assert (offer.on_sale, offer.max_per_order, offer.venue_city) == (True, 6, "Berlin")
        assert (offer.venue_street, offer.venue_country) == ("Spreeufer 1", "DE")
        assert offer.doors_at == datetime(2031, 6, 21, 17, tzinfo=UTC)


async def test_an_offer_is_read_to_the_letter(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("orders asks catalog: Lear")
    stalls, standing = an_id("orders asks catalog: Lear, stalls"), an_id("orders asks catalog: Lear, standing")
    classes = [
        {
            "class_id": matchers.identifier(stalls),
            "name": "Stalls",
            "price_minor": 4250,
            "on_sale": False,
            "sale_begins_at": "2031-02-11T11:30:00Z",
        },
        {
            "class_id": matchers.identifier(standing),
            "name": "Standing",
            "price_minor": 1725,
            "on_sale": False,
            "sale_begins_at": "2031-01-10T09:00:00Z",
        },
    ]
    event = {
        "event_id": str(event_id),
        "title": "Lear",
        "starts_at": "2031-06-21T18:00:00Z",
        "time_zone": "Europe/Berlin",
        "doors_at": "2031-06-21T17:15:00Z",
        "venue": {"name": "Stadthalle", "street": "Spreeufer 2", "city": "Potsdam", "country": "DE"},
        "currency": "EUR",
        "on_sale": False,
        "sale_begins_at": "2031-01-10T09:00:00Z",
        "state": "rescheduled",
        "version": 1,
        "max_per_order": 6,
        "max_per_buyer": 12,
        "classes": classes,
    }
    async with catalog.expects(
        "the offer of an event of which everything is told",
        a_state("an event of which everything is told", event_id=event_id, title="Lear"),
        ask(EVENT, event_id=event_id),
        Answer(200, event),
    ) as client:
        offer = await client.offer(event_id)
        assert offer.classes == {stalls: ("Stalls", 4250), standing: ("Standing", 1725)}
        assert (offer.title, offer.venue_name, offer.version) == ("Lear", "Stadthalle", 1)


async def test_an_event_that_is_not_on_sale_says_so(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("orders asks catalog: event not on sale")
    async with catalog.expects(
        "the offer of an event whose sale has not begun",
        a_state("an event that is not on sale", event_id=event_id),
        ask(EVENT, event_id=event_id),
        Answer(200, an_event(event_id, on_sale=False, doors_at=matchers.nothing())),
    ) as client:
        assert (await client.offer(event_id)).on_sale is False


async def test_a_sale_that_lies_ahead_says_when_it_begins(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("orders asks catalog: sale ahead")
    begins_at = matchers.timestamp("2031-01-10T09:00:00Z")
    async with catalog.expects(
        "the offer of an event whose sale lies ahead",
        a_state("an event whose sale lies ahead", event_id=event_id),
        ask(EVENT, event_id=event_id),
        Answer(200, an_event(event_id, on_sale=False, begins_at=begins_at)),
    ) as client:
        offer = await client.offer(event_id)
        assert offer.sale_begins_at == offer.closed[CLASS] == datetime(2031, 1, 10, 9, tzinfo=UTC)


async def test_a_cancelled_event_says_so(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("orders asks catalog: cancelled event")
    async with catalog.expects(
        "the offer of an event that is cancelled",
        a_state("an event that is cancelled", event_id=event_id),
        ask(EVENT, event_id=event_id),
        Answer(200, an_event(event_id, on_sale=False, state="cancelled")),
    ) as client:
        assert (await client.offer(event_id)).state == "cancelled"


async def test_an_event_that_does_not_exist_is_unknown(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("orders asks catalog: unknown event")
    async with catalog.expects(
        "the offer of an event that does not exist",
        None,
        ask(EVENT, event_id=event_id),
        problem(404, "event_unknown"),
    ) as client:
        with pytest.raises(EventUnknown):
            await client.offer(event_id)
