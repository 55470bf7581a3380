"""Whoever verifies a new system comes back until the first event is on sale, and tries nothing else again."""

from local.buyer import Buyer, Purchase, PurchaseFailed, Wish
from local.verifying import once_on_sale

OPENING = PurchaseFailed("hold places", "This sale is being opened at this moment.")
NOTHING_YET = PurchaseFailed("find an event", "none with 2 free places was found")
DECLINED = PurchaseFailed("pay at the bank", "card declined")


class Shop:
    """Answers one purchase after another as it is told; None: bought."""

    def __init__(self, *answers: PurchaseFailed | None) -> None:
        self.answers = list(answers)

    def new_buyer(self) -> Buyer:
        shop = self

        class Scripted(Buyer):
            async def find_events(self) -> list[str]:
                if shop.answers[0] is NOTHING_YET:
                    shop.answers.pop(0)
                    raise NOTHING_YET
                return ["/events/1"]

            async def buy(self, _event_urls: list[str], _turn: object = None) -> Purchase:
                self.purchase.failure = shop.answers.pop(0)
                return self.purchase

        return Scripted({"web": "", "mailbox": ""}, Wish())


async def test_who_comes_before_the_first_event_is_on_sale_comes_back() -> None:
    shop = Shop(NOTHING_YET, OPENING, OPENING, None)
    assert (await once_on_sale(shop.new_buyer, pause_seconds=0)).failure is None
    assert shop.answers == []


async def test_what_fails_after_places_were_held_is_said_at_once() -> None:
    shop = Shop(DECLINED, None)
    assert (await once_on_sale(shop.new_buyer, pause_seconds=0)).failure is DECLINED
    assert shop.answers == [None]


async def test_a_sale_that_never_opens_is_said_in_the_end() -> None:
    shop = Shop(OPENING, NOTHING_YET)
    assert (await once_on_sale(shop.new_buyer, seconds=-1)).failure is OPENING
    assert (await once_on_sale(shop.new_buyer, seconds=-1)).failure is NOTHING_YET
