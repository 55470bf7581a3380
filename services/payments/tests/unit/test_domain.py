"""The rules of payments."""

import pytest

from services.payments.domain import (
    EFFECT,
    LIVE,
    SOURCES,
    TRANSITIONS,
    OperationKind,
    PaymentState,
    entries_of,
    knowing,
    steps_to,
)

S = PaymentState


@pytest.mark.parametrize(
    ("state", "target", "way"),
    [
        (S.CREATED, S.AUTHORISED, [S.AUTHORISED]),
        (S.CREATED, S.CAPTURED, [S.AUTHORISED, S.CAPTURED]),
        (S.CREATED, S.REFUNDED, [S.AUTHORISED, S.CAPTURED, S.REFUNDED]),
        (S.CREATED, S.VOIDED, [S.VOIDED]),
        (S.AUTHORISED, S.AUTHORISED, []),
    ],
)
def test_a_gateway_that_is_ahead_is_followed_step_by_step(
    state: PaymentState, target: PaymentState, way: list[PaymentState]
) -> None:
    assert steps_to(state, target) == way


@pytest.mark.parametrize(
    ("state", "target"),
    [(S.CAPTURED, S.AUTHORISED), (S.VOIDED, S.CAPTURED), (S.DECLINED, S.AUTHORISED), (S.AUTHORISED, S.DECLINED)],
)
def test_nothing_goes_backwards(state: PaymentState, target: PaymentState) -> None:
    assert steps_to(state, target) is None


def test_every_state_has_its_transitions_and_money_ends_somewhere() -> None:
    assert set(TRANSITIONS) == set(PaymentState)
    finals = {state for state, following in TRANSITIONS.items() if not following}
    assert finals == {S.VOIDED, S.REFUNDED}
    assert S.DECLINED not in LIVE


def test_operations_lead_from_where_they_can_start_to_where_they_take_effect() -> None:
    for kind in (OperationKind.CAPTURE, OperationKind.VOID, OperationKind.REFUND):
        assert all(TRANSITIONS[source] & EFFECT[kind] for source in SOURCES[kind])


def test_money_is_booked_twice_over_and_a_refund_is_the_capture_reversed() -> None:
    captured, refunded = entries_of(S.CAPTURED, 4200), entries_of(S.REFUNDED, 4200)
    assert sum(captured.values()) == sum(refunded.values()) == 0
    assert captured == {"gateway_clearing": 4200, "organiser_payable": -4200}
    assert refunded == {account: -amount for account, amount in captured.items()}
    assert entries_of(S.AUTHORISED, 4200) == {}


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (S.AUTHORISED, {S.AUTHORISED, S.CAPTURED, S.REFUNDED}),
        (S.CAPTURED, {S.CAPTURED, S.REFUNDED}),
        (S.REFUNDED, {S.REFUNDED}),
        (S.CREATED, set()),
        (S.DECLINED, set()),
        (S.VOIDED, set()),
        (None, set()),
    ],
)
def test_a_word_about_money_is_known_where_the_payment_has_come_to_it(
    said: PaymentState | None, known: set[PaymentState]
) -> None:
    assert knowing(said) == known
