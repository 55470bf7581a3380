"""The table of transitions and the rules, without any database."""

import re
from uuid import uuid4

import pytest

from services.orders.domain import (
    DRIVEN_STATES,
    OPEN_STATES,
    REASONS,
    TRANSITIONS,
    Happening,
    ImpossibleTransition,
    OrderState,
    new_number,
    next_state,
    payment_description,
    payment_id_of,
)


def test_every_open_state_leads_to_an_end() -> None:
    for state in OPEN_STATES:
        reached, edge = {state}, {state}
        while edge:
            edge = {to for (origin, _), to in TRANSITIONS.items() if origin in edge} - reached
            reached |= edge
        assert reached & {OrderState.CONFIRMED, OrderState.CANCELLED}, state


def test_ended_orders_stay_ended() -> None:
    assert not [origin for origin, _ in TRANSITIONS if origin in {OrderState.CONFIRMED, OrderState.CANCELLED}]


def test_nobody_is_confirmed_before_capture() -> None:
    before = [key for key, to in TRANSITIONS.items() if to is OrderState.CONFIRMED]
    assert before == [(OrderState.COMMITTED, Happening.CAPTURED)]


def test_every_way_into_cancellation_has_a_reason_for_the_buyer() -> None:
    into = {
        happening
        for (origin, happening), to in TRANSITIONS.items()
        if to in {OrderState.CANCELLING, OrderState.CANCELLED} and origin is not OrderState.CANCELLING
    }
    assert into == set(REASONS)


def test_driven_states_are_left_without_the_buyer() -> None:
    assert DRIVEN_STATES <= OPEN_STATES


def test_a_happening_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ImpossibleTransition):
        next_state(OrderState.CONFIRMED, Happening.BUYER_CANCELLED)


def test_an_attempt_has_one_payment_and_the_next_attempt_another() -> None:
    order_id = uuid4()
    assert payment_id_of(order_id, 1) == payment_id_of(order_id, 1) != payment_id_of(order_id, 2)


def test_numbers_can_be_read_out() -> None:
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", new_number()) for _ in range(200))


def test_an_event_with_the_longest_title_can_be_paid() -> None:
    described = payment_description("T" * 200, "K7Q2-9MXA")
    assert len(described) <= 200  # as payments and the bank take it
    assert described.startswith("TTT")
    assert described.endswith("(K7Q2-9MXA)")
    assert payment_description("Hamlet", "K7Q2-9MXA") == "Hamlet (K7Q2-9MXA)"
