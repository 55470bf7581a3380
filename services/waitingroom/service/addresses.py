"""People from one address join one after the other, and wait for that here instead of in the database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Addresses:
    """A turn at a time for each address of an event. Whoever waited for it with a connection in hand would keep those from others."""

    def __init__(self) -> None:
        self._turns: dict[tuple[UUID, str], asyncio.Lock] = {}
        self._interested: Counter[tuple[UUID, str]] = Counter()

    @asynccontextmanager
    async def turn(self, event_id: UUID, address: str) -> AsyncIterator[None]:
        """The block is run when those before from this address are done, in this process."""
        key = event_id, address
        self._interested[key] += 1
        try:
            async with self._turns.setdefault(key, asyncio.Lock()):
                yield
        finally:
            self._interested[key] -= 1
            if not self._interested[key]:
                del self._interested[key], self._turns[key]
