"""Builds the application from its settings."""

import asyncio
from functools import partial

from fastapi import FastAPI

from chassis.service import Service
from chassis.worker import Worker
from services.tickets.api import make_router
from services.tickets.clients.accounts import AccountsClient
from services.tickets.domain import TicketsError
from services.tickets.event_changes import EventChanges
from services.tickets.inbox import make_inbox
from services.tickets.printer import Printer
from services.tickets.records import make_records_router
from services.tickets.service import Tickets
from services.tickets.settings import TicketsSettings
from services.tickets.shelf import Shelf
from services.tickets.signing import Keyring
from services.tickets.watches import BOXES, PRINTING

# How often it looks for holders to tell that no fact announced, and for printed files that are too old.
POLL_SECONDS = 5.0
TIDY_SECONDS = 600.0


def create_app(settings: TicketsSettings | None = None) -> FastAPI:
    """The service, ready to be served. Raises KeyFileUnusable if it has no key to sign with."""
    settings = settings or TicketsSettings()
    keyring = Keyring.load(settings.signing_key_file, settings.retired_keys_file)
    service = Service(settings, title="Tickets", errors=TicketsError)
    database = service.database()
    shelf = Shelf(
        settings.printed_folder,
        bytes_max=settings.printed_bytes_max,
        seconds_max=settings.printed_seconds_max,
    )
    printer = Printer(
        settings.printer_threads,
        settings.printer_queue,
        shelf,
        on_boxes=lambda number: service.metrics.count(BOXES, {}, number),
    )
    accounts = service.client_of(AccountsClient, settings.accounts_url, settings.name_seconds)
    tickets = Tickets(database, keyring, printer, accounts)
    event_changes = EventChanges(database)
    event_changes.wake = service.work(
        Worker("notify_holders", event_changes.notify_holders, every_seconds=POLL_SECONDS)
    ).wake
    service.work(Worker("tidy_printed", partial(asyncio.to_thread, shelf.tidy), every_seconds=TIDY_SECONDS))
    service.manage(printer.opened())
    service.measure(PRINTING, printer.jobs)
    service.hear(make_inbox(tickets, event_changes))
    service.include(make_router(tickets))
    service.include(make_records_router(database))
    return service.build()
