"""Composition root of orders."""

from fastapi import FastAPI

from chassis.lookout import BY_ITSELF_SECONDS, Lookout
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
from services.orders.service import Orders
from services.orders.service.begin_payment import BeginPayment
from services.orders.service.cancel_order import CancelOrder
from services.orders.service.find_orders import FindOrders
from services.orders.service.place_order import PlaceOrder
from services.orders.service.prolong_hold import ProlongHold
from services.orders.service.publish_confirmations_again import PublishConfirmationsAgain
from services.orders.service.refresh_order import RefreshOrder
from services.orders.service.saga import Saga
from services.orders.service.take_orders_along import TakeOrdersAlong
from services.orders.service.transitions import OrderTransitions
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
    transitions = OrderTransitions(database, service.bus, settings.tickets_within_seconds)
    saga = Saga(database, transitions, inventory, payments)
    worker = service.work(Worker("advance_orders", saga.advance_due, BY_ITSELF_SECONDS))
    service.hear(make_inbox(transitions, worker))
    confirming = PublishConfirmationsAgain(database, settings.tickets_within_seconds)
    lookout = Lookout(database)
    lookout.wakes(queries.SAGA, worker)
    lookout.wakes(queries.AWAITED, service.work(Worker("publish_confirmations_again", confirming, BY_ITSELF_SECONDS)))
    service.work(Worker("look_for_work", lookout, settings.saga_every_seconds))
    find = FindOrders(database)
    longest = max(settings.hold_longest_seconds, settings.hold_ttl_seconds)
    orders = Orders(
        place_order=PlaceOrder(
            database,
            transitions,
            catalog,
            inventory,
            saga,
            worker,
            settings.hold_ttl_seconds,
            settings.abandoned_after_seconds,
        ),
        find_orders=find,
        begin_payment=BeginPayment(database, find, transitions, saga, payments, settings.payment_margin_seconds),
        refresh_order=RefreshOrder(find, saga),
        cancel_order=CancelOrder(find, transitions, saga),
        prolong_hold=ProlongHold(database, transitions, inventory, settings.hold_ttl_seconds, longest),
        take_orders_along=TakeOrdersAlong(database),
    )
    service.include(make_router(database, orders, longest))
    service.include(make_records_router(database))
    return service.build()
