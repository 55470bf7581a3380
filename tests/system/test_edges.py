"""What services say to each other in a running system is what is under contract: nothing more, and nothing less.

A tour through the shop meets every edge; then the edges in all traces are compared with those in the pacts.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.completeness.edges import Need, under_contract
from contracts.completeness.seen import seen, unlike_contracts
from contracts.completeness.services import real
from local.browser import Browser, Page
from local.buyer import GOOD_CARD, Buyer, Wish
from local.system import System
from local.topology import SERVICES
from services.catalog.tests.examples import plan, seated_event
from services.payments.pace_of_bank import LEAST_ASKED
from tests.books import rows
from tests.met_elsewhere.events import an_event, an_offer, load
from tests.met_elsewhere.shopping import Shopper, form_to
from tests.met_elsewhere.waiting import announce, ask_for_proofs, come_in, end
from tests.support import story_of_support
from tracing.model import Trace
from tracing.reader import TraceReader

pytestmark = pytest.mark.system

DECLINED_CARD = "4000 0000 0000 0002"
PASSWORD = "correct horse battery"
SOON_SECONDS = 30.0
LOOK_SECONDS = 0.5
MOST_TRACES = 1500


class Member:
    """Somebody with an account, and one browser."""

    def __init__(self, system: System, browser: Browser) -> None:
        self._system = system
        self._shop = system.addresses["web"]
        self._browser = browser
        self._email = f"member-{uuid4().hex[:12]}@example.test"

    async def open(self, path: str) -> Page:
        page = await self._browser.open(self._shop + path)
        assert page.status == 200, (path, page.status, page.headings)
        return page

    async def become(self, how: str) -> None:
        """Signs up, or in again."""
        form = (await self.open(f"/{how}")).form_to(f"/{how}$")
        assert form is not None
        named = [("name", "Ada")] if how == "sign-up" else []
        page = await self._browser.submit(form, [("email", self._email), ("password", PASSWORD), *named])
        assert page.status == 200, page.alerts

    async def leave(self) -> None:
        form = (await self.open("/my/orders")).form_to("/sign-out$")
        assert form is not None
        await self._browser.submit(form, [])

    async def hold(self, event_path: str) -> str:
        """Holds a place of general admission; the path of the order."""
        form = (await self.open(event_path)).form_to("/orders$")
        assert form is not None
        priced = (each for each in form.fields if each.name.startswith("quantity-") and not each.disabled)
        field = next(each for each in priced if each.attributes["data-price"] != "0")
        order = await self._browser.submit(form, [(field.name, "1")])
        assert order.datum("order-state") == "held", order.alerts
        return order.url.removeprefix(self._shop)

    async def go_to_the_bank(self, order_path: str) -> Page:
        form = (await self.open(order_path)).form_to("/pay$")
        assert form is not None
        return await self._browser.submit(form, [("name", "Ada"), ("email", self._email)])

    async def pay(self, bank: Page, card: str) -> None:
        form = next(each for each in bank.forms if each.has("number"))
        await self._browser.submit(form, [("number", card), ("expiry", "12/39"), ("cvc", "123")])

    async def cancel(self, order_path: str) -> None:
        form = (await self.open(order_path)).form_to("/cancel$")
        assert form is not None
        await self._browser.submit(form, [])

    async def until(self, order_path: str, name: str, value: str) -> None:
        """Waits until the order's page has that datum."""
        deadline = time.monotonic() + SOON_SECONDS
        while (found := (await self.open(order_path)).datum(name)) != value:
            assert time.monotonic() < deadline, f"{order_path} has {name} {found}, not {value}"
            await asyncio.sleep(LOOK_SECONDS)


async def tour(system: System, tmp_path: Path) -> None:
    """Meets every edge once."""
    await asyncio.gather(
        publish_an_event(system, tmp_path),
        buy_seats(system),
        live_as_a_member(system),
        go_on_and_be_moved(system),
        wait_and_come_in(system),
    )
    await lose_the_bank(system)


async def publish_an_event(system: System, tmp_path: Path) -> None:
    """An event with seats that is not on sale, so that nobody chooses it, comes into the catalogue of the running shop."""
    house = {"name": f"House {uuid4()}"}
    event = seated_event(identifier=str(uuid4()), **{"onsale:seatingPlan": house["name"], "onsale:onSale": False})
    files = [tmp_path / "plan.json", tmp_path / "event.json"]
    for file, document in zip(files, (plan(**house), event), strict=True):
        file.write_text(json.dumps(document))
    for file in files:
        await asyncio.to_thread(system.load, str(file))


async def buy_seats(system: System) -> None:
    """As a guest, to the e-mail with the tickets."""
    wish = Wish(places=2)
    purchase = await Buyer(system.addresses, wish).buy(await Buyer(system.addresses, wish).find_events())
    assert purchase.failure is None
    assert (await story_of_support(system, purchase.order_number))["state"] == "confirmed"


async def live_as_a_member(system: System) -> None:
    finder = Buyer(system.addresses, Wish(places=1, prefer_general=True))
    event_path = (await finder.find_events())[0].removeprefix(system.addresses["web"])
    async with Browser() as browser:
        member = Member(system, browser)
        await member.become("sign-up")
        await buy_and_print(member, event_path)
        await try_and_cancel(member, event_path)
        await wait_too_long(system, member, event_path)
        await renew_the_session(system, member)
        await member.leave()
        await member.become("sign-in")


