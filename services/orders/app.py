"""Composition root of orders."""

from fastapi import FastAPI

from chassis.service import Service
from chassis.worker import Worker
from services.orders import queries
from services.orders.api import make_router
from services.orders.clients.catalog import CatalogClient
from services.orders.clients.inventory import InventoryClient
from services.orders.clients.payments import PaymentsClient
from services.orders.inbox import make_inbox
from services.orders.records import make_records_router
from services.orders.refusals import OrdersError
from services.orders.service.awaiting import Awaiting
from services.orders.service.changes import Changes
from services.orders.service.keeping import Keeping
from services.orders.service.paying import Paying
from services.orders.service.placing import Placing
from services.orders.service.saga import Saga
from services.orders.settings import OrdersSettings
from services.orders.watches import AWAITED, SAGAS


def create_app(settings: OrdersSettings | None = None) -> FastAPI:
    """The application, from settings or from the environment."""
    settings = settings or OrdersSettings()
    service = Service(settings, title="Onsale orders", errors=OrdersError)
    database = service.database()
    service.watch(database, SAGAS, AWAITED)
    service.remembers(database, queries.SAGA, queries.AWAITED)
    catalog = service.client_of(CatalogClient, settings.catalog_url)
    inventory = service.client_of(InventoryClient, settings.inventory_url)
    payments = service.client_of(PaymentsClient, settings.payments_url)
    changes = Changes(database, service.bus, settings.tickets_within_seconds)
    saga = Saga(database, changes, inventory, payments)
    worker = service.work(Worker("advance_orders", saga.advance_due, settings.saga_every_seconds))
    service.hear(make_inbox(changes, worker))
    awaiting = Awaiting(database, settings.tickets_within_seconds)
    service.work(Worker("tell_confirmed_orders_again", awaiting.tell_again, settings.saga_every_seconds))
    placing = Placing(
        database,
        changes,
        catalog,
        inventory,
        saga,
        worker,
        settings.hold_ttl_seconds,
        settings.abandoned_after_seconds,
    )
    paying = Paying(database, changes, saga, payments, settings.payment_margin_seconds)
    longest = max(settings.hold_longest_seconds, settings.hold_ttl_seconds)
    keeping = Keeping(database, changes, inventory, settings.hold_ttl_seconds, longest)
    service.include(make_router(database, placing, paying, keeping, longest))
    service.include(make_records_router(database))
    return service.build()
