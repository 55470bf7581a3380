"""payments, as web sees it: what it has recorded of an order."""

from uuid import UUID

from chassis.asking import Client
from services.web.clients.records import GET_RECORDS, Records


class PaymentsClient(Client):
    """Asks payments, for support."""

    provider = "payments"
    uses = (GET_RECORDS,)

    async def records(self, order_id: UUID) -> Records:
        """What payments has recorded of an order; nothing of one that it does not know."""
        return await self.ask(GET_RECORDS, order_id=order_id)
