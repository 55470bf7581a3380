"""How late the bank is: said while it is so, once when it is over, and never when nobody asks it."""

from typing import Any
from uuid import uuid4

import pytest

from services.payments.events import BankLate
from services.payments.pace_of_bank import LEAST_ASKED, PATIENCE_SECONDS, SILENT_SECONDS, WINDOW_SECONDS, PaceOfBank


class Said:
    """A bus that notes what is said, and a clock."""

    def __init__(self) -> None:
        self.messages: list[BankLate] = []
        self.now = 1000.0
        bus: Any = self
        self.pace = PaceOfBank(bus, lambda: self.now, uuid4())

    async def say(self, message: BankLate) -> None:
        self.messages.append(message)

    def asked(self, times: int, seconds: float) -> None:
        for _ in range(times):
            self.pace.took(seconds)


async def test_nothing_is_said_while_the_bank_keeps_up_or_nobody_asks() -> None:
    said = Said()
    for seconds in (0.1, PATIENCE_SECONDS):
        said.asked(10, seconds)
        await said.pace.say()
    said.now += WINDOW_SECONDS + 1
    said.asked(LEAST_ASKED - 1, 60)
    await said.pace.say()
    assert said.messages == []


async def test_a_bank_that_is_late_is_told_until_it_keeps_up_again() -> None:
    said = Said()
    said.asked(LEAST_ASKED, PATIENCE_SECONDS + 3)
    for _ in range(2):
        await said.pace.say()
    assert [one.late_seconds for one in said.messages] == [3.0, 3.0]
    said.now += WINDOW_SECONDS + 1
    for _ in range(3):
        await said.pace.say()
    assert [one.late_seconds for one in said.messages] == [3.0, 3.0, 0.0]


async def test_a_bank_that_refuses_connections_is_late_although_it_does_so_at_once() -> None:
    said = Said()
    for _ in range(LEAST_ASKED):
        said.pace.took(0.001, answered=False)
    assert said.pace.late_seconds() == SILENT_SECONDS - PATIENCE_SECONDS


async def test_what_is_late_on_average_counts() -> None:
    said = Said()
    said.asked(2, 0.5)
    said.asked(2, PATIENCE_SECONDS + 4.5)
    assert said.pace.late_seconds() == pytest.approx(1.5)
