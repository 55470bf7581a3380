"""A small sale in which everything happens once: what bugs are planted into."""

import asyncio
from collections.abc import Mapping

from local.buyer import GOOD_CARD, Buyer, Purchase, Wish

DECLINED = "4000 0000 0000 0002"
CAPTURE_REFUSED = "4000 0000 0000 1042"
TELLS_TWICE = "4000 0000 0000 1059"
# Holds end soon, so that what is declined and left has expired before anybody waits for long.
HASTE = {
    "orders": {
        "ORDERS_HOLD_TTL_SECONDS": "12",
        "ORDERS_PAYMENT_MARGIN_SECONDS": "2",
        "ORDERS_SAGA_EVERY_SECONDS": "0.2",
    }
}
QUICK = (GOOD_CARD, GOOD_CARD, GOOD_CARD, CAPTURE_REFUSED)
PATIENCE_SECONDS = 12.0
GENERAL = (GOOD_CARD, TELLS_TWICE, CAPTURE_REFUSED, DECLINED)


async def sell(addresses: Mapping[str, str], *, seats: bool = True) -> list[Purchase]:
    """Buys with all kinds of cards, of a class for general admission, and twice two seats. What came of it."""
    general = Wish(places=2, prefer_general=True)
    buying = [await _buyers(addresses, general, GENERAL)]
    if seats:
        buying.append(await _buyers(addresses, Wish(places=2), (GOOD_CARD, GOOD_CARD)))
    return [purchase for each in buying for purchase in each]


async def sell_quickly(addresses: Mapping[str, str]) -> list[Purchase]:
    """Buys with cards that end at once, well or not; nobody waits for more than the mail, which may not come."""
    wish = Wish(places=2, prefer_general=True)
    event_urls = await Buyer(dict(addresses), wish).find_events()
    wishes = [Wish(places=2, prefer_general=True, card=card) for card in QUICK]
    buying = [asyncio.create_task(Buyer(dict(addresses), each).buy(event_urls)) for each in wishes]
    done, late = await asyncio.wait(buying, timeout=PATIENCE_SECONDS)
    for each in late:
        each.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return [each.result() for each in done]


async def _buyers(addresses: Mapping[str, str], wish: Wish, cards: tuple[str, ...]) -> list[Purchase]:
    events = await Buyer(dict(addresses), wish).find_events()
    wishes = [Wish(places=wish.places, prefer_general=wish.prefer_general, card=card) for card in cards]
    return list(await asyncio.gather(*(Buyer(dict(addresses), each).buy(events) for each in wishes)))
