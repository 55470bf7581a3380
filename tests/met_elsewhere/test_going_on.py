"""Buyers who go back, sign in on the way, ask for more time, or take up their order on another device."""

import re
from uuid import uuid4

import pytest

from local.system import System
from tests.met_elsewhere.events import an_event, an_offer, load
from tests.met_elsewhere.shopping import Shopper, form_to

pytestmark = pytest.mark.system

PASSWORD = "three words are good"


async def an_event_on_sale(system: System) -> str:
    name = f"Going on {uuid4().hex[:8]}"
    code, printed = await load(system, an_event(name, name))
    assert code == 0, printed
    return name


async def test_who_goes_back_finds_the_own_places_and_who_signs_up_keeps_them(system: System) -> None:
    name = await an_event_on_sale(system)
    async with Shopper(system) as shopper:
        event_url = await shopper.find(name)
        order = await shopper.hold(event_url)
        back = await shopper.browser.open(event_url)
        assert "You hold places until" in back.text
        assert order.url in [url for url, _ in back.links]
        (sign_in,) = {url for url, _ in order.links if "/sign-in" in url}
        await shopper.browser.open(sign_in)
        sign_up = form_to(await shopper.open(f"/sign-up?next={re.sub('^https?://[^/]+', '', order.url)}"), r"/sign-up$")
        written = [("name", "Robin Buyer"), ("email", shopper.email), ("password", PASSWORD)]
        signed_in = await shopper.browser.submit(sign_up, written)
        assert (signed_in.url, signed_in.datum("order-state")) == (order.url, "held")
        await shopper.pay(signed_in)
        assert len((await shopper.confirmed(order.url)).all_data("ticket-code")) == 1
        assert (await shopper.mail(name))["tickets"]


async def test_one_press_gives_more_time(system: System) -> None:
    name = await an_event_on_sale(system)
    async with Shopper(system) as shopper:
        order = await shopper.hold(await shopper.find(name))
        form = form_to(order, r"/pay$")
        (button,) = [each for each in form.buttons if "more-time" in each.attributes.get("formaction", "")]
        assert "formnovalidate" in button.attributes
        form.action = re.sub(r"/pay$", "/more-time", form.action)
        later = await shopper.browser.submit(form, [("name", "Robin"), ("email", "")])
        assert "You have time until" in later.text
        assert int(str(later.datum("seconds-left"))) > int(str(order.datum("seconds-left"))) - 5


async def test_the_link_in_a_guests_mail_opens_the_order_elsewhere_and_nothing_else(system: System) -> None:
    name = await an_event_on_sale(system)
    async with Shopper(system) as phone, Shopper(system) as laptop:
        order = await phone.hold(await phone.find(name))
        await phone.pay(order)
        mail = await phone.mail(name)
        assert (await laptop.browser.open(order.url)).status == 404
        links = set(re.findall(r"https?://[^\s\"<>]+/orders/[^\s\"<>]+", mail["text"]))
        (link,) = [each for each in links if "/open?key=" in each]
        opened = await laptop.browser.open(link)
        assert (opened.url, opened.datum("order-state")) == (order.url, "confirmed")
        assert len(opened.all_data("ticket-code")) == 1
        assert "No orders yet" in (await laptop.open("/my/orders")).text
        # Whoever has the key of one order has no other.
        another = await phone.hold(await phone.find(name))
        key = link.partition("key=")[2]
        assert (await laptop.browser.open(f"{another.url}/open?key={key}")).status == 404


async def test_a_total_of_more_than_32_bits_is_ordered_and_pressing_again_holds_nothing_twice(system: System) -> None:
    name = f"Large total {uuid4().hex[:8]}"
    offer = an_offer(price="950000.00", priceCurrency="IDR", inventoryLevel=60)
    assert (await load(system, an_event(name, name, offers=[offer], **{"onsale:maxPerOrder": 50})))[0] == 0
    async with Shopper(system) as shopper:
        event_url = await shopper.find(name)
        order = await shopper.hold(event_url, quantity=23)
        assert order.datum("order-state") == "held"
        assert "21,850,000.00" in order.text
