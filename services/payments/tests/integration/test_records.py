"""What support reads of a payment was written by what it tells of."""

from typing import Any

import pytest

from services.payments.clients.bank import BankGateway
from services.payments.gateway import GatewaySilent
from services.payments.tests.integration.conftest import Till


async def records(till: Till, payment: dict[str, Any]) -> list[dict[str, Any]]:
    headers = till.harness.headers("web", to="payments")
    answer = await till.app.http.get(f"/records/orders/{payment['order_id']}", headers=headers)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


async def until_recorded(till: Till, payment: dict[str, Any], what: str, kind: str = "") -> list[dict[str, Any]]:
    async def there() -> list[dict[str, Any]] | None:
        entries = await records(till, payment)
        found = [entry for entry in entries if entry["what"] == what and entry["facts"]["kind"].startswith(kind)]
        return entries if found else None

    entries: list[dict[str, Any]] = await till.harness.eventually(there)
    return entries


def of(entries: list[dict[str, Any]], *whats: str) -> list[tuple[str, str, int | None, str]]:
    """What, kind, attempt and reason of the entries with these words."""
    facts = ((entry["what"], entry["facts"]) for entry in entries if entry["what"] in whats)
    return [(what, each["kind"], each["attempt"], each["reason"]) for what, each in facts]


GATEWAY = ("gateway_asked", "gateway_silent", "gateway_did", "gateway_refused")


async def test_a_capture_that_the_bank_answered_with_500_is_recorded_try_by_try(till: Till) -> None:
    payment = await till.authorised("capture_500")
    answers = [(await till.capture(payment)).status_code for _ in range(3)]
    assert answers == [503, 503, 200]
    entries = await until_recorded(till, payment, "webhook_followed", "payment.captured")
    assert of(entries, *GATEWAY) == [
        ("gateway_asked", "authorise", 1, ""),
        ("gateway_did", "authorise", 1, ""),
        ("gateway_asked", "capture", 1, ""),
        ("gateway_silent", "capture", 1, "answered_500"),
        ("gateway_asked", "capture", 2, ""),
        ("gateway_silent", "capture", 2, "answered_500"),
        ("gateway_asked", "capture", 3, ""),
        ("gateway_did", "capture", 3, ""),
    ]
    steps = [entry for entry in entries if entry["what"].startswith(("payment_", "money_"))]
    assert [entry["what"] for entry in steps] == [
        "payment_opened",
        "payment_authorised",
        "payment_captured",
        "money_booked",
    ]
    assert {(entry["facts"]["amount_minor"], entry["facts"]["currency"]) for entry in steps} == {(4200, "EUR")}
    assert all(entry["trace_id"] and entry["span_id"] for entry in entries)
    assert {"webhook_taken", "fact_told"} <= {entry["what"] for entry in entries}


async def test_a_refund_and_its_booking_are_recorded(till: Till) -> None:
    payment = await till.authorised("approved")
    await till.capture(payment)
    await till.void(payment)
    entries = await records(till, payment)
    assert of(entries, "money_booked") == [("money_booked", kind, None, "") for kind in ("captured", "refunded")]
    assert "payment_refunded" in {entry["what"] for entry in entries}
    assert of(entries, "gateway_did")[-1][1] == "refund"


async def test_a_payment_that_was_called_off_and_one_that_was_refused_are_recorded(till: Till) -> None:
    called_off = await till.authorised("approved")
    await till.void(called_off)
    assert "payment_voided" in {entry["what"] for entry in await records(till, called_off)}
    refused = await till.authorised("capture_refused")
    assert (await till.capture(refused)).status_code == 409
    assert of(await records(till, refused), "gateway_refused") == [("gateway_refused", "capture", 1, "capture_refused")]


async def test_a_declined_card_is_recorded_with_its_reason(till: Till) -> None:
    payment = await till.open()
    await till.bank.pay(payment["redirect_url"], "insufficient_funds")
    entries = await until_recorded(till, payment, "payment_declined")
    assert of(entries, "payment_declined") == [("payment_declined", "", None, "insufficient_funds")]


async def test_a_bank_that_cannot_be_reached_is_recorded(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_asked: object) -> None:
        raise GatewaySilent

    payment = await till.authorised("approved")
    monkeypatch.setattr(BankGateway, "capture", silent)
    await till.capture(payment)
    assert ("gateway_silent", "capture", 1, "no_answer") in of(await records(till, payment), "gateway_silent")


async def test_records_hold_no_card_and_only_web_reads_them(till: Till) -> None:
    payment = await till.authorised("approved")
    headers = till.harness.headers("web", to="payments")
    answer = await till.app.http.get(f"/records/orders/{payment['order_id']}", headers=headers)
    assert "4242" not in answer.text
    assert (await till.call("GET", f"/records/orders/{payment['order_id']}")).status_code == 403
