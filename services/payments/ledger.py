"""The SQL of the ledger. It is append-only, and the database refuses what does not balance."""

from typing import Any

import orjson

from chassis.db import Reads
from chassis.ids import uuid7
from chassis.statements import text
from services.payments.domain import Account


def booked_with(moved: str) -> str:
    """Books a step of a payment as a part of the statement that takes it: parts of a WITH. `moved`: the payment as it is then; if there
    is none, nothing is booked.

    Raises asyncpg's UniqueViolationError if that step of this payment was booked before. Accounts are opened with the first entry in
    their currency. Whether the entries balance is asked at the commit.
    """
    return f"""line AS (
        SELECT each.account, {moved}.currency, each.amount_minor
        FROM {moved}, jsonb_to_recordset(CAST(:lines AS jsonb)) AS each (account text, amount_minor bigint)
    ), opened AS (
        INSERT INTO ledger_account (name, currency) SELECT account, currency FROM line ON CONFLICT DO NOTHING
    ), booked AS (
        INSERT INTO ledger_transfer (transfer_id, payment_id, kind)
        SELECT CAST(:transfer_id AS uuid), payment_id, state FROM {moved}
        RETURNING transfer_id
    ), entered AS (
        INSERT INTO ledger_entry (transfer_id, account, currency, amount_minor)
        SELECT transfer_id, account, currency, amount_minor FROM booked CROSS JOIN line
    )"""  # noqa: S608  # names from this project's code


def parameters_of(entries: dict[Account, int]) -> dict[str, Any]:
    """The parameters of `booked_with` for these entries."""
    lines = [{"account": account.value, "amount_minor": amount_minor} for account, amount_minor in entries.items()]
    return {"transfer_id": uuid7(), "lines": orjson.dumps(lines).decode()}


async def balances(reads: Reads) -> dict[tuple[str, str], int]:
    """The balance of each (account, currency), debit positive, in minor units."""
    query = text(
        "SELECT account, currency, sum(amount_minor) AS total_minor FROM ledger_entry GROUP BY account, currency"
    )
    rows = (await reads.execute(query, name="ledger.balances")).mappings()
    return {(row["account"], row["currency"]): int(row["total_minor"]) for row in rows}
