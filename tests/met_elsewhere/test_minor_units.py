"""One amount everywhere: shop, order, bank, ticket, mail and support say the same, in every currency of ISO 4217.

To a buyer it is written in the way of their language; support reads English.
"""

from typing import Any
from uuid import uuid4

import pytest

from chassis.money import MINOR_DIGITS, MOST_PRICE_MINOR, Money
from local.system import System
from services.tickets import wording
from services.web.clients.records import Facts
from services.web.frame import formats
from services.web.support import words
from simulators.bank import pages
from tests.met_elsewhere.events import an_event, an_offer, load
from tests.met_elsewhere.shopping import Shopper, form_to, plain
from tests.support import story_of_support

# No decimals, three, four, two where CLDR shows none, one whose sign stands behind, one whose price needs more than 32 bits;
# each with what the buyer's browser says of their language, and what that is to us.
BOUGHT = {
    "XOF": ("15000", "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
    "JOD": ("12.500", "en-GB,en;q=0.5", "en_GB"),
    "CLF": ("1.2345", "es-CL,es;q=0.9", "es_CL"),
    "IQD": ("12.500", "de", "de"),
    "SEK": ("250.50", "sv-SE", "sv"),
    "IDR": ("950000.00", "id,ja;q=0.5", "id"),
}


@pytest.mark.parametrize("currency", sorted(MINOR_DIGITS))
def test_every_service_writes_an_amount_alike(currency: str) -> None:
    for minor in (1, 1234, 5_000_000, MOST_PRICE_MINOR):
        written = Money(minor, currency).written()
        in_french = Money(minor, currency).written("fr")
        known: dict[str, Any] = {"amount_minor": minor, "currency": currency}
        facts = Facts.model_construct(**known)
        assert {
            formats.money(minor, currency),
            pages.money(minor, currency),
            wording.money(minor, currency),
            words._amount(facts),
        } == {written}
        assert {pages.money(minor, currency, "fr"), wording.money(minor, currency, "fr")} == {in_french}


@pytest.mark.system
@pytest.mark.parametrize("currency", sorted(BOUGHT))
async def test_a_purchase_has_one_amount_from_the_shop_to_the_mail(system: System, currency: str) -> None:
    price, accepted, language = BOUGHT[currency]
    name = f"Minor units {currency} {uuid4().hex[:6]}"
    code, printed = await load(system, an_event(name, name, offers=[an_offer(price=price, priceCurrency=currency)]))
    assert code == 0, printed
    async with Shopper(system, languages=accepted) as shopper:
        event_url = await shopper.find(name)
        order = await shopper.hold(event_url, quantity=2)
        event = await shopper.browser.open(event_url)
        (field,) = [each for each in form_to(event, r"/orders$").fields if each.name.startswith("quantity-")]
        minor = int(field.attributes["data-price"])
        bank = await shopper.pay(order)
        mail = await shopper.mail(name)
    one, both = (plain(Money(amount, currency).written(language)) for amount in (minor, minor * 2))
    assert one in event.text
    assert both in order.text
    assert both in bank.text
    assert one in mail["tickets"]
    assert both in plain(mail["text"])
    both_to_support = plain(Money(minor * 2, currency).written())
    story = await story_of_support(system, str(order.datum("order-number")))
    assert plain(story["total"]) == both_to_support
    assert any(f"The bank took {both_to_support} from the payer" in plain(line["text"]) for line in story["lines"])
