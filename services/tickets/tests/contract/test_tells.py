"""The facts of tickets are what their consumers need: those that issuing leaves in the outbox."""

from uuid import uuid4

from chassis.db import Database
from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import told_by, verify_facts
from services.tickets.events import TicketsIssued
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import A_SEAT, PLACES, issue, tickets_of


async def test_tickets_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    settings = harness.settings(TicketsSettings, signing_key_file=harness.keys.key_file("tickets"))
    database = Database(settings)
    facts = {}
    for flavour, line in (("of places", PLACES), ("of seats", A_SEAT)):
        await issue(tickets_of(settings, database), database, uuid4(), uuid4(), line)
        facts[f"{TicketsIssued.subject} {flavour}"] = (await told_by(database))[TicketsIssued.subject]
    await verify_facts("tickets", hearers=["notifications", "orders", "web"], facts=facts)
    await database.close()