async def go_on_and_be_moved(system: System) -> None:
    """A guest asks for more time, signs up with the places in hand, and has a ticket when the event moves."""
    name = f"Edges {uuid4()}"
    event = an_event(name, name, offers=[an_offer(price="0")])
    assert (await load(system, event))[0] == 0
    async with Shopper(system) as shopper:
        order = await shopper.hold(await shopper.find(name))
        more = form_to(order, r"/pay$")
        more.action = more.action.removesuffix("/pay") + "/more-time"
        await shopper.browser.submit(more, [("name", ""), ("email", "")])
        sign_up = form_to(await shopper.open("/sign-up"), r"/sign-up$")
        written = [("name", "Edge Walker"), ("email", shopper.email), ("password", "three words are good")]
        await shopper.browser.submit(sign_up, written)
        await shopper.pay(await shopper.browser.open(order.url))
        await shopper.confirmed(order.url)
        assert (await load(system, event | {"startDate": "2031-09-12T19:30:00+02:00", "doorTime": "18:30"}))[0] == 0
        await shopper.mail("New date")


async def wait_and_come_in(system: System) -> None:
    """Through the waiting room of an event that makes browsers compute first, and by the proof of its draw."""
    name = f"Waited {uuid4()}"
    assert (await load(system, an_event(name, name, offers=[an_offer(price="0")])))[0] == 0
    async with Shopper(system) as shopper, Browser() as support:
        url = await shopper.find(name)
        event_id = url.rsplit("/", 1)[1]
        await announce(system, support, event_id)
        await ask_for_proofs(system, support, event_id)
        await come_in(shopper, url)
        order = await shopper.hold(url)
        await shopper.pay(order)
        await shopper.confirmed(order.url)
        assert (await shopper.open(f"{url}/queue/proof")).status == 200
        await end(system, support, event_id)


async def lose_the_bank(system: System) -> None:
    """Nobody can pay for a moment: payments says so to whoever lets people in."""
    finder = Buyer(system.addresses, Wish(places=1, prefer_general=True))
    event_path = (await finder.find_events())[0].removeprefix(system.addresses["web"])
    async with Browser() as browser:
        member = Member(system, browser)
        await member.become("sign-up")
        order_path = await member.hold(event_path)
        system.kill("bank", restart=False)
        try:
            for _ in range(LEAST_ASKED):
                await member.go_to_the_bank(order_path)
        finally:
            await asyncio.to_thread(system.restart, "bank")
        # What was unknown is settled now.
        await member.go_to_the_bank(order_path)
        await member.cancel(order_path)


async def buy_and_print(member: Member, event_path: str) -> None:
    order_path = await member.hold(event_path)
    await member.pay(await member.go_to_the_bank(order_path), GOOD_CARD)
    await member.until(order_path, "phase", "confirmed")
    for path in (f"{order_path}/tickets.pdf?format=phone", "/my/tickets", "/my/orders"):
        await member.open(path)


async def try_and_cancel(member: Member, event_path: str) -> None:
    """A card that the bank declines; then the bank's page again, and away from it."""
    order_path = await member.hold(event_path)
    await member.pay(await member.go_to_the_bank(order_path), DECLINED_CARD)
    await member.until(order_path, "phase", "declined")
    await member.go_to_the_bank(order_path)
    await member.cancel(order_path)
    await member.until(order_path, "order-state", "cancelled")


async def wait_too_long(system: System, member: Member, event_path: str) -> None:
    """A hold that nobody pays; its time is over at once."""
    order_path = await member.hold(event_path)
    order_id = order_path.rsplit("/", 1)[1]
    query = "UPDATE hold SET expires_at = now() WHERE order_id = $1::text::uuid RETURNING hold_id"
    assert await rows(system, "inventory", query, order_id)
    await member.until(order_path, "order-state", "cancelled")


async def renew_the_session(system: System, member: Member) -> None:
    """Tokens that are about to end are exchanged by the next page."""
    assert await rows(
        system, "web", "UPDATE session SET token_expires_at = now() + interval '30 seconds' RETURNING 1 AS n"
    )
    await member.open("/my/orders")


def traces_in(reader: TraceReader) -> Iterator[Trace]:
    known: set[str] = set()
    for service in SERVICES:
        for trace in reader.search(service, limit=MOST_TRACES):
            if trace.trace_id not in known:
                known.add(trace.trace_id)
                yield trace


async def seen_in(system: System, contract: dict[Need, str]) -> dict[Need, str]:
    """The edges in all traces, as soon as those under contract are among them; or what there is after a while."""
    deadline = time.monotonic() + SOON_SECONDS
    with TraceReader(system.addresses["traces"], timeout_seconds=30) as reader:
        while True:
            found: dict[Need, str] = await asyncio.to_thread(lambda: seen(traces_in(reader), SERVICES))
            if contract.keys() <= found.keys() or time.monotonic() > deadline:
                return found
            await asyncio.sleep(LOOK_SECONDS)


async def test_what_services_need_of_each_other_in_a_running_system_is_under_contract(
    system: System, tmp_path: Path
) -> None:
    await tour(system, tmp_path)
    contract = under_contract(real())
    problems = unlike_contracts(await seen_in(system, contract), contract)
    assert not problems, "\n".join(problems)
