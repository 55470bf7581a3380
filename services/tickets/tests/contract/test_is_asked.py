"""Tickets answers what its consumers ask, as their pacts say."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import provided, verify_answers
from contracts.states import ForOneRequest, refusing
from services.tickets import queries
from services.tickets.app import create_app
from services.tickets.domain import PrinterBusy, TicketState
from services.tickets.printer import Printer
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import (
    A_SEAT,
    ANOTHER_SEAT,
    NOWHERE,
    PLACES,
    issue,
    tickets_of,
)
from services.tickets.tests.contract.specimens import Specimens, write_keys
from services.tickets.tests.unit.examples import a_ticket

_HEARD = text("""
    INSERT INTO inbox (consumer, event_id, subject, aggregate_id) VALUES ('tickets', :event_id, :subject, :order_id)
""")
_PUBLISHED = text("SELECT published_at IS NOT NULL FROM outbox WHERE aggregate_id = :order_id")


async def test_tickets_answers_what_its_consumers_ask(harness: Harness, tmp_path: Path) -> None:
    keys = {"signing_key_file": harness.keys.key_file("tickets"), "retired_keys_file": write_keys(tmp_path)}
    settings = harness.settings(TicketsSettings, **keys, accounts_url=NOWHERE)
    database = Database(settings)
    tickets = tickets_of(settings, database)
    specimens = Specimens(database)

    async def an_order_with_tickets(given: dict[str, Any]) -> None:
        await issue(tickets, database, UUID(given["order_id"]), UUID(given["person_id"]))

    async def an_order_with_tickets_of_places(given: dict[str, Any]) -> None:
        await issue(tickets, database, UUID(given["order_id"]), UUID(given["person_id"]), (PLACES,))

    async def an_order_with_tickets_of_two_seats(given: dict[str, Any]) -> None:
        order_id, person_id, event_id = (UUID(given[name]) for name in ("order_id", "person_id", "event_id"))
        await issue(tickets, database, order_id, person_id, (A_SEAT, ANOTHER_SEAT), event_id=event_id)

    async def tickets_of_several_orders(given: dict[str, Any]) -> None:
        """The same for all pages of them. Their doors open an hour before the start."""
        ids = ("ticket_id", "order_id", "event_id")
        for ticket in given["tickets"]:
            starts_at = datetime.fromisoformat(ticket["starts_at"])
            known = {**ticket, **{name: UUID(ticket[name]) for name in ids}, "state": TicketState(ticket["state"])}
            times = {"starts_at": starts_at, "doors_at": starts_at - timedelta(hours=1)}
            async with database.writer() as tx:
                await queries.insert_tickets(tx, [a_ticket(person_id=UUID(given["person_id"]), **known | times)])

    async def an_order_whose_tickets_were_issued_and_published(given: dict[str, Any]) -> None:
        """By a fact that an older version heard, which did not note its span; published as soon as the firehose has it."""
        order_id = given["order_id"]
        heard = {
            "event_id": UUID(given["heard_id"]),
            "subject": "events.orders.order_confirmed.v1",
            "order_id": order_id,
        }
        async with database.writer() as tx:
            await tx.execute(_HEARD, heard, name="tests.heard")
        await an_order_with_tickets(given)

        async def is_published() -> bool:
            async with database.reader() as reads:
                return bool((await reads.execute(_PUBLISHED, {"order_id": order_id}, name="tests.published")).scalar())

        await harness.eventually(is_published)

    briefly = ForOneRequest()

    async def an_order_with_tickets_while_very_many_print(given: dict[str, Any]) -> None:
        await an_order_with_tickets(given)
        briefly.change(Printer, "print", refusing(PrinterBusy))

    async with provided(lambda given: briefly.around(create_app(given)), settings, harness) as running:
        await verify_answers(
            "tickets",
            running.url,
            callers=["doorman", "notifications", "web"],
            states={
                "a cancelled ticket": specimens.a_cancelled_ticket,
                "a ticket that was issued anew": specimens.a_ticket_that_was_issued_anew,
                "a valid ticket": specimens.a_valid_ticket,
                "a valid ticket without a seat": specimens.a_valid_ticket_without_a_seat,
                "an order with tickets": an_order_with_tickets,
                "an order whose tickets were issued and told of": an_order_whose_tickets_were_issued_and_published,
                "an order with tickets of two seats": an_order_with_tickets_of_two_seats,
                "tickets of several orders": tickets_of_several_orders,
                "an order with tickets while very many print": an_order_with_tickets_while_very_many_print,
                "an order with tickets of general admission": an_order_with_tickets_of_places,
            },
        )
    await database.close()
