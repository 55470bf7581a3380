"""The printer does not let requests pile up, and small orders are not behind large ones."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from services.tickets import printer as printer_module
from services.tickets.domain import PrinterBusy
from services.tickets.printer import LARGE_FROM, Printer, digest_of
from services.tickets.printing import Format, Pdf, Printed
from services.tickets.shelf import Shelf
from services.tickets.tests.unit.examples import a_ticket

_WAIT_SECONDS = 10.0


class Press:
    """Stands for the typesetter: says what it was given, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._lock = threading.Lock()
        self._let: dict[str, threading.Event] = {}

    def print(self, printed: Sequence[Printed], _page: Format) -> Pdf:
        name = printed[0].ticket.order_number
        with self._lock:
            self.begun.append(name)
        assert self._gate(name).wait(_WAIT_SECONDS)
        return Pdf(b"%PDF " + name.encode(), boxes=0)

    def let(self, *names: str) -> None:
        for name in names:
            self._gate(name).set()

    def _gate(self, name: str) -> threading.Event:
        with self._lock:
            return self._let.setdefault(name, threading.Event())

    async def until_begun(self, *names: str) -> None:
        async with asyncio.timeout(_WAIT_SECONDS):
            while not set(names) <= set(self.begun):  # noqa: ASYNC110  # threads say so, which have no events of the loop
                await asyncio.sleep(0.001)


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> Iterator[Press]:
    press = Press()
    monkeypatch.setattr(printer_module, "print_tickets", press.print)
    yield press
    press.let(*press.begun)


@pytest.fixture
async def printer(tmp_path: Path) -> AsyncIterator[Printer]:
    printer = a_printer(tmp_path)
    async with printer.opened():
        yield printer


def a_printer(folder: Path, threads: int = 2, queue: int = 4) -> Printer:
    return Printer(threads, queue, Shelf(folder, bytes_max=1_000_000, seconds_max=60))


def order(name: str, places: int = 1) -> list[Printed]:
    return [Printed(a_ticket(order_number=name), "OS1.", number, places) for number in range(1, places + 1)]


async def test_a_full_queue_is_refused_at_once_and_the_event_loop_stays_free(press: Press, tmp_path: Path) -> None:
    printer = a_printer(tmp_path, threads=1, queue=1)
    async with printer.opened():
        waiting = [asyncio.create_task(printer.print(order("one"), Format.A4))]
        # One after the other: whichever is found not to be kept first is printed first.
        await press.until_begun("one")
        waiting.append(asyncio.create_task(printer.print(order("two"), Format.A4)))
        await until(lambda: printer.jobs() == 2)
        with pytest.raises(PrinterBusy):
            await printer.print(order("three"), Format.A4)
        press.let("one", "two", "three")
        assert await asyncio.gather(*waiting) == [b"%PDF one", b"%PDF two"]
        assert await printer.print(order("three"), Format.A4) == b"%PDF three"


async def test_a_job_counts_until_its_thread_is_done_although_who_asked_has_gone(press: Press, tmp_path: Path) -> None:
    printer = a_printer(tmp_path, threads=1, queue=0)
    async with printer.opened():
        gone = asyncio.create_task(printer.print(order("gone"), Format.A4))
        await press.until_begun("gone")
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert printer.jobs() == 1
        with pytest.raises(PrinterBusy):
            await printer.print(order("next"), Format.A4)
        press.let("gone", "next")
        await until(lambda: printer.jobs() == 0)
        assert await printer.print(order("next"), Format.A4) == b"%PDF next"


async def test_what_waits_and_is_wanted_by_nobody_any_more_is_not_printed(press: Press, tmp_path: Path) -> None:
    printer = a_printer(tmp_path, threads=1, queue=1)
    async with printer.opened():
        first = asyncio.create_task(printer.print(order("first"), Format.A4))
        await press.until_begun("first")
        unwanted = asyncio.create_task(printer.print(order("unwanted"), Format.A4))
        await until(lambda: printer.jobs() == 2)
        unwanted.cancel()
        await asyncio.gather(unwanted, return_exceptions=True)
        press.let("first")
        await first
        await until(lambda: printer.jobs() == 0)
    assert press.begun == ["first"]


async def test_a_ticket_is_not_behind_large_orders(press: Press, printer: Printer) -> None:
    large = [asyncio.create_task(printer.print(order(f"large {n}", 50), Format.A4)) for n in range(3)]
    await until(lambda: printer.jobs() == 3)
    await until(lambda: len(press.begun) == 1)
    press.let("small")
    assert await printer.print(order("small"), Format.A4) == b"%PDF small"
    (first, second) = press.begun
    assert first.startswith("large")
    assert second == "small"
    press.let("large 0", "large 1", "large 2")
    await asyncio.gather(*large)


