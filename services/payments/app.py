"""Builds the application from its settings."""

from fastapi import FastAPI

from chassis.service import Service
from chassis.worker import Worker
from services.payments import queries
from services.payments.api import make_router
from services.payments.clients.bank import BankGateway
from services.payments.domain import PaymentsError
from services.payments.records import make_records_router
from services.payments.service.asking import Asking
from services.payments.service.deciding import Deciding
from services.payments.service.opening import Opening
from services.payments.service.settling import Settler
from services.payments.service.webhooks import Webhooks
from services.payments.settings import PaymentsSettings
from services.payments.watches import HINTS, OPERATIONS


def create_app(settings: PaymentsSettings | None = None) -> FastAPI:
    """The service, ready to be served."""
    settings = settings or PaymentsSettings()
    service = Service(settings, title="Payments", errors=PaymentsError)
    database = service.database()
    service.watch(database, OPERATIONS, HINTS)
    service.remembers(database, queries.OPERATIONS, queries.QUIET, queries.HINTS)
    http = service.stranger("bank", settings.bank_url, timeout_seconds=settings.bank_timeout_seconds)
    gateway = BankGateway(http, settings.bank_api_key.get_secret_value())
    again = settings.ask_again_seconds
    settler = Settler(database, gateway, ask_again_seconds=again)
    opening = Opening(database, gateway, settler, ask_after_seconds=settings.ask_after_seconds, ask_again_seconds=again)
    deciding = Deciding(database, settler, ask_again_seconds=again)
    secret = settings.bank_webhook_secret.get_secret_value()
    webhooks = Webhooks(database, settler, secret=secret, ask_again_seconds=again)
    asking = Asking(database, settler, opening, ask_again_seconds=again)
    every = settings.ask_every_seconds
    follower = service.work(Worker("follow_webhooks", webhooks.follow, every_seconds=every))
    service.work(Worker("ask_about_operations", asking.ask_about_operations, every_seconds=every))
    service.work(Worker("ask_about_quiet_payments", asking.ask_about_quiet_payments, every_seconds=every))
    service.include(make_router(opening, deciding, webhooks, follower))
    service.include(make_records_router(database))
    return service.build()
