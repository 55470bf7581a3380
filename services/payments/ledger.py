"""The SQL of the ledger. It is append-only, and the database refuses what does not balance."""

from uuid import UUID

import orjson

from chassis.db import Reads, Transaction
from chassis.ids import uuid7
from chassis.statements import text
from services.payments.domain import Account, PaymentState


async def book(
    tx: Transaction, payment_id: UUID, step: PaymentState, entries: dict[Account, int], currency: str
) -> None:
    """Books a step of a payment. Raises asyncpg's UniqueViolationError if that step of this payment was booked before."""
    lines = [{"account": account.value, "amount_minor": amount_minor} for account, amount_minor in entries.items()]
    parameters = {
        "transfer_id": uuid7(),
        "payment_id": payment_id,
        "kind": step.value,
        "currency": currency,
        "lines": orjson.dumps(lines).decode(),
    }
    await tx.execute(_BOOK, parameters, name="ledger.book")


# Accounts are opened with the first entry in their currency. Whether the entries balance is asked at the commit.
_BOOK = text("""
    WITH line AS (
        SELECT account, CAST(:currency AS text) AS currency, amount_minor
        FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS each (account text, amount_minor bigint)
    ), opened AS (
        INSERT INTO ledger_account (name, currency) SELECT account, currency FROM line ON CONFLICT DO NOTHING
    ), booked AS (
        INSERT INTO ledger_transfer (transfer_id, payment_id, kind) VALUES (:transfer_id, :payment_id, :kind)
        RETURNING transfer_id
    )
    INSERT INTO ledger_entry (transfer_id, account, currency, amount_minor)
    SELECT transfer_id, account, currency, amount_minor FROM booked CROSS JOIN line
""")


async def balances(reads: Reads) -> dict[tuple[str, str], int]:
    """The balance of each (account, currency), debit positive, in minor units."""
    query = text(
        "SELECT account, currency, sum(amount_minor) AS total_minor FROM ledger_entry GROUP BY account, currency"
    )
    rows = (await reads.execute(query, name="ledger.balances")).mappings()
    return {(row["account"], row["currency"]): int(row["total_minor"]) for row in rows}
