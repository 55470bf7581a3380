"""What a payment promises is kept by the database itself, whatever the code does."""

from itertools import product
from uuid import UUID

import pytest

from chassis.testing import Harness
from services.payments.domain import TRANSITIONS, PaymentState

STEPS = [(was, now) for was, following in TRANSITIONS.items() for now in sorted(following)]
OTHERS = [pair for pair in product(PaymentState, PaymentState) if pair[0] is not pair[1] and pair not in STEPS]
PAYMENT = UUID(int=1)
BOOKS = """
    INSERT INTO ledger_account (name, currency) VALUES ('a', 'EUR'), ('b', 'EUR') ON CONFLICT DO NOTHING;
    INSERT INTO ledger_transfer (transfer_id, payment_id, kind) SELECT gen_random_uuid(), payment_id, ':kind' FROM payment;
    INSERT INTO ledger_entry SELECT transfer_id, name, currency, CASE name WHEN 'a' THEN :amount ELSE -:amount END
        FROM ledger_transfer, ledger_account WHERE kind = ':kind'
"""


def is_in(state: PaymentState) -> str:
    """A payment of 100 that is so far."""
    return f"""
        INSERT INTO payment (payment_id, order_id, attempt, amount_minor, currency, description, return_url, pay_by, state,
            captured_at)
        VALUES ('{PAYMENT}', '{UUID(int=2)}', 1, 100, 'EUR', '', '', now(), '{state.value}', {captured_at(state)})
    """  # noqa: S608  # our own words


def moves_to(state: PaymentState) -> str:
    return f"UPDATE payment SET state = '{state.value}', captured_at = {captured_at(state)}"  # noqa: S608  # our own words


def captured_at(state: PaymentState) -> str:
    return "now()" if state in {PaymentState.CAPTURED, PaymentState.REFUNDED} else "NULL"


def books(kind: str, amount: int = 100) -> str:
    return BOOKS.replace(":kind", kind).replace(":amount", str(amount))


@pytest.mark.parametrize(("was", "now"), OTHERS)
async def test_no_payment_takes_a_step_that_is_not_in_the_table(
    harness: Harness, was: PaymentState, now: PaymentState
) -> None:
    said = await harness.refused(harness.database_url("payments"), is_in(was), moves_to(now))
    assert said.startswith("no payment goes from this state")


@pytest.mark.parametrize(("was", "now"), STEPS)
async def test_each_step_of_the_table_can_be_taken(harness: Harness, was: PaymentState, now: PaymentState) -> None:
    booked = {PaymentState.CAPTURED: ["captured"], PaymentState.REFUNDED: ["captured", "refunded"]}.get(now, [])
    await harness.write(harness.database_url("payments"), is_in(was), moves_to(now), *map(books, booked))


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        pytest.param([moves_to(PaymentState.CAPTURED)], "so {captured} must be booked, and {} is", id="taken"),
        pytest.param(
            [books("captured"), moves_to(PaymentState.CAPTURED), moves_to(PaymentState.REFUNDED)],
            "so {captured,refunded} must be booked, and {captured} is",
            id="given back",
        ),
    ],
)
async def test_no_money_moves_that_is_not_booked(harness: Harness, statements: list[str], says: str) -> None:
    url = harness.database_url("payments")
    assert says in await harness.refused(url, is_in(PaymentState.AUTHORISED), *statements)


async def test_nothing_is_booked_that_did_not_happen(harness: Harness) -> None:
    url = harness.database_url("payments")
    said = await harness.refused(url, is_in(PaymentState.AUTHORISED), books("captured"))
    assert said == f"payment {PAYMENT} is authorised, so {{}} must be booked, and {{captured}} is"


async def test_what_is_booked_is_what_was_paid(harness: Harness) -> None:
    url = harness.database_url("payments")
    taken = moves_to(PaymentState.CAPTURED)
    said = await harness.refused(url, is_in(PaymentState.AUTHORISED), taken, books("captured", 99))
    assert said.startswith(f"payment {PAYMENT} is of 100, and ")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payment SET amount_minor = 1",
        "UPDATE payment SET currency = 'CHF'",
        "UPDATE payment SET order_id = payment_id",
        "UPDATE payment SET attempt = 2",
    ],
)
async def test_the_terms_of_a_payment_do_not_change(harness: Harness, change: str) -> None:
    url = harness.database_url("payments")
    said = await harness.refused(url, is_in(PaymentState.CREATED), change)
    assert "does not change: void this payment" in said


@pytest.mark.parametrize(("was", "now"), [("succeeded", "unknown"), ("succeeded", "refused"), ("refused", "succeeded")])
async def test_what_became_of_an_operation_does_not_change(harness: Harness, was: str, now: str) -> None:
    refusals = {"refused": "'called_off'"}
    asked = f"""
        INSERT INTO gateway_operation (key, payment_id, kind, state, attempts, refusal, ask_again_at)
        VALUES ('k', '{PAYMENT}', 'capture', '{was}', 1, {refusals.get(was, "NULL")}, now())
    """  # noqa: S608  # our own words
    change = f"UPDATE gateway_operation SET state = '{now}', refusal = {refusals.get(now, 'NULL')}"  # noqa: S608
    url = harness.database_url("payments")
    assert "is known and does not change" in await harness.refused(url, is_in(PaymentState.CREATED), asked, change)
