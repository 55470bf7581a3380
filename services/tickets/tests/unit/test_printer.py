"""The printer does not let requests pile up."""

import asyncio
import threading

import pytest

from services.tickets import printer as printer_module
from services.tickets.domain import PrinterBusy
from services.tickets.printer import Printer
from services.tickets.printing import Format, Printed
from services.tickets.tests.unit.examples import TICKET


async def test_a_full_queue_is_refused_at_once_and_the_event_loop_stays_free(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = threading.Event()

    def slow(_printed: object, _page: Format) -> bytes:
        assert finish.wait(10)
        return b"%PDF"

    monkeypatch.setattr(printer_module, "print_tickets", slow)
    printer, printed = Printer(threads=1, queue=1), [Printed(TICKET, "OS1.", 1, 1)]
    async with printer.opened():
        waiting = [asyncio.create_task(printer.print(printed, Format.A4)) for _ in range(2)]
        await asyncio.sleep(0)  # lets both take their places; they cannot end before `finish`
        with pytest.raises(PrinterBusy):
            await printer.print(printed, Format.A4)
        finish.set()
        assert await asyncio.gather(*waiting) == [b"%PDF", b"%PDF"]
        assert await printer.print(printed, Format.A4) == b"%PDF"
