"""Web's listeners as facts find them, noting what they were about."""

from uuid import UUID

import httpx

from services.web.browsing.shop import Shop
from services.web.buying.order_watchers import OrderWatchers
from services.web.clients.catalog import CatalogClient
from services.web.clients.inventory import InventoryClient
from services.web.clients.waitingroom import WaitingroomClient
from services.web.frame.assets import own_assets
from services.web.frame.rendering import make_templates
from services.web.frame.streams import Streams


class NotingShop(Shop):
    """The shop's caches; notes whose places, and whose sales, it forgot."""

    def __init__(self) -> None:
        http = httpx.AsyncClient(base_url="http://127.0.0.1:9", timeout=30)
        super().__init__(
            CatalogClient(http), InventoryClient(http), WaitingroomClient(http), make_templates(own_assets())
        )
        self.forgotten: list[UUID] = []
        self.forgotten_sales: list[UUID] = []

    def places_changed(self, event_id: UUID) -> None:
        self.forgotten.append(event_id)
        super().places_changed(event_id)

    def sale_changed(self, event_id: UUID) -> None:
        self.forgotten_sales.append(event_id)
        super().sale_changed(event_id)


class NotingWatchers(OrderWatchers):
    """Who looks at which order; notes of which orders they heard."""

    def __init__(self) -> None:
        super().__init__(Streams(1, 1, 1))
        self.heard: list[UUID] = []

    def changed(self, order_id: UUID) -> None:
        self.heard.append(order_id)
        super().changed(order_id)
