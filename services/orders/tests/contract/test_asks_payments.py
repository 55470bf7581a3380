"""What orders needs of payments: to begin one, to know how it stands, to take the money, to give it back."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.asking import Use
from chassis.http import ProviderProblem, ProviderUnavailable
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, a_state, an_id, ask, asks, problem
from services.orders.clients.payments import (
    BEGIN,
    CAPTURE,
    LOOK_UP,
    VOID,
    CaptureRefused,
    PaymentImpossible,
    PaymentsClient,
    PaymentState,
)

payments = asks("orders", "payments", PaymentsClient)

IN_TIME = datetime(2031, 6, 21, 17, 50, tzinfo=UTC)
TOO_LATE = datetime(2021, 6, 21, 17, 50, tzinfo=UTC)


def ids(words: str) -> tuple[UUID, UUID]:
    """A payment's id and its order's."""
    return an_id(f"orders asks payments: payment, {words}"), an_id(f"orders asks payments: order, {words}")


def ask_to_begin(payment_id: UUID, order_id: UUID, pay_by: datetime = IN_TIME) -> Ask:
    body = {
        "order_id": str(order_id),
        "amount_minor": 5000,
        "currency": "EUR",
        "description": "Hamlet (K7Q2-9MXA)",
        "return_url": "http://shop.test/orders/1/return",
        "pay_by": pay_by.isoformat().replace("+00:00", "Z"),
    }
    return ask(BEGIN, body=body, payment_id=payment_id)


async def begin(client: PaymentsClient, payment_id: UUID, order_id: UUID, pay_by: datetime = IN_TIME) -> str:
    return await client.begin(
        payment_id,
        order_id=order_id,
        amount_minor=5000,
        currency="EUR",
        description="Hamlet (K7Q2-9MXA)",
        return_url="http://shop.test/orders/1/return",
        pay_by=pay_by,
    )


def ask_how_it_stands(payment_id: UUID) -> Ask:
    return ask(LOOK_UP, query={"refresh": "true"}, payment_id=payment_id)


def in_state(state: str, decline_reason: Any = None) -> dict[str, Any]:
    return {"state": state, "decline_reason": decline_reason or matchers.nothing()}


A_PAGE = {"redirect_url": matchers.address("http://bank.test/pay/1")}


async def test_a_payment_begins_with_the_address_where_it_is_paid(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("new")
    async with payments.expects(
        "a new payment", None, ask_to_begin(payment_id, order_id), Answer(201, A_PAGE)
    ) as client:
        assert await begin(client, payment_id, order_id) == "http://bank.test/pay/1"


async def test_asking_again_for_the_same_payment_gives_the_same(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("again")
    address = "http://bank.test/pay/as-at-first"
    async with payments.expects(
        "a payment that was made before",
        a_state("a payment that waits for its payer", payment_id=payment_id, order_id=order_id, redirect_url=address),
        ask_to_begin(payment_id, order_id),
        Answer(200, {"redirect_url": address}),
    ) as client:
        assert await begin(client, payment_id, order_id) == address


async def test_a_payment_whose_time_is_over_is_impossible(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("too late")
    async with payments.expects(
        "a payment whose time is over",
        None,
        ask_to_begin(payment_id, order_id, TOO_LATE),
        problem(409, "payment_refused"),
    ) as client:
        with pytest.raises(PaymentImpossible):
            await begin(client, payment_id, order_id, TOO_LATE)


async def test_a_payment_that_was_called_off_is_impossible(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("called off")
    async with payments.expects(
        "a payment that was called off before it was made",
        a_state("a payment that was called off before it was made", payment_id=payment_id),
        ask_to_begin(payment_id, order_id),
        problem(409, "payment_voided"),
    ) as client:
        with pytest.raises(PaymentImpossible):
            await begin(client, payment_id, order_id)


async def test_the_id_of_a_payment_cannot_stand_for_another_order(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("differs")
    other = an_id("orders asks payments: another order")
    async with payments.expects(
        "a payment of another order under an id that is in use",
        a_state("a payment that waits for its payer", payment_id=payment_id, order_id=order_id),
        ask_to_begin(payment_id, other),
        problem(409, "payment_differs"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await begin(client, payment_id, other)
        assert refused.value.problem_code == "payment_differs"


async def test_a_bank_that_is_away_leaves_the_outcome_unknown(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("bank away")
    async with payments.expects(
        "a new payment while the bank is away",
        a_state("the bank does not answer", order_id=order_id),
        ask_to_begin(payment_id, order_id),
        problem(503, "gateway_unavailable"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await begin(client, payment_id, order_id)


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("a payment that waits for its payer", in_state("created")),
        ("a payment that its payer authorised", in_state("authorised")),
        ("a payment that the bank declined", in_state("declined", "card_declined")),
    ],
    ids=["created", "authorised", "declined"],
)
async def test_a_payment_is_looked_up_at_the_bank(
    payments: Asking[PaymentsClient], state: str, answer: dict[str, Any]
) -> None:
    payment_id, order_id = ids(f"looked up: {state}")
    async with payments.expects(
        "how a payment stands",
        a_state(state, payment_id=payment_id, order_id=order_id),
        ask_how_it_stands(payment_id),
        Answer(200, answer),
    ) as client:
        payment = await client.look_up(payment_id)
        assert payment is not None
        assert payment.state == answer["state"]
        assert (payment.decline_reason is not None) == (payment.state is PaymentState.DECLINED)


async def test_a_payment_that_was_never_made_is_none(payments: Asking[PaymentsClient]) -> None:
    payment_id, _ = ids("never made")
    async with payments.expects(
        "how a payment stands that was never made",
        None,
        ask_how_it_stands(payment_id),
        problem(404, "payment_unknown"),
    ) as client:
        assert await client.look_up(payment_id) is None


Question = Callable[[PaymentsClient, UUID], Awaitable[object]]


@pytest.mark.parametrize(
    ("state", "what", "use", "query", "question"),
    [
        ("an open payment", "GET", LOOK_UP, {"refresh": "true"}, PaymentsClient.look_up),
        ("an authorised payment", "POST /capture", CAPTURE, None, PaymentsClient.capture),
        ("an authorised payment", "POST /void", VOID, None, PaymentsClient.void),
    ],
    ids=["look up", "capture", "void"],
)
async def test_while_the_bank_is_away_nothing_is_known_of_a_payment(
    payments: Asking[PaymentsClient],
    state: str,
    what: str,
    use: Use[Any],
    query: dict[str, str] | None,
    question: Question,
) -> None:
    payment_id, order_id = ids(f"bank away: {what}")
    async with payments.expects(
        f"{what} of {state} while the bank is away",
        a_state(f"{state} while the bank does not answer", payment_id=payment_id, order_id=order_id),
        ask(use, query=query, payment_id=payment_id),
        problem(503, "gateway_unavailable"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await question(client, payment_id)


async def test_authorised_money_is_taken(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("captured")
    async with payments.expects(
        "the capture of authorised money",
        a_state("a payment that its payer authorised", payment_id=payment_id, order_id=order_id),
        ask(CAPTURE, payment_id=payment_id),
        Answer(200, {"state": "captured"}),
    ) as client:
        await client.capture(payment_id)


async def test_money_that_was_taken_is_not_taken_twice(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("captured again")
    async with payments.expects(
        "the capture of money that was taken before",
        a_state("a payment that was captured", payment_id=payment_id, order_id=order_id),
        ask(CAPTURE, payment_id=payment_id),
        Answer(200, {"state": "captured"}),
    ) as client:
        await client.capture(payment_id)


async def test_the_money_of_a_payment_that_was_never_made_cannot_be_taken(payments: Asking[PaymentsClient]) -> None:
    payment_id, _ = ids("capture of unknown")
    async with payments.expects(
        "the capture of a payment that was never made",
        None,
        ask(CAPTURE, payment_id=payment_id),
        problem(404, "payment_unknown"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.capture(payment_id)
        assert refused.value.problem_code == "payment_unknown"


async def test_money_that_nobody_authorised_cannot_be_taken(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("capture refused")
    async with payments.expects(
        "the capture of a declined payment",
        a_state("a payment that the bank declined", payment_id=payment_id, order_id=order_id),
        ask(CAPTURE, payment_id=payment_id),
        problem(409, "capture_refused"),
    ) as client:
        with pytest.raises(CaptureRefused):
            await client.capture(payment_id)


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        ("a payment that its payer authorised", "voided"),
        ("a payment that was captured", "refunded"),
    ],
    ids=["authorised", "captured"],
)
async def test_money_is_given_back(payments: Asking[PaymentsClient], state: str, ends: str) -> None:
    payment_id, order_id = ids(f"void: {state}")
    async with payments.expects(
        "the money back",
        a_state(state, payment_id=payment_id, order_id=order_id),
        ask(VOID, payment_id=payment_id),
        Answer(200, {"state": ends, "was_authorised": True}),
    ) as client:
        assert await client.void(payment_id) is True


@pytest.mark.parametrize(
    ("state", "ends", "was_authorised"),
    [
        ("a payment that was voided", "voided", True),
        ("a payment that was refunded", "refunded", True),
        ("a payment that was called off before it was made", "voided", False),
    ],
    ids=["voided", "refunded", "never made"],
)
async def test_money_that_was_given_back_is_not_given_back_twice(
    payments: Asking[PaymentsClient], state: str, ends: str, was_authorised: bool
) -> None:
    payment_id, order_id = ids(f"void again: {state}")
    async with payments.expects(
        "the money back, again",
        a_state(state, payment_id=payment_id, order_id=order_id),
        ask(VOID, payment_id=payment_id),
        Answer(200, {"state": ends, "was_authorised": was_authorised}),
    ) as client:
        assert await client.void(payment_id) is was_authorised


async def test_a_payment_that_nobody_authorised_gives_no_money_back(payments: Asking[PaymentsClient]) -> None:
    payment_id, order_id = ids("void of an open one")
    async with payments.expects(
        "the money back of a payment that waits for its payer",
        a_state("a payment that waits for its payer", payment_id=payment_id, order_id=order_id),
        ask(VOID, payment_id=payment_id),
        Answer(200, {"state": "voided", "was_authorised": False}),
    ) as client:
        assert await client.void(payment_id) is False


async def test_a_payment_that_never_arrived_can_be_called_off(payments: Asking[PaymentsClient]) -> None:
    payment_id, _ = ids("void of unknown")
    async with payments.expects(
        "the money back of a payment that was never made",
        None,
        ask(VOID, payment_id=payment_id),
        Answer(200, {"state": "voided", "was_authorised": False}),
    ) as client:
        assert await client.void(payment_id) is False
