"""Builds the application from its settings."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI

from chassis.db import Database
from chassis.lookout import BY_ITSELF_SECONDS, Lookout
from chassis.service import Service
from chassis.work import Queue
from chassis.worker import Worker
from services.payments import queries
from services.payments.api import make_router
from services.payments.clients.bank import BankGateway
from services.payments.domain import PaymentsError
from services.payments.pace_of_bank import PaceOfBank
from services.payments.records import make_records_router
from services.payments.service import Payments
from services.payments.service.ask_gateway_again import AskGatewayAgain
from services.payments.service.capture_payment import CapturePayment
from services.payments.service.follow_webhooks import FollowWebhooks
from services.payments.service.gateway_operations import GatewayOperations
from services.payments.service.look_up_payment import LookUpPayment
from services.payments.service.open_payment import OpenPayment
from services.payments.service.take_webhook import TakeWebhook
from services.payments.service.void_or_refund_payment import VoidOrRefundPayment
from services.payments.settings import PaymentsSettings
from services.payments.watches import HINTS, OPERATIONS

SAY_SECONDS = 1.0


def create_app(settings: PaymentsSettings | None = None) -> FastAPI:
    """The service, ready to be served."""
    settings = settings or PaymentsSettings()
    service = Service(settings, title="Payments", errors=PaymentsError)
    database = service.database()
    service.watch(database, OPERATIONS, HINTS)
    service.remembers(database, queries.OPERATIONS, queries.QUIET, queries.HINTS)
    http = service.stranger("bank", settings.bank_url, timeout_seconds=settings.bank_timeout_seconds)
    pace = PaceOfBank(service.bus)
    service.work(Worker("say_how_the_bank_keeps_up", pace.say, SAY_SECONDS))
    gateway = BankGateway(http, settings.bank_api_key.get_secret_value(), pace.took)
    again = settings.ask_again_seconds
    operations = GatewayOperations(database, gateway, ask_again_seconds=again)
    payments = Payments(
        open_payment=OpenPayment(
            database,
            gateway,
            operations,
            ask_after_seconds=settings.ask_after_seconds,
            ask_again_seconds=again,
        ),
        look_up_payment=LookUpPayment(database, operations),
        capture_payment=CapturePayment(database, operations, ask_again_seconds=again),
        void_or_refund_payment=VoidOrRefundPayment(database, operations, ask_again_seconds=again),
        take_webhook=TakeWebhook(
            database, gateway, operations.under_way, secret=settings.bank_webhook_secret.get_secret_value()
        ),
    )
    asking = AskGatewayAgain(database, operations, payments.open_payment, ask_again_seconds=again)
    following = FollowWebhooks(database, gateway, operations, ask_again_seconds=again)
    follower = _set_to_work(service, database, asking, following, settings.ask_every_seconds)
    service.include(make_router(payments, follower))
    service.include(make_records_router(database))
    return service.build()


def _set_to_work(
    service: Service, database: Database, asking: AskGatewayAgain, following: FollowWebhooks, every_seconds: float
) -> Worker:
    """The workers, and who wakes them. Returns the one that follows webhooks."""
    lookout = Lookout(database)

    def worker(queue: Queue, name: str, step: Callable[[], Awaitable[int]]) -> Worker:
        return service.work(lookout.wakes(queue, Worker(name, step, BY_ITSELF_SECONDS, batch=queue.batch)))

    worker(queries.OPERATIONS, "ask_about_operations", asking.ask_about_operations)
    worker(queries.QUIET, "ask_about_quiet_payments", asking.ask_about_quiet_payments)
    service.work(Worker("look_for_work", lookout, every_seconds))
    return worker(queries.HINTS, "follow_webhooks", following)
