"""Tickets answers what its consumers ask, as their pacts say."""

from typing import Any
from uuid import UUID

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import provided, verify_answers
from services.tickets.app import create_app
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import PLACES, issue, tickets_of


async def test_tickets_answers_what_its_consumers_ask(harness: Harness) -> None:
    settings = harness.settings(TicketsSettings, signing_key_file=harness.keys.key_file("tickets"))
    database = Database(settings)
    tickets = tickets_of(settings, database)

    async def an_order_with_tickets(given: dict[str, Any]) -> None:
        await issue(tickets, database, UUID(given["order_id"]), UUID(given["person_id"]))

    async def an_order_with_tickets_of_places(given: dict[str, Any]) -> None:
        await issue(tickets, database, UUID(given["order_id"]), UUID(given["person_id"]), PLACES)

    async with provided(create_app, settings, harness) as running:
        await verify_answers(
            "tickets",
            running.url,
            callers=["notifications", "web"],
            states={
                "an order with tickets": an_order_with_tickets,
                "an order with tickets of general admission": an_order_with_tickets_of_places,
            },
        )
    await database.close()
