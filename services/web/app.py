"""Builds the application from its settings."""

from typing import Any

from fastapi import FastAPI

from chassis.facts import CloudEvent
from chassis.service import Service
from chassis.worker import Worker
from services.web.browsing.event_rooms import EventRooms
from services.web.browsing.pages import EventPage, make_browsing_router
from services.web.browsing.shop import Shop
from services.web.buying.issued_tickets import IssuedTickets
from services.web.buying.just_placed import JustPlaced
from services.web.buying.order_watchers import OrderWatchers
from services.web.buying.pages.mine import make_mine_router
from services.web.buying.pages.order import make_order_router
from services.web.buying.pages.ordering import make_ordering_router
from services.web.buying.pages.status import make_order_status_router
from services.web.clients.accounts import AccountsClient
from services.web.clients.catalog import CatalogClient
from services.web.clients.inventory import InventoryClient
from services.web.clients.notifications import NotificationsClient
from services.web.clients.orders import OrdersClient
from services.web.clients.payments import PaymentsClient
from services.web.clients.tickets import TicketsClient
from services.web.clients.waitingroom import WaitingroomClient
from services.web.frame.assets import own_assets
from services.web.frame.compressing import Compressing
from services.web.frame.cookies import Cookies
from services.web.frame.domain import WebError
from services.web.frame.error_page import make_error_page
from services.web.frame.pages import make_files_router
from services.web.frame.pins import PinCookie
from services.web.frame.reader import ReadersLanguage
from services.web.frame.rendering import Renderer, SecurityHeaders, make_templates
from services.web.frame.sessions import Sessions
from services.web.frame.site import Site
from services.web.frame.sockets import Sockets
from services.web.frame.streams import Streams
from services.web.people.guests import Guests
from services.web.people.pages import make_signing_in_router
from services.web.settings import WebSettings
from services.web.support.access import Access
from services.web.support.pages import make_support_api_router, make_support_router
from services.web.support.sales import make_sales_router
from services.web.support.story import Storyteller
from services.web.waiting.now_serving import NowServing
from services.web.waiting.pages import make_waiting_router
from services.web.waiting.proof import Proofs, make_proof_router
from services.web.watches import OPEN_STREAMS

STREAMS = ("/live/",)
SWEEP_SECONDS = 600.0
# What banks and gates ask. Where services have ports of their own, it goes there.
PASSED_ON = (
    ("POST", "/webhooks/bank", "payments"),
    ("POST", "/verify", "tickets"),
    ("GET", "/.well-known/ticket-keys.json", "tickets"),
)


def create_app(settings: WebSettings | None = None) -> FastAPI:
    """The service, ready to be served."""
    settings = settings or WebSettings()
    assets = own_assets()
    templates = make_templates(assets)
    cookies = Cookies(settings)
    renderer = Renderer(settings, templates, cookies)
    service = Service(
        settings,
        title="Web",
        errors=WebError,
        error_page=make_error_page(cookies, renderer),
        trace_parent=cookies.trace_parent,
        streams=STREAMS,
        pins=PinCookie(settings),
    )
    accounts = service.client_of(AccountsClient, settings.accounts_url)
    catalog = service.client_of(CatalogClient, settings.catalog_url)
    inventory = service.client_of(InventoryClient, settings.inventory_url)
    orders = service.client_of(OrdersClient, settings.orders_url)
    tickets = service.client_of(TicketsClient, settings.tickets_url)
    payments = service.client_of(PaymentsClient, settings.payments_url)
    notifications = service.client_of(NotificationsClient, settings.notifications_url)
    waitingroom = service.client_of(WaitingroomClient, settings.waitingroom_url)
    recorded = {
        "orders": orders.records,
        "inventory": inventory.records,
        "payments": payments.records,
        "tickets": tickets.records,
        "notifications": notifications.records,
    }
    database = service.database()
    sessions = Sessions(database, accounts)
    shop, now_serving = Shop(catalog, inventory, waitingroom, templates), NowServing(waitingroom)
    streams = Streams(
        settings.max_streams,
        settings.max_streams_per_visitor,
        settings.max_streams_per_address,
        settings.heartbeat_seconds,
    )
    sockets = Sockets(streams, cookies, service.metrics, settings.public_url)
    service.measure(OPEN_STREAMS, lambda: len(streams))
    site = Site(
        settings=settings,
        accounts=accounts,
        orders=orders,
        tickets=tickets,
        sessions=sessions,
        cookies=cookies,
        renderer=renderer,
    )
    event_page, guests = EventPage(site, shop), Guests(sessions, settings)
    rooms, watchers = EventRooms(shop), OrderWatchers(streams)
    issued, just_placed = IssuedTickets(), JustPlaced()
    access, storyteller = Access(settings, database), Storyteller(recorded, settings.trace_query_url)
    _hear(service, shop, rooms, watchers, issued, just_placed)
    service.bus.subscribe("bus.waitingroom.queue_moved.>", now_serving.on_queue_moved)
    service.listen("events.waitingroom.sale_scheduled.v1", shop.on_sale_scheduled, on_gap=shop.doubt_all)
    service.manage(streams.opened())
    service.work(Worker("sweep_sessions", sessions.sweep, every_seconds=SWEEP_SECONDS))
    service.work(Worker("sweep_support", access.sweep, every_seconds=SWEEP_SECONDS))
    for router in (
        make_browsing_router(site, shop, rooms, event_page, sockets),
        make_ordering_router(site, shop, guests, event_page, just_placed),
        make_order_router(site, issued, just_placed),
        make_mine_router(site, shop),
        make_signing_in_router(site),
        make_order_status_router(site, watchers),
        make_support_router(site, access, storyteller),
        make_support_api_router(site, access, storyteller),
        make_sales_router(site, access, catalog, waitingroom),
        make_waiting_router(site, shop, waitingroom, now_serving, guests, sockets),
        make_proof_router(site, shop, waitingroom, Proofs(waitingroom, now_serving)),
        make_files_router(assets),
    ):
        service.include(router)
    for method, path, provider in PASSED_ON:
        service.pass_on(method, path, provider)
    app = service.build()
    # Outermost: every answer, also of the chassis, is protected; streams are left as they are.
    app.add_middleware(Compressing, minimum_size=1024, compresslevel=5)
    app.add_middleware(SecurityHeaders, is_secure=settings.is_secure)
    app.add_middleware(ReadersLanguage)
    return app


def _hear(
    service: Service,
    shop: Shop,
    rooms: EventRooms,
    watchers: OrderWatchers,
    issued: IssuedTickets,
    just_placed: JustPlaced,
) -> None:
    """What is passed on to open pages, and what drops caches."""
    service.bus.subscribe("bus.inventory.places_changed.>", rooms.on_places_changed)

    async def on_order_changed(subject: str, payload: dict[str, Any]) -> None:
        await just_placed.on_order_changed(subject, payload)
        await watchers.on_order_changed(subject, payload)

    service.bus.subscribe("bus.orders.order_changed.>", on_order_changed)
    service.listen("events.catalog.>", shop.on_catalog_fact, on_gap=shop.doubt_all)
    service.listen("events.orders.order_confirmed.v1", watchers.on_fact)
    service.listen("events.orders.order_cancelled.v1", watchers.on_fact)

    async def on_tickets_issued(fact: CloudEvent) -> None:
        await watchers.on_fact(fact)
        await issued.on_fact(fact)

    service.listen("events.tickets.tickets_issued.v1", on_tickets_issued)
