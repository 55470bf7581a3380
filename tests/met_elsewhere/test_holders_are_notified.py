"""Whoever has tickets for an event that moves or is cancelled is notified, and their tickets say the same."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.system import System
from tests.met_elsewhere.events import an_event, an_offer, load
from tests.met_elsewhere.shopping import Shopper

pytestmark = pytest.mark.system

FREE = an_offer(price="0")


def new_name() -> str:
    return f"Nachtfalter {uuid4().hex[:8]}"


async def loaded(system: System, *events: dict[str, Any]) -> str:
    code, printed = await load(system, *events)
    assert code == 0, printed
    return printed


async def test_who_has_tickets_for_an_event_that_moves_is_notified_and_finds_the_new_date_everywhere(
    system: System,
) -> None:
    name = new_name()
    before = an_event(name, name, offers=[FREE])
    await loaded(system, before)
    async with Shopper(system) as shopper:
        order = await shopper.hold(await shopper.find(name))
        await shopper.pay(order)
        first = await shopper.confirmed(order.url)
        (code,) = first.all_data("ticket-code")
        assert "Friday 20 June 2031" in (await shopper.mail("Your tickets"))["tickets"]
        moved = {
            "eventStatus": "https://schema.org/EventRescheduled",
            "startDate": "2031-09-12T19:30:00+02:00",
            "doorTime": "2031-09-12T18:30:00+02:00",
            "previousStartDate": before["startDate"],
            "location": {**before["location"], "name": "Stadthalle"},
        }
        await loaded(system, before | moved)
        mail = await shopper.mail("New date")
        assert "12 September 2031" in mail["text"]
        assert "Friday 12 September 2031" in mail["tickets"]
        assert "Stadthalle" in mail["tickets"]
        page = await shopper.confirmed(order.url)
        assert "12 Sep 2031" in page.text
        assert page.all_data("ticket-code") == [code]
        assert "12 Sep 2031" in (await shopper.open("/my/orders")).text
        assert "12 Sep 2031" in (await shopper.open("/my/tickets")).text
    async with httpx.AsyncClient(base_url=system.addresses["tickets"], timeout=30) as door:
        assert (await door.post("/verify", json={"code": code})).json()["valid"] is True


async def test_an_organiser_who_wants_other_codes_gets_them_to_the_holders_and_the_first_ones_are_refused(
    system: System,
) -> None:
    name = new_name()
    event = an_event(name, name, offers=[FREE])
    await loaded(system, event)
    async with Shopper(system) as shopper:
        order = await shopper.hold(await shopper.find(name))
        await shopper.pay(order)
        (first,) = (await shopper.confirmed(order.url)).all_data("ticket-code")
        await shopper.mail("Your tickets")
        await loaded(system, event | {"onsale:codeEdition": 2})
        mail = await shopper.mail("Changed")
        (second,) = (await shopper.confirmed(order.url)).all_data("ticket-code")
    assert "refused at the door" in mail["text"]
    # As it is printed, in groups.
    assert second in mail["tickets"].replace(" ", "")
    async with httpx.AsyncClient(base_url=system.addresses["tickets"], timeout=30) as door:
        verdicts = [(await door.post("/verify", json={"code": code})).json() for code in (first, second)]
    assert [(verdict["valid"], verdict["reason"]) for verdict in verdicts] == [(False, "replaced"), (True, "genuine")]


async def test_who_has_tickets_for_an_event_that_is_cancelled_is_notified_and_the_ticket_says_so(
    system: System,
) -> None:
    name = new_name()
    event = an_event(name, name, offers=[FREE])
    await loaded(system, event)
    async with Shopper(system) as shopper:
        event_url = await shopper.find(name)
        order, held = await shopper.hold(event_url), await shopper.hold(event_url)
        await shopper.pay(order)
        (code,) = (await shopper.confirmed(order.url)).all_data("ticket-code")
        await loaded(system, event | {"eventStatus": "https://schema.org/EventCancelled"})
        mail = await shopper.mail("ancelled")
        assert name in mail["subject"]
        late = await shopper.browser.open(held.url)
        assert late.datum("order-state") in {"cancelling", "cancelled"}
        page = await shopper.browser.open(event_url)
        assert page.form_to(r"/orders$") is None
    async with httpx.AsyncClient(base_url=system.addresses["tickets"], timeout=30) as door:
        verdict = (await door.post("/verify", json={"code": code})).json()
    assert "cancelled" in verdict["message"].lower()
