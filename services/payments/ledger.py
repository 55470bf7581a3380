"""The SQL of the ledger. It is append-only, and the database refuses what does not balance."""

from uuid import UUID

from sqlalchemy import text

from chassis.db import Reads, Transaction
from chassis.ids import uuid7
from services.payments.domain import Account, PaymentState


async def book(
    tx: Transaction, payment_id: UUID, step: PaymentState, entries: dict[Account, int], currency: str
) -> None:
    """Books a step of a payment. Raises asyncpg's UniqueViolationError if that step of this payment was booked before."""
    transfer_id = uuid7()
    accounts = [{"name": account.value, "currency": currency} for account in entries]
    await tx.execute(_OPEN_ACCOUNT, accounts, name="ledger.open_accounts")
    transfer = {"transfer_id": transfer_id, "payment_id": payment_id, "kind": step.value}
    await tx.execute(_INSERT_TRANSFER, transfer, name="ledger.insert_transfer")
    lines = [
        {"transfer_id": transfer_id, "account": account.value, "currency": currency, "amount_minor": amount_minor}
        for account, amount_minor in entries.items()
    ]
    await tx.execute(_INSERT_ENTRY, lines, name="ledger.insert_entries")


_OPEN_ACCOUNT = text("INSERT INTO ledger_account (name, currency) VALUES (:name, :currency) ON CONFLICT DO NOTHING")
_INSERT_TRANSFER = text("""
    INSERT INTO ledger_transfer (transfer_id, payment_id, kind) VALUES (:transfer_id, :payment_id, :kind)
""")
_INSERT_ENTRY = text("""
    INSERT INTO ledger_entry (transfer_id, account, currency, amount_minor)
    VALUES (:transfer_id, :account, :currency, :amount_minor)
""")


async def balances(reads: Reads) -> dict[tuple[str, str], int]:
    """The balance of each (account, currency), debit positive, in minor units."""
    query = text(
        "SELECT account, currency, sum(amount_minor) AS total_minor FROM ledger_entry GROUP BY account, currency"
    )
    rows = (await reads.execute(query, name="ledger.balances")).mappings()
    return {(row["account"], row["currency"]): int(row["total_minor"]) for row in rows}
