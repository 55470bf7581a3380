"""One amount everywhere: shop, order, bank, ticket, mail and support say the same, in every currency of ISO 4217."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pypdfium2
import pytest

from chassis.money import MINOR_DIGITS, MOST_PRICE_MINOR, Money
from local.browser import Browser, Form, Page
from local.buyer import GOOD_CARD, Buyer, Wish
from local.system import System
from services.tickets import wording
from services.web import formats, recorder
from services.web.clients.records import Facts
from simulators.bank import pages
from tests.met_elsewhere.events import address_of, an_event, an_offer, load
from tests.system.support import told_by_support

# No decimals, three, four, two where CLDR shows none, one whose sign stands behind, one whose price needs more than 32 bits.
PRICES = {"XOF": "15000", "JOD": "12.500", "CLF": "1.2345", "IQD": "12.500", "SEK": "250.50", "IDR": "950000.00"}


def plain(text: str) -> str:
    """As a person reads it: every blank is a blank."""
    return " ".join(text.split())


@pytest.mark.parametrize("currency", sorted(MINOR_DIGITS))
def test_every_service_writes_an_amount_alike(currency: str) -> None:
    for minor in (1, 1234, 5_000_000, MOST_PRICE_MINOR):
        written = Money(minor, currency).written()
        known: dict[str, Any] = {"amount_minor": minor, "currency": currency}
        facts = Facts.model_construct(**known)
        assert {
            formats.money(minor, currency),
            pages.money(minor, currency),
            wording.money(minor, currency),
            recorder._amount(facts),
        } == {written}


@pytest.mark.system
@pytest.mark.parametrize("currency", sorted(PRICES))
async def test_a_purchase_has_one_amount_from_the_shop_to_the_mail(system: System, currency: str) -> None:
    name = f"Minor units {currency} {uuid4().hex[:6]}"
    offer = an_offer(price=PRICES[currency], priceCurrency=currency)
    code, told = await load(system, an_event(f"units-{currency}-{name}", name, offers=[offer]))
    assert code == 0, told
    read = await bought(system, name)
    one = plain(Money(read.minor, currency).written())
    both = plain(Money(read.minor * 2, currency).written())
    assert one in read.event.text
    assert both in read.order.text
    assert both in read.bank.text
    assert one in read.ticket
    story = await told_by_support(system, read.number)
    assert plain(story["total"]) == both
    assert any(f"The bank took {both} from the payer" in plain(line["text"]) for line in story["lines"])


class Bought:
    """What a buyer of two places has read on the way."""

    event: Page
    order: Page
    bank: Page
    ticket: str
    minor: int
    number: str


async def bought(system: System, name: str) -> Bought:
    read, email = Bought(), f"units-{uuid4().hex[:10]}@example.test"
    async with Browser() as browser:
        address = await address_of(system, browser, name)
        read.event = await browser.open(address)
        form = _form(read.event, r"/events/[^/]+/orders$")
        (quantity,) = [each for each in form.fields if each.name.startswith("quantity-")]
        read.minor = int(quantity.attributes["data-price"])
        read.order = await browser.submit(form, [(quantity.name, "2")])
        read.number = read.order.datum("order-number") or ""
        read.bank = await browser.submit(_form(read.order, r"/pay$"), [("name", "Robin Buyer"), ("email", email)])
        card = [("number", GOOD_CARD), ("expiry", "12/39"), ("cvc", "123")]
        await browser.submit(next(each for each in read.bank.forms if each.method == "post"), card)
    buyer = Buyer(system.addresses, Wish())
    buyer.purchase.email = email
    async with buyer._browser:
        await buyer._wait_for_mail()
    read.ticket = await _printed(system, email)
    return read


async def _printed(system: System, email: str) -> str:
    """The words of the PDF in the mail with the tickets."""
    async with httpx.AsyncClient(base_url=system.addresses["mailbox"]) as mailbox:
        (message,) = (await mailbox.get(f"/api/messages?{urlencode({'to': email})}")).json()["items"]
        pdf = await mailbox.get(f"/api/messages/{message['id']}/attachments/1")
    read: Any = pypdfium2.PdfDocument
    with read(pdf.content) as document:
        return plain(" ".join(page.get_textpage().get_text_bounded() for page in document))


def _form(page: Page, pattern: str) -> Form:
    form = page.form_to(pattern)
    assert form is not None, page.text
    return form
