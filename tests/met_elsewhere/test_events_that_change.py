# ruff: noqa: RUF001  # letters that look like others are what a part of this is about
"""Events that are cancelled or moved, and offers that are not for sale: on the pages of who buys, and who has bought."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from local.browser import Page
from local.system import System
from tests.met_elsewhere.events import an_event, an_offer, load
from tests.met_elsewhere.shopping import LOOK_SECONDS, SOON_SECONDS, Shopper

pytestmark = pytest.mark.system

MOVED = {
    "startDate": "2031-09-12T19:00:00+02:00",
    "doorTime": "18:00",
    "previousStartDate": "2031-06-20T20:00:00+02:00",
    "eventStatus": "https://schema.org/EventRescheduled",
    "location": {
        "@type": "Place",
        "name": "Stadthalle Beispiel",
        "address": {"@type": "PostalAddress", "streetAddress": "Hallenweg 2", "addressLocality": "Fürth"},
    },
}


async def loaded(system: System, name: str, **changes: object) -> str:
    """What was printed when the event was loaded."""
    code, printed = await load(system, an_event(name, name, **changes))
    assert code == 0, printed
    return printed


async def says(shopper: Shopper, path: str, *words: str) -> Page:
    """The page at this address, as soon as it says all of these."""
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            page = await shopper.browser.open(path)
            if all(each in page.text for each in words):
                return page
            await asyncio.sleep(LOOK_SECONDS)


async def test_an_event_that_moves_takes_its_pages_and_orders_along(system: System) -> None:
    name = f"Moved {uuid4().hex[:8]}"
    await loaded(system, name)
    async with Shopper(system) as shopper:
        event_url = await shopper.find(name)
        order = await shopper.hold(event_url)
        await shopper.pay(order)
        await shopper.confirmed(order.url)
        printed = await loaded(system, name, **MOVED)
        assert "rescheduled: 2031-09-12 19:00 Europe/Berlin, before 2031-06-20 20:00" in printed
        new = ("New date (was Fri 20 Jun 2031, 20:00)", "Stadthalle Beispiel")
        await says(shopper, event_url, "Friday 12 September 2031, 19:00", *new)
        await says(shopper, order.url, "Fri 12 Sep 2031, 19:00", *new)
        await says(shopper, order.url.rsplit("/orders/", 1)[0] + "/my/orders", "Fri 12 Sep 2031, 19:00", *new)


async def test_a_cancelled_event_is_not_sold_and_ends_what_was_held(system: System) -> None:
    name = f"Cancelled {uuid4().hex[:8]}"
    await loaded(system, name)
    async with Shopper(system) as shopper:
        event_url = await shopper.find(name)
        order = await shopper.hold(event_url)
        printed = await loaded(system, name, eventStatus="http://schema.org/EventCancelled")
        assert "not sold, because the event is cancelled" in printed
        page = await says(shopper, event_url, "This event is cancelled.")
        assert page.form_to(r"/orders$") is None
        await says(shopper, order.url, "The event was cancelled before your order was complete.")


@pytest.mark.parametrize(
    ("status", "words"),
    [("EventPostponed", "This event is postponed"), ("schema:EventMovedOnline", "This event takes place online.")],
)
async def test_an_event_that_does_not_take_place_as_planned_says_why_it_is_not_sold(
    system: System, status: str, words: str
) -> None:
    name = f"Otherwise {uuid4().hex[:8]}"
    await loaded(system, name, eventStatus=status)
    async with Shopper(system) as shopper:
        page = await says(shopper, await shopper.find(name), words)
        assert page.form_to(r"/orders$") is None


async def test_a_sale_that_begins_later_begins_by_itself(system: System) -> None:
    name = f"Later {uuid4().hex[:8]}"
    begins_at = datetime.now(UTC) + timedelta(seconds=12)
    later = an_offer(availability="https://schema.org/PreSale", validFrom=begins_at.isoformat())
    await loaded(system, name, offers=[later])
    async with Shopper(system) as shopper:
        event_url = await shopper.find(name)
        await says(shopper, event_url, "The sale begins on")
        await says(shopper, event_url, "Hold these places")
        assert datetime.now(UTC) >= begins_at
        assert (await shopper.hold(event_url)).datum("order-state") == "held"


async def test_of_several_offers_each_is_sold_as_it_says(system: System) -> None:
    name = f"Offers {uuid4().hex[:8]}"
    offers = [
        an_offer(name="Early bird", availability="https://schema.org/SoldOut"),
        an_offer(name="Last year", validThrough="2020-01-01"),
        an_offer(name="Box office", availability="https://schema.org/InStoreOnly"),
        an_offer(name="Regular"),
    ]
    await loaded(system, name, offers=offers)
    async with Shopper(system) as shopper:
        event_url = await shopper.find(name)
        page = await says(shopper, event_url, "Sold out", "Sale is over", "At the box office")
        form = page.form_to(r"/orders$")
        assert form is not None
        assert [each.disabled for each in form.fields if each.name.startswith("quantity-")] == [True, True, True, False]
        assert "Regular" in (await shopper.hold(event_url)).text


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Kadıköy Caz Gecesi", "KADIKOY caz"),
        ("東京フィルハーモニー特別演奏会", "特別演奏会"),
        ("Łódź Đorđe Ærø", "lodz dorde aero"),
    ],
)
async def test_a_search_finds_peoples_own_spelling(system: System, title: str, query: str) -> None:
    mark = uuid4().hex[:8]
    code, printed = await load(system, an_event(mark, f"{title} {mark}"))
    assert code == 0, printed
    async with Shopper(system) as shopper:
        await shopper.find(f"{query} {mark}")
