"""Builds the application from its settings."""

from fastapi import FastAPI

from chassis.service import Service
from services.tickets.api import make_router
from services.tickets.domain import TicketsError
from services.tickets.inbox import make_inbox
from services.tickets.printer import Printer
from services.tickets.records import make_records_router
from services.tickets.service import Tickets
from services.tickets.settings import TicketsSettings
from services.tickets.signing import Keyring
from services.tickets.watches import PRINTING


def create_app(settings: TicketsSettings | None = None) -> FastAPI:
    """The service, ready to be served. Raises KeyFileUnusable if it has no key to sign with."""
    settings = settings or TicketsSettings()
    keyring = Keyring.load(settings.signing_key_file, settings.retired_keys_file)
    printer = Printer(settings.printer_threads, settings.printer_queue)
    service = Service(settings, title="Tickets", errors=TicketsError)
    database = service.database()
    tickets = Tickets(database, keyring, printer)
    service.manage(printer.opened())
    service.measure(PRINTING, printer.jobs)
    service.hear(make_inbox(tickets))
    service.include(make_router(tickets))
    service.include(make_records_router(database))
    return service.build()
