"""A waiting room as people meet it in a running system: announced by who runs the sale, joined, waited in, and passed."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

from altcha import Challenge, Payload, solve_challenge

from chassis.clock import utc_now, zone_of
from local.browser import Browser, Form
from local.provision import make_secrets
from local.system import System
from tests.met_elsewhere.shopping import LOOK_SECONDS, SOON_SECONDS, Shopper, form_to

SECONDS_TO_THE_DRAW = 6


async def announce(system: System, support: Browser, event_id: str) -> None:
    """Its doors are open, and lots are drawn in a moment."""
    address = f"{system.addresses['web']}/support/sales/{event_id}"
    key = make_secrets(system.layout).web_support_key
    page = await support.submit(form_to(await support.open(address), r"/support/enter$"), [("key", key)])
    now = utc_now().astimezone(zone_of("Europe/Berlin"))
    moments = {"doors_open_at": -60, "starts_at": SECONDS_TO_THE_DRAW}
    written = [(name, f"{now + timedelta(seconds=more):%Y-%m-%dT%H:%M:%S}") for name, more in moments.items()]
    form = form_to(page, rf"/support/sales/{event_id}$")
    page = await support.submit(form, [*written, ("rate", "6000"), ("most_active", "10")])
    assert page.datum("sale-state") == "doors_open", page.text


async def ask_for_proofs(system: System, support: Browser, event_id: str) -> None:
    """From now on browsers compute before they join."""
    page = await support.open(f"{system.addresses['web']}/support/sales/{event_id}")
    form = next(each for each in page.forms if any(one.value == "ask-proof" for one in each.fields))
    page = await support.submit(form, [])
    assert "computes first" in page.text, page.text


async def end(system: System, support: Browser, event_id: str) -> None:
    """The event is sold on its page again."""
    page = await support.open(f"{system.addresses['web']}/support/sales/{event_id}")
    form = next(each for each in page.forms if any(one.value == "end" for one in each.fields))
    page = await support.submit(form, [])
    assert page.datum("sale-state") == "ended", page.text


async def join(browser: Browser, form: Form, challenge: str | None) -> None:
    """Presses the button, and computes first what the address `challenge` asks for, as the page's script does."""
    if challenge is None:
        await browser.submit(form, [])
        return
    puzzle: Any = await browser.answer(form, urljoin(form.action, challenge))
    asked = Challenge.from_dict(puzzle)
    solution = solve_challenge(asked)
    assert solution is not None
    await browser.submit(form, [("solution", Payload(asked, solution).to_base64())])


async def come_in(shopper: Shopper, event_url: str) -> None:
    """Joins the queue, waits for the draw and for their turn, and takes the pass."""
    page = await shopper.open(f"{event_url}/queue")
    await join(shopper.browser, form_to(page, r"/queue$"), page.datum("challenge"))
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            page = await shopper.open(f"{event_url}/queue")
            if page.datum("phase") == "turn":
                await shopper.browser.submit(form_to(page, r"/queue/pass$"), [])
                return
            await asyncio.sleep(LOOK_SECONDS)
