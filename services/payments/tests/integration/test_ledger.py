"""What the database itself refuses, whatever the code does."""

from typing import Any

import asyncpg
import pytest

from chassis.ids import uuid7
from chassis.testing import Harness
from services.payments.tests.integration.conftest import Till


@pytest.fixture
async def books(harness: Harness) -> Any:
    """A connection to a migrated database with one captured payment's row and two accounts."""
    connection = await asyncpg.connect(harness.database_url("payments"))
    await connection.execute(
        "INSERT INTO ledger_account (name, currency) VALUES ('a', 'EUR'), ('b', 'EUR'), ('a', 'CHF')"
    )
    await connection.execute(
        "INSERT INTO payment (payment_id, order_id, attempt, amount_minor, currency, description, return_url, pay_by,"
        " state, captured_at) VALUES ($1, $2, 1, 100, 'EUR', 'd', 'u', now(), 'captured', now())",
        uuid7(),
        uuid7(),
    )
    yield connection
    await connection.close()


async def book(books: asyncpg.Connection, *entries: tuple[str, str, int], kind: str = "captured") -> None:
    transfer_id = uuid7()
    async with books.transaction():
        payment_id = await books.fetchval("SELECT payment_id FROM payment")
        await books.execute(
            "INSERT INTO ledger_transfer (transfer_id, payment_id, kind) VALUES ($1, $2, $3)",
            transfer_id,
            payment_id,
            kind,
        )
        for account, currency, amount_minor in entries:
            await books.execute(
                "INSERT INTO ledger_entry (transfer_id, account, currency, amount_minor) VALUES ($1, $2, $3, $4)",
                transfer_id,
                account,
                currency,
                amount_minor,
            )


async def test_a_balanced_transfer_is_booked(books: asyncpg.Connection) -> None:
    await book(books, ("a", "EUR", 100), ("b", "EUR", -100))
    assert await books.fetchval("SELECT count(*) FROM ledger_entry") == 2


@pytest.mark.parametrize(
    "entries",
    [
        (("a", "EUR", 100), ("b", "EUR", -99)),
        (("a", "EUR", 100), ("a", "CHF", -100)),
        (("a", "EUR", 100),),
        (),
    ],
)
async def test_a_transfer_that_does_not_sum_to_zero_in_each_currency_is_refused(
    books: asyncpg.Connection, entries: tuple[tuple[str, str, int], ...]
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="ledger transfer"):
        await book(books, *entries)
    assert await books.fetchval("SELECT count(*) FROM ledger_transfer") == 0


async def test_an_entry_added_to_a_booked_transfer_is_refused(books: asyncpg.Connection) -> None:
    await book(books, ("a", "EUR", 100), ("b", "EUR", -100))
    with pytest.raises(asyncpg.CheckViolationError):
        await books.execute("INSERT INTO ledger_entry SELECT transfer_id, 'a', 'CHF', 1 FROM ledger_transfer")


async def test_an_entry_of_nothing_is_refused(books: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await book(books, ("a", "EUR", 0), ("b", "EUR", 0))


async def test_a_payment_is_booked_as_captured_once(books: asyncpg.Connection) -> None:
    await book(books, ("a", "EUR", 100), ("b", "EUR", -100))
    with pytest.raises(asyncpg.UniqueViolationError):
        await book(books, ("a", "EUR", 100), ("b", "EUR", -100))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger_entry SET amount_minor = 1", "DELETE FROM ledger_entry", "TRUNCATE ledger_entry, ledger_transfer"],
)
async def test_what_is_booked_is_never_changed(books: asyncpg.Connection, statement: str) -> None:
    await book(books, ("a", "EUR", 100), ("b", "EUR", -100))
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await books.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payment SET state = 'paid'",
        "UPDATE payment SET amount_minor = 0",
        "UPDATE payment SET currency = 'eur'",
        "UPDATE payment SET state = 'authorised'",
        "UPDATE payment SET captured_at = NULL",
        "UPDATE payment SET order_id = NULL",
        "UPDATE payment SET pay_by = NULL",
    ],
)
async def test_a_payment_row_that_makes_no_sense_is_refused(books: asyncpg.Connection, change: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await books.execute(change)


async def test_several_payments_leave_the_same_sum_here_and_at_the_bank(till: Till) -> None:
    for amount in (100, 250, 999):
        payment = await till.authorised("approved", amount_minor=amount)
        await till.capture(payment)
    await till.void(payment)
    assert await till.balances() == {"gateway_clearing": 350, "organiser_payable": -350}
    signed = {"charge": 1, "refund": -1}
    entries = await till.bank.entries()
    assert sum(signed[str(entry["kind"])] * int(str(entry["amount_minor"])) for entry in entries) == 350
    assert {entry["key"] for entry in entries} <= {
        row["key"] for row in await till.rows("SELECT key FROM gateway_operation WHERE state = 'succeeded'")
    }


async def test_the_tables_of_the_code_are_those_of_the_migration(books: asyncpg.Connection) -> None:
    from services.payments.tables import PaymentRow

    for table in PaymentRow.metadata.tables.values():
        found = await books.fetch(
            "SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = $1", table.name
        )
        expected = {(column.name, "YES" if column.nullable else "NO") for column in table.columns}
        assert {(row["column_name"], row["is_nullable"]) for row in found} == expected, table.name
