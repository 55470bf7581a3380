"""Composition root of inventory."""

from fastapi import FastAPI

from chassis.service import Service
from chassis.worker import Worker
from services.inventory.api import make_router
from services.inventory.domain import InventoryError
from services.inventory.forgetting import BATCH, EVERY_SECONDS, ForgetHolds
from services.inventory.granting import Granting
from services.inventory.inbox import make_inbox
from services.inventory.operations import PLACE_HOLD
from services.inventory.passes import PassVerifier
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
    service.manage(shards)
    inventory = Inventory(shards, service.bus)
    for number, database in enumerate([main, *further]):
        service.hear(make_inbox(number), database)
        service.watch(database, HOLDS)
    service.work(Worker("release_expired_holds", inventory.release_expired_holds, settings.sweep_every_seconds))
    forget = ForgetHolds(shards, settings.keep_holds_days)
    service.work(Worker("forget_holds", forget, EVERY_SECONDS, batch=BATCH))
    granting = Granting(inventory)
    service.gauge("waiting", granting.most_waiting)
    service.measure(WAITING, granting.most_waiting)
    service.include(
        make_router(inventory, granting, PassVerifier(settings.service_keys_file), settings.max_hold_ttl_seconds)
    )
    service.crowd(PLACE_HOLD, "event_id")
    service.include(make_records_router(shards))
    return service.build()
