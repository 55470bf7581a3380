"""payments, as web sees it: what it has recorded of an order."""

from uuid import UUID

import httpx

from services.web.clients.records import Records, read_records


class PaymentsClient:
    """Asks payments, for support."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def records(self, order_id: UUID) -> Records:
        """What payments has recorded of an order; nothing of one that it does not know."""
        route = "/records/orders/{order_id}"
        response = await self._http.get(f"/records/orders/{order_id}", extensions={"route": route})
        return read_records("payments", response)
