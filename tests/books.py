"""The books of a whole system: what must hold across all databases and the bank once nothing is under way.

Each query returns rows only where something is wrong. What crosses services is joined here, in Python: no login of the
system may see two databases.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from local.system import System
from local.topology import HEARS, SERVICES, database_of

WITHIN_ONE = {
    ("inventory", "counters are the sums of live holds"): """
        SELECT class_id, held, sold, live.* FROM ticket_class LEFT JOIN LATERAL (
            SELECT COALESCE(sum((line->>'quantity')::int) FILTER (WHERE state = 'held'), 0) AS should_be_held,
                   COALESCE(sum((line->>'quantity')::int) FILTER (WHERE state = 'committed'), 0) AS should_be_sold
            FROM hold, jsonb_array_elements(lines) AS line
            WHERE (line->>'class_id')::uuid = ticket_class.class_id AND line->>'seat_id' IS NULL
        ) AS live ON true
        WHERE kind = 'general' AND (held <> should_be_held OR sold <> should_be_sold)""",
    ("inventory", "a seat is taken exactly while a live hold has it"): """
        SELECT seat.seat_id, seat.state, hold.state AS hold_state FROM seat LEFT JOIN hold USING (hold_id)
        WHERE (seat.state = 'held' AND hold.state IS DISTINCT FROM 'held')
           OR (seat.state = 'sold' AND hold.state IS DISTINCT FROM 'committed')""",
    ("inventory", "each seat of a live hold is its own"): """
        SELECT hold_id, line->>'seat_id' AS seat_id FROM hold, jsonb_array_elements(lines) AS line
        WHERE state IN ('held', 'committed') AND line->>'seat_id' IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM seat WHERE seat.event_id = hold.event_id AND seat.seat_id = line->>'seat_id' AND seat.hold_id = hold.hold_id)""",
    ("orders", "totals are the sums of lines"): """
        SELECT number, total_minor, sum(quantity * unit_price_minor) FROM purchase_order JOIN order_line USING (order_id)
        WHERE state = 'confirmed' GROUP BY number, total_minor HAVING total_minor <> sum(quantity * unit_price_minor)""",
    ("payments", "transfers sum to zero"): """
        SELECT transfer_id, currency, sum(amount_minor) FROM ledger_entry GROUP BY 1, 2 HAVING sum(amount_minor) <> 0""",
    ("payments", "no outcome is unknown"): "SELECT key, state FROM gateway_operation WHERE state = 'unknown'",
}
IN_EVERY = {
    "every fact is on its way": "SELECT subject, event_id FROM outbox WHERE published_at IS NULL",
    "no fact is a dead letter": "SELECT subject, reason FROM dead_letter",
}


@dataclass(frozen=True)
class Books:
    """What the databases and the bank say about orders, read once no fact was under way.

    `open_orders` are those that wait for their buyer, or for the saga: none after all buyers have gone and holds have ended.
    """

    wrong: list[str]
    open_orders: list[str]
    confirmed: int
    cancelled: int


async def read_books(system: System) -> Books:
    """Waits until nothing is under way, and lists every sentence that is not true."""
    wrong = []
    if not system.wait_until_quiet(*SERVICES, consumers=set(HEARS)):
        wrong.append("facts are still under way")
    for (service, promise), query in WITHIN_ONE.items():
        wrong += [f"{service}: {promise}: {row}" for row in await rows(system, service, query)]
    for service in SERVICES:
        for promise, query in IN_EVERY.items():
            wrong += [f"{service}: {promise}: {row}" for row in await rows(system, service, query)]
    orders = {
        row["order_id"]: row
        for row in await rows(
            system, "orders", "SELECT order_id, number, state, total_minor, currency, hold_id FROM purchase_order"
        )
    }
    wrong += await _wrong_across(system, orders)
    states = Counter(order["state"] for order in orders.values())
    open_orders = [
        f"{o['number']} {o['state']}" for o in orders.values() if o["state"] not in {"confirmed", "cancelled"}
    ]
    return Books(wrong, open_orders, states["confirmed"], states["cancelled"])


async def _wrong_across(system: System, orders: dict[Any, dict[str, Any]]) -> list[str]:
    lines = await rows(system, "orders", "SELECT order_id, sum(quantity) AS places FROM order_line GROUP BY 1")
    bought = {row["order_id"]: row["places"] for row in lines if orders[row["order_id"]]["state"] == "confirmed"}
    holds = await rows(
        system,
        "inventory",
        """SELECT order_id, sum((line->>'quantity')::int) AS places FROM hold, jsonb_array_elements(lines) AS line
           WHERE state = 'committed' GROUP BY 1""",
    )
    tickets = await rows(
        system, "tickets", "SELECT order_id, count(*) AS places FROM ticket WHERE state = 'valid' GROUP BY 1"
    )
    captured = await rows(
        system, "payments", "SELECT order_id, amount_minor, currency FROM payment WHERE state = 'captured'"
    )
    to_pay = Counter(
        (order["order_id"], order["total_minor"], order["currency"])
        for order in orders.values()
        if order["state"] == "confirmed" and order["total_minor"] > 0
    )
    charged = Counter((row["order_id"], row["amount_minor"], row["currency"]) for row in captured)
    return [
        *_differences("sold places are those of confirmed orders", bought, {r["order_id"]: r["places"] for r in holds}),
        *_differences(
            "valid tickets are those of confirmed orders", bought, {r["order_id"]: r["places"] for r in tickets}
        ),
        *_differences("captured payments are those of confirmed orders", to_pay, charged),
        *await _wrong_at_the_bank(system),
    ]


async def _wrong_at_the_bank(system: System) -> list[str]:
    """The bank's own ledger against ours: what it took less what it gave back is what we captured."""
    query = "SELECT gateway_payment_id, amount_minor FROM payment WHERE state = 'captured'"
    ours = {row["gateway_payment_id"]: row["amount_minor"] for row in await rows(system, "payments", query)}
    theirs: Counter[str] = Counter()
    for entry in await bank_entries(system):
        sign = -1 if entry["kind"] == "refund" else 1
        theirs[str(entry["payment_id"])] += sign * int(entry["amount_minor"])
    return _differences(
        "the bank took what we captured", ours, {key: amount for key, amount in theirs.items() if amount}
    )


async def bank_entries(system: System) -> list[dict[str, Any]]:
    """All bookings of the bank simulator."""
    secrets = json.loads((system.layout.folder / "secrets.json").read_text())
    headers = {"Authorization": f"Bearer {secrets['bank_api_key']}"}
    entries: list[dict[str, Any]] = []
    async with httpx.AsyncClient(base_url=system.addresses["bank"], headers=headers) as client:
        while True:
            after = entries[-1]["entry_id"] if entries else 0
            page = (
                (await client.get("/v1/ledger", params={"after": after, "limit": 500}))
                .raise_for_status()
                .json()["items"]
            )
            if not page:
                return entries
            entries += page


def _differences(promise: str, expected: Any, found: Any) -> list[str]:
    keys = [*expected, *(key for key in found if key not in expected)]
    return [
        f"{promise}: {key}: {expected.get(key, 0)} and {found.get(key, 0)}"
        for key in keys
        if expected.get(key, 0) != found.get(key, 0)
    ]


async def rows(system: System, service: str, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """Rows of a service's database, read as the superuser."""
    connection = await asyncpg.connect(system.postgres.url(database=database_of(service)))
    try:
        return [dict(row) for row in await connection.fetch(query, *parameters)]
    finally:
        await connection.close()
