"""Builds the application from its settings."""

from fastapi import FastAPI

from chassis.lookout import BY_ITSELF_SECONDS, Lookout
from chassis.service import Service
from chassis.worker import Worker
from services.notifications.addresses import AddressBound
from services.notifications.clients.accounts import AccountsClient
from services.notifications.clients.tickets import TicketsClient
from services.notifications.inbox import make_inbox
from services.notifications.queries import SENDING
from services.notifications.records import make_records_router
from services.notifications.sending import Emails
from services.notifications.service import Notifications
from services.notifications.settings import NotificationsSettings
from services.notifications.watches import MAILS

# How often it forgets to which addresses mails went.
FORGET_SECONDS = 600.0


def create_app(settings: NotificationsSettings | None = None) -> FastAPI:
    """The service, ready to be served. Beside its health it answers support alone."""
    settings = settings or NotificationsSettings()
    service = Service(settings, title="Notifications")
    database = service.database()
    service.watch(database, MAILS)
    service.remembers(database, SENDING)
    accounts = service.client_of(AccountsClient, settings.accounts_url)
    tickets = service.client_of(TicketsClient, settings.tickets_url)
    bound = AddressBound(
        database,
        settings.key_file,
        most=settings.mails_per_address,
        window_seconds=settings.mails_per_address_seconds,
    )
    emails = Emails(settings, database, accounts, tickets, bound)
    service.manage(emails.opened())
    service.work(Worker("forget_addresses", bound.forget, every_seconds=FORGET_SECONDS))
    worker = service.work(Worker("send_emails", emails.send_due, BY_ITSELF_SECONDS))
    lookout = Lookout(database)
    lookout.wakes(SENDING, worker)
    service.work(Worker("look_for_work", lookout, settings.poll_seconds))
    service.hear(make_inbox(Notifications(settings.mail_from, worker.wake)))
    service.include(make_records_router(database))
    return service.build()
