"""Whoever comes while the gateway is asked about the same payment waits for a moment."""

import asyncio

import pytest

from chassis.ids import uuid7
from services.payments.service import under_way
from services.payments.service.under_way import UnderWay

PAYMENT = uuid7()


async def test_nobody_waits_for_nobody() -> None:
    payments = UnderWay()
    with payments.asking(uuid7()):
        assert not await payments.over(PAYMENT)


async def test_who_waits_goes_on_when_the_first_who_asked_is_done_also_if_it_failed() -> None:
    payments, answered = UnderWay(), asyncio.Event()

    async def ask() -> None:
        with payments.asking(PAYMENT):
            with payments.asking(PAYMENT):
                pass
            await answered.wait()
            raise ConnectionError

    asking, waiting = asyncio.create_task(ask()), asyncio.create_task(payments.over(PAYMENT))
    await asyncio.sleep(0)
    assert not waiting.done()
    answered.set()
    assert await waiting
    with pytest.raises(ConnectionError):
        await asking
    assert not await payments.over(PAYMENT)


async def test_a_bank_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "MOMENT_SECONDS", 0.01)
    payments = UnderWay()
    with payments.asking(PAYMENT):
        assert await payments.over(PAYMENT)
