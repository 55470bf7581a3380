"""Whether a wish was granted before: those who ask at the same moment are looked up with one statement, for in a crowd many do."""

import asyncio
from collections.abc import Set as AbstractSet
from uuid import UUID

from services.inventory import queries
from services.inventory.shards import Shards


class Repetitions:
    """Looks for holds. Who comes while a look waits for its connection is part of it; a lone one waits for nobody."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self._gathering: dict[UUID, tuple[list[UUID], asyncio.Task[AbstractSet[UUID]]]] = {}

    async def is_one(self, event_id: UUID, hold_id: UUID) -> bool:
        """Whether there is such a hold."""
        if event_id not in self._gathering:
            hold_ids: list[UUID] = []
            self._gathering[event_id] = hold_ids, asyncio.create_task(self._look(event_id, hold_ids))
        hold_ids, look = self._gathering[event_id]
        hold_ids.append(hold_id)
        # Whoever goes away meanwhile takes nothing from the others.
        return hold_id in await asyncio.shield(look)

    async def _look(self, event_id: UUID, hold_ids: list[UUID]) -> AbstractSet[UUID]:
        try:
            async with self._shards.reader(event_id) as reads:
                del self._gathering[event_id]
                return (await queries.holds_by_id(reads, hold_ids)).keys()
        finally:
            # Without a connection nobody may gather here any more; a newer look is left alone.
            if self._gathering.get(event_id, (None,))[0] is hold_ids:
                del self._gathering[event_id]
