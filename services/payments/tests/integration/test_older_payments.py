"""Payments that were made before rows said whether their payer had authorised them."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from chassis.migrated import migrations_of
from chassis.migrations import migrate
from chassis.testing import Harness

# No more of them than this may be locked at once.
MOST_AT_ONCE = 5000
BEFORE = "0002"


@pytest.fixture
def url(harness: Harness) -> str:
    return harness.database_url("payments")


@pytest.fixture
async def store(url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as the version before has left it."""
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER TABLE payment DROP COLUMN was_authorised")
    await connection.execute("UPDATE alembic_version SET version_num = $1", BEFORE)
    yield connection
    await connection.close()


async def pay(store: asyncpg.Connection, state: str, *, times: int = 1) -> None:
    await store.execute(_PAY, state, times)


async def go_on(url: str) -> None:
    await asyncio.to_thread(migrate, migrations_of("payments"), url)


async def test_older_payments_say_whether_they_were_authorised(url: str, store: asyncpg.Connection) -> None:
    for state in ("created", "authorised", "captured", "declined", "voided", "refunded"):
        await pay(store, state)
    await store.execute("INSERT INTO payment_change (payment_id, state) SELECT payment_id, state FROM payment")
    await pay(store, "voided")
    await store.execute(
        "INSERT INTO payment_change (payment_id, state) SELECT payment_id, 'authorised' FROM payment "
        "WHERE payment_id NOT IN (SELECT payment_id FROM payment_change)"
    )
    await go_on(url)
    found = await store.fetch("SELECT state, was_authorised FROM payment ORDER BY state, was_authorised")
    assert [tuple(row) for row in found] == [
        ("authorised", True),
        ("captured", True),
        ("created", False),
        ("declined", False),
        ("refunded", True),
        ("voided", False),
        ("voided", True),
    ]


async def test_many_older_payments_are_brought_up_to_date_some_at_a_time(url: str, store: asyncpg.Connection) -> None:
    await pay(store, "captured", times=2 * MOST_AT_ONCE + 1)
    await go_on(url)
    # Rows that were written together have the same transaction as their creator.
    together = await store.fetch("SELECT count(*), bool_and(was_authorised) FROM payment GROUP BY xmin::text")
    assert all(authorised for _, authorised in together)
    assert sorted(count for count, _ in together) == [1, MOST_AT_ONCE, MOST_AT_ONCE]


_PAY = """
    INSERT INTO payment (payment_id, order_id, attempt, amount_minor, currency, description, return_url, pay_by, state, captured_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, 4500, 'EUR', 'A concert', 'https://shop.example/orders/1', now(), $1::text,
        CASE WHEN $1::text IN ('captured', 'refunded') THEN now() END
    FROM generate_series(1, $2::int)
"""
