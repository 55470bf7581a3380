"""notifications, as web sees it: what it has recorded of an order's mails."""

from uuid import UUID

from chassis.asking import Client
from services.web.clients.records import GET_RECORDS, Records


class NotificationsClient(Client):
    """Asks notifications, for support."""

    provider = "notifications"
    uses = (GET_RECORDS,)

    async def records(self, order_id: UUID) -> Records:
        """What notifications has recorded of an order; nothing of one that it does not know."""
        return await self.ask(GET_RECORDS, order_id=order_id)
