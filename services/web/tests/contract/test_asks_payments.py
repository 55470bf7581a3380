"""What web needs of payments: what it has recorded of an order, for support."""

from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks
from services.web.clients.payments import PaymentsClient
from services.web.clients.records import GET_RECORDS
from services.web.tests.contract.recorded import any_of, entry, records

payments = asks("web", "payments", PaymentsClient)


async def test_a_payment_has_its_story(payments: Asking[PaymentsClient]) -> None:
    order_id, payment_id = an_id("web asks payments: order"), an_id("web asks payments: payment")
    untraced = {"trace": matchers.nothing(), "span": matchers.nothing()}
    hint = {"kind": "payment.authorised", "reference": "a hint"}
    opened = entry(
        any_of("payments", "payment_opened"),
        **untraced,
        reference=str(payment_id),
        attempt=1,
        amount_minor=5000,
        currency="EUR",
        until="2031-06-21T17:50:00Z",
    )
    operation = {"kind": "authorise", "attempt": 1}
    async with payments.expects(
        "the records of an order whose payment waits for its payer",
        a_state(
            "a payment that waits for its payer, opened outside of any trace", order_id=order_id, payment_id=payment_id
        ),
        ask(GET_RECORDS, order_id=order_id),
        Answer(
            200,
            records(
                opened,
                entry("gateway_asked", **operation),
                entry("gateway_did", **operation),
                entry("webhook_taken", **hint, **untraced),
                entry("webhook_followed", attempt=1, **hint, **untraced),
            ),
        ),
    ) as client:
        found = await client.records(order_id)
        assert [each.what for each in found.entries][:3] == ["payment_opened", "gateway_asked", "gateway_did"]


async def test_of_an_order_without_a_payment_there_is_nothing(payments: Asking[PaymentsClient]) -> None:
    order_id = an_id("web asks payments: order without")
    async with payments.expects(
        "the records of an order that has no payment",
        None,
        ask(GET_RECORDS, order_id=order_id),
        Answer(200, records()),
    ) as client:
        assert (await client.records(order_id)).entries == []
