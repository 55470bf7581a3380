"""Tickets answers what its consumers ask, as their pacts say."""

from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import provided, verify_answers
from contracts.states import ForOneRequest, refusing
from services.tickets.app import create_app
from services.tickets.domain import PrinterBusy
from services.tickets.printer import Printer
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import PLACES, issue, tickets_of
from services.tickets.tests.contract.specimens import Specimens, write_keys


async def test_tickets_answers_what_its_consumers_ask(harness: Harness, tmp_path: Path) -> None:
    keys = {"signing_key_file": harness.keys.key_file("tickets"), "retired_keys_file": write_keys(tmp_path)}
    settings = harness.settings(TicketsSettings, **keys)
    database = Database(settings)
    tickets = tickets_of(settings, database)
    specimens = Specimens(database)

    async def an_order_with_tickets(given: dict[str, Any]) -> None:
        await issue(tickets, database, UUID(given["order_id"]), UUID(given["person_id"]))

    async def an_order_with_tickets_of_places(given: dict[str, Any]) -> None:
        await issue(tickets, database, UUID(given["order_id"]), UUID(given["person_id"]), PLACES)

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
                "an order with tickets while very many print": an_order_with_tickets_while_very_many_print,
                "an order with tickets of general admission": an_order_with_tickets_of_places,
            },
        )
    await database.close()
