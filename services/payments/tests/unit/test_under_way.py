"""Whoever comes while the gateway is asked about the same payment waits for a moment."""

import asyncio

import pytest

from chassis.ids import uuid7
from services.payments.service import under_way
from services.payments.service.under_way import UnderWay

PAYMENT, AT_THE_BANK = uuid7(), "bp_1"


async def test_nobody_waits_for_nobody() -> None:
    payments = UnderWay()
    with payments.asking(uuid7(), "bp_2"):
        assert not await payments.over(PAYMENT)


async def test_who_waits_goes_on_when_the_first_who_asked_is_done_also_if_it_failed() -> None:
    payments, answered = UnderWay(), asyncio.Event()

    async def ask() -> None:
        with payments.asking(PAYMENT, AT_THE_BANK):
            with payments.asking(PAYMENT, AT_THE_BANK):
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
    assert not await payments.over(AT_THE_BANK)


async def test_it_is_found_by_the_id_that_it_has_at_the_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "MOMENT_SECONDS", 0.01)
    payments = UnderWay()
    with payments.asking(PAYMENT, AT_THE_BANK):
        assert await payments.over(AT_THE_BANK)


async def test_a_bank_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "MOMENT_SECONDS", 0.01)
    payments = UnderWay()
    with payments.asking(PAYMENT, AT_THE_BANK):
        assert await payments.over(PAYMENT)
