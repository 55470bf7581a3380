"""What an order promises is kept by the database itself, whatever the code does."""

from itertools import product

import pytest

from chassis.testing import Harness
from services.orders.domain import TRANSITIONS, OrderState
from services.orders.settings import OrdersSettings
from services.orders.tests.integration.conftest import Desk

STEPS = {(was, now) for (was, _), now in TRANSITIONS.items()}
OTHERS = [pair for pair in product(OrderState, OrderState) if pair[0] is not pair[1] and pair not in STEPS]
# With what the other constraints ask of a row in a state, so that only the step itself can be what is refused.
MOVED = """
    UPDATE purchase_order SET state = :state, paid = payment_id IS NOT NULL,
        reason = CASE WHEN :state IN ('cancelling', 'cancelled') THEN 'buyer' END,
        confirmed_at = CASE WHEN :state = 'confirmed' THEN now() END
"""
# How an order came to where it is does not matter here.
BEGUN = (
    "ALTER TABLE purchase_order DISABLE TRIGGER order_takes_its_steps",
    "UPDATE purchase_order SET payment_id = gen_random_uuid()",
    ":moved",
    "ALTER TABLE purchase_order ENABLE TRIGGER order_takes_its_steps",
)
MORE = """
    INSERT INTO order_line (line_id, order_id, class_id, class_name, quantity, unit_price_minor)
    SELECT gen_random_uuid(), order_id, class_id, class_name, 1, 1 FROM order_line
"""


@pytest.fixture
async def url(desk: Desk, orders_settings: OrdersSettings) -> str:
    """A database with one order of two places, held and not paid."""
    await desk.place()
    return orders_settings.database_url.get_secret_value()


def moved(state: OrderState) -> str:
    return MOVED.replace(":state", f"'{state.value}'")


def begun(state: OrderState) -> list[str]:
    return [statement.replace(":moved", moved(state)) for statement in BEGUN]


async def test_no_order_takes_a_step_that_is_not_in_the_table(harness: Harness, url: str) -> None:
    for was, now in OTHERS:
        await harness.write(url, *begun(was))
        assert "no order goes from this state" in await harness.refused(url, moved(now)), (was, now)


async def test_each_step_of_the_table_can_be_taken(harness: Harness, url: str) -> None:
    for was, now in STEPS:
        await harness.write(url, *begun(was), moved(now))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE purchase_order SET total_minor = total_minor - 1", "the lines of order"),
        ("UPDATE order_line SET unit_price_minor = 1", "does not change"),
        ("DELETE FROM order_line", "does not change"),
        (MORE, "the lines of order"),
        ("UPDATE purchase_order SET paid = true", "paid_has_a_payment"),
    ],
)
async def test_what_was_ordered_and_what_it_costs_do_not_part(
    harness: Harness, url: str, change: str, says: str
) -> None:
    assert says in await harness.refused(url, change)


async def test_nobody_is_confirmed_who_has_not_paid(harness: Harness, url: str) -> None:
    confirmed = "UPDATE purchase_order SET state = 'confirmed', confirmed_at = now(), paid = false"
    assert "confirmed_is_paid_or_free" in await harness.refused(url, *begun(OrderState.COMMITTED), confirmed)


async def test_an_older_word_of_an_event_does_not_overwrite_a_newer_one(harness: Harness, url: str) -> None:
    known = """
        INSERT INTO event (event_id, version, state, title, starts_at, time_zone, venue_name, venue_city)
        VALUES (gen_random_uuid(), 3, 'cancelled', '', now(), '', '', '')
    """
    await harness.write(url, known, "UPDATE event SET version = 4")
    assert "only what is newer stands over it" in await harness.refused(url, "UPDATE event SET version = 4")
