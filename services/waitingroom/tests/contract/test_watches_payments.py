"""What waitingroom reads in the bus messages of payments: how much longer the bank takes than people should wait."""

import orjson

from contracts import matchers
from contracts.consumer import Watching, an_id, watches
from contracts.demanded import refuse_unread
from services.waitingroom.bank import Bank, BankHeard

payments = watches("waitingroom", "payments")

SUBJECT = "bus.payments.bank_late"


async def test_the_bank_is_late(payments: Watching) -> None:
    process_id = an_id("waitingroom watches payments: process")
    said = {"process_id": matchers.identifier(process_id), "late_seconds": matchers.number(3.25)}
    bank = Bank()
    with payments.said(SUBJECT, said) as body:
        payload = orjson.loads(body)
        refuse_unread(payload, BankHeard, SUBJECT)
        await bank.on_bank_late(f"{SUBJECT}.{process_id}", payload)
        assert bank.late_seconds() == 3.25
