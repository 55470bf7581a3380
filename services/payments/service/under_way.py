"""Who in this process asks the gateway about a payment right now: whoever comes meanwhile mostly need not ask the same."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

# A bank that hangs is not waited for longer than this: the second question may be the one that is answered.
MOMENT_SECONDS = 0.5


class UnderWay:
    """Payments of which an answer is about to be written down. It saves work and holds nothing: other processes do not see it."""

    def __init__(self) -> None:
        self._asked: dict[UUID | str, asyncio.Event] = {}

    @contextmanager
    def asking(self, payment_id: UUID, gateway_payment_id: str) -> Iterator[None]:
        """While the gateway is asked about a payment, until what it showed is written down."""
        if payment_id in self._asked:
            yield
            return
        done = self._asked[payment_id] = self._asked[gateway_payment_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._asked[payment_id], self._asked[gateway_payment_id]
            done.set()

    async def over(self, payment_id: UUID | str) -> bool:
        """Waits until nobody asks about a payment, by our id or the gateway's, for a moment at most. Whether anybody did."""
        done = self._asked.get(payment_id)
        if done is None:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(MOMENT_SECONDS):
                await done.wait()
        return True
