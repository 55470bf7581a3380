"""Where PDFs are made: threads beside the event loop, few of them, with a short queue in front."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from services.tickets.domain import PrinterBusy
from services.tickets.layouts import print_tickets
from services.tickets.printing import Format, Printed
from tracing.spans import span


class Printer:
    """Makes at most `threads` PDFs at a time and lets at most `queue` requests wait; refuses more at once."""

    def __init__(self, threads: int, queue: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="printer")
        self._places = threads + queue
        self._taken = 0

    def jobs(self) -> int:
        """How many PDFs are being made or wait for a thread."""
        return self._taken

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Ends the threads when the service stops."""
        try:
            yield
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def print(self, printed: Sequence[Printed], page: Format) -> bytes:
        """The PDF of these tickets. Raises PrinterBusy."""
        if self._taken >= self._places:
            raise PrinterBusy
        self._taken += 1
        try:
            told = {"onsale.order_id": str(printed[0].ticket.order_id)} if printed else {}
            with span("tickets.print_tickets", {**told, "onsale.tickets": len(printed), "onsale.page": page.value}):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, print_tickets, printed, page)
        finally:
            self._taken -= 1
