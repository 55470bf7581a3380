"""Inventory, as waitingroom sees it: how many places are left of an event, and how long a wish for them waits."""

from uuid import UUID

from chassis.asking import Client, Read, Use


class Crowd(Read):
    """How an event's places stand, and how many seconds who wishes some would wait at this moment."""

    left: int
    in_carts: int
    wait_seconds: float


CROWD = Use("GET", "/events/{event_id}/crowd", reads=Crowd, refusals={"event_unknown": None})


class InventoryClient(Client):
    """Raises `ProviderUnavailable` when it does not answer, and `ProviderProblem` for an event that it does not know (yet)."""

    provider = "inventory"
    uses = (CROWD,)

    async def crowd(self, event_id: UUID) -> Crowd:
        """How it stands now."""
        return await self.ask(CROWD, event_id=event_id)
