"""What is heard of the bank: the worst that was said a moment ago."""

from typing import Any
from uuid import uuid4

from services.waitingroom.bank import LASTS_SECONDS, Bank
from services.waitingroom.clients.inventory import Crowd
from services.waitingroom.domain import LEAST_RATE
from services.waitingroom.service.steps import as_the_shop_keeps_up
from services.waitingroom.tests.unit.test_domain import a_sale

ONE, OTHER = str(uuid4()), str(uuid4())


class Heard:
    """A bank, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.bank = Bank(lambda: self.now)

    async def late(self, process_id: Any, seconds: Any) -> None:
        await self.bank.on_bank_late("bus.payments.bank_late", {"process_id": process_id, "late_seconds": seconds})


async def test_the_process_that_waits_longest_counts_until_it_says_no_more() -> None:
    heard = Heard()
    assert heard.bank.late_seconds() == 0.0
    await heard.late(ONE, 3.0)
    await heard.late(OTHER, 1.0)
    assert heard.bank.late_seconds() == 3.0
    await heard.late(ONE, 0.0)
    assert heard.bank.late_seconds() == 1.0
    heard.now += LASTS_SECONDS + 0.1
    assert heard.bank.late_seconds() == 0.0


async def test_what_is_no_message_of_payments_changes_nothing() -> None:
    heard = Heard()
    await heard.late("no id", 3.0)
    await heard.late(ONE, "much")
    assert heard.bank.late_seconds() == 0.0


def test_fewer_are_let_in_while_either_is_late_and_more_again_afterwards() -> None:
    sale, quick, slow = a_sale(rate=600, rate_now=600.0), Crowd(left=9, in_carts=1, wait_seconds=0.0), 1.0
    assert as_the_shop_keeps_up(sale, quick, 0.0).rate_now == 600
    slower = as_the_shop_keeps_up(sale, quick, slow)
    assert LEAST_RATE < slower.rate_now < 600
    assert as_the_shop_keeps_up(sale, quick.model_copy(update={"wait_seconds": slow}), 0.0).rate_now == slower.rate_now
    assert slower.rate_now < as_the_shop_keeps_up(slower, quick, 0.0).rate_now < 600
    assert as_the_shop_keeps_up(sale, None, 0.0).rate_now == slower.rate_now