async def test_large_orders_leave_places_in_the_queue_for_small_ones(press: Press, printer: Printer) -> None:
    large = [asyncio.create_task(printer.print(order(f"large {n}", 50), Format.A4)) for n in range(3)]
    await until(lambda: printer.jobs() == 3)
    with pytest.raises(PrinterBusy):
        await printer.print(order("large too many", LARGE_FROM), Format.A4)
    small = [asyncio.create_task(printer.print(order(f"small {n}"), Format.A4)) for n in range(3)]
    await until(lambda: printer.jobs() == 6)
    press.let(*(f"large {n}" for n in range(3)), *(f"small {n}" for n in range(3)))
    await asyncio.gather(*large, *small)


async def test_one_thread_takes_large_and_small_in_turns(press: Press, tmp_path: Path) -> None:
    printer = a_printer(tmp_path, threads=1, queue=8)
    async with printer.opened():
        jobs = [asyncio.create_task(printer.print(order("first"), Format.A4))]
        await press.until_begun("first")
        for name, places in (("L1", 50), ("L2", 50), ("S1", 1), ("S2", 1)):
            jobs.append(asyncio.create_task(printer.print(order(name, places), Format.A4)))
            await until(lambda: printer.jobs() == len(jobs))  # it is awaited before the next round
        press.let("first", "L1", "L2", "S1", "S2")
        await asyncio.gather(*jobs)
    assert press.begun == ["first", "L1", "S1", "L2", "S2"]


async def test_the_same_tickets_are_printed_once_for_all_who_ask_and_kept(press: Press, printer: Printer) -> None:
    asking = [asyncio.create_task(printer.print(order("one", 50), Format.A4)) for _ in range(20)]
    await press.until_begun("one")
    press.let("one")
    assert set(await asyncio.gather(*asking)) == {b"%PDF one"}
    assert await printer.print(order("one", 50), Format.A4) == b"%PDF one"
    assert press.begun == ["one"]


async def test_who_looked_while_somebody_elses_was_being_made_does_not_print_it_again(
    press: Press, printer: Printer, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, looks = printer._shelf.find, threading.Event()

    def slow_find(digest: str) -> bytes | None:
        found = find(digest)
        looks.wait(10)
        return found

    press.let("one")
    monkeypatch.setattr(printer._shelf, "find", slow_find)
    late = asyncio.create_task(printer.print(order("one"), Format.A4))
    await asyncio.sleep(0.05)
    monkeypatch.setattr(printer._shelf, "find", find)
    assert await printer.print(order("one"), Format.A4) == b"%PDF one"
    looks.set()
    assert await late == b"%PDF one"
    assert press.begun == ["one"]


async def test_a_ticket_that_changed_is_printed_anew(press: Press, printer: Printer) -> None:
    tickets = order("one")
    press.let("one")
    await printer.print(tickets, Format.A4)
    for changed in (
        Printed(a_ticket(order_number="one", event_version=2), "OS1.", 1, 1),
        Printed(a_ticket(order_number="one"), "OS1.", 1, 1, "Zoë"),
    ):
        await printer.print([changed], Format.A4)
    await printer.print(tickets, Format.PHONE)
    assert press.begun == ["one"] * 4


async def test_what_cannot_be_printed_fails_for_who_asked_and_for_nobody_else(
    monkeypatch: pytest.MonkeyPatch, printer: Printer
) -> None:
    def jam(_printed: object, _page: object) -> Pdf:
        raise ValueError("jammed")

    monkeypatch.setattr(printer_module, "print_tickets", jam)
    with pytest.raises(ValueError, match="jammed"):
        await printer.print(order("jammed"), Format.A4)
    assert printer.jobs() == 0
    monkeypatch.setattr(printer_module, "print_tickets", lambda _printed, _page: Pdf(b"%PDF"))
    assert await printer.print(order("jammed"), Format.A4) == b"%PDF"


def test_all_that_a_ticket_shows_is_in_its_digest() -> None:
    ticket = Printed(a_ticket(), "OS1.", 1, 1)
    others = [Printed(a_ticket(seat_label="Row 8"), "OS1.", 1, 1), Printed(a_ticket(), "OS1.A", 1, 1)]
    digests = {digest_of([each], page) for each in (ticket, *others) for page in Format}
    assert len(digests) == 6
    assert digest_of([ticket], Format.A4) == digest_of([Printed(a_ticket(), "OS1.", 1, 1)], Format.A4)


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(_WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110  # a condition of the printer, which has no event for it
            await asyncio.sleep(0.001)
