"""Composition root of inventory."""

from fastapi import FastAPI

from chassis.service import Service
from chassis.worker import Worker
from services.inventory.api import make_router
from services.inventory.domain import InventoryError
from services.inventory.granting import Granting
from services.inventory.inbox import make_inbox
from services.inventory.records import make_records_router
from services.inventory.service import Inventory
from services.inventory.settings import InventorySettings
from services.inventory.shards import Shards
from services.inventory.watches import HOLDS, WAITING


def create_app(settings: InventorySettings | None = None) -> FastAPI:
    """The application, from settings or from the environment."""
    settings = settings or InventorySettings()
    service = Service(settings, title="Onsale inventory", errors=InventoryError)
    main = service.database()
    further = [service.database(url=url.get_secret_value()) for url in settings.shard_urls]
    shards = Shards([main, *further])
    inventory = Inventory(shards, service.bus)
    for number, database in enumerate([main, *further]):
        service.hear(make_inbox(number), database)
        service.watch(database, HOLDS)
    service.work(Worker("release_expired_holds", inventory.release_expired_holds, settings.sweep_every_seconds))
    granting = Granting(inventory)
    service.gauge("waiting", granting.most_waiting)
    service.measure(WAITING, granting.most_waiting)
    service.include(make_router(inventory, granting, settings.max_hold_ttl_seconds))
    service.include(make_records_router(shards))
    return service.build()
