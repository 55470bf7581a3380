"""Where PDFs are made: threads beside the event loop, few of them, with two short queues in front.

Orders of many tickets queue by themselves and never take the last thread, so that whoever has one ticket, and every mail with
one, is not behind them. A job counts until its thread is done with it, whoever has gone away meanwhile. What was printed is kept.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from services.tickets.domain import PrinterBusy
from services.tickets.layouts import print_tickets, warm_up
from services.tickets.printing import Format, Pdf, Printed
from services.tickets.shelf import Shelf
from tracing.spans import note, span

# Orders from this many tickets on queue by themselves: four times what most people buy.
LARGE_FROM = 9


@dataclass(eq=False, slots=True)
class _Job:
    digest: str
    printed: Sequence[Printed]
    page: Format
    done: asyncio.Future[Pdf] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    waiting: int = 0
    is_started: bool = False

    @property
    def is_large(self) -> bool:
        return len(self.printed) >= LARGE_FROM


class Printer:
    """Makes at most `threads` PDFs at a time and lets at most `queue` wait, large ones in at most half of it; refuses more.

    `on_boxes` is called with how many letters were printed as boxes.
    """

    def __init__(self, threads: int, queue: int, shelf: Shelf, on_boxes: Callable[[int], None] | None = None) -> None:
        self._count = threads
        self._queue = queue
        self._shelf = shelf
        self._on_boxes = on_boxes or (lambda _: None)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="printer")
        self._jobs: dict[str, _Job] = {}
        self._small: deque[_Job] = deque()
        self._large: deque[_Job] = deque()
        self._running = self._large_running = 0
        # How many jobs have ended, ever.
        self._ended = 0
        self._is_turn_of_large = False
        self._tasks: set[asyncio.Task[None]] = set()

    def jobs(self) -> int:
        """How many PDFs are being made or wait for a thread."""
        return self._running + len(self._small) + len(self._large)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Reads the fonts before somebody waits for them; ends the threads when the service stops."""
        for _ in range(self._count):
            self._threads.submit(warm_up)
        try:
            yield
        finally:
            for task in list(self._tasks):
                task.cancel()
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._shelf.close()

    async def print(self, printed: Sequence[Printed], page: Format) -> bytes:
        """The PDF of these tickets. Raises PrinterBusy."""
        attributes = {"onsale.order_id": str(printed[0].ticket.order_id)} if printed else {}
        with span("tickets.print_tickets", {**attributes, "onsale.tickets": len(printed), "onsale.page": page.value}):
            digest = digest_of(printed, page)
            kept = await self._kept(digest)
            note({"onsale.kept": kept is not None})
            if kept is not None:
                return kept
            pdf = await self._made(self._jobs.get(digest) or self._admitted(_Job(digest, printed, page)))
            note({"onsale.boxes": pdf.boxes})
            return pdf.data

    async def _kept(self, digest: str) -> bytes | None:
        """What was printed before. Looking takes a moment, in which somebody else's may be done: then it is there by now."""
        while True:
            ended = self._ended
            kept = await asyncio.to_thread(self._shelf.find, digest)
            if kept is not None or digest in self._jobs or ended == self._ended:
                return kept

    async def _made(self, job: _Job) -> Pdf:
        job.waiting += 1
        try:
            return await asyncio.shield(job.done)
        finally:
            job.waiting -= 1
            if job.waiting == 0 and not job.is_started:
                self._forget(job)

    def _admitted(self, job: _Job) -> _Job:
        waiting = len(self._small) + len(self._large)
        is_thread_free = self._running < self._count and (not job.is_large or self._has_place_for_large())
        too_many_large = job.is_large and len(self._large) >= max(1, self._queue // 2)
        if not is_thread_free and (waiting >= self._queue or too_many_large):
            raise PrinterBusy
        self._jobs[job.digest] = job
        (self._large if job.is_large else self._small).append(job)
        self._start_next()
        return job

    def _has_place_for_large(self) -> bool:
        return self._large_running < max(1, self._count - 1)

    def _start_next(self) -> None:
        while self._running < self._count and (job := self._next()) is not None:
            job.is_started = True
            self._running += 1
            self._large_running += job.is_large
            task = asyncio.create_task(self._run(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, job: _Job) -> None:
        """Prints in a task that ends when the thread is done, even if nobody waits for it any more."""
        try:
            pdf = await asyncio.get_running_loop().run_in_executor(self._threads, self._make, job)
            if pdf.boxes:
                self._on_boxes(pdf.boxes)
            if not job.done.done():
                job.done.set_result(pdf)
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to those who wait for this PDF
            if job.waiting:
                job.done.set_exception(error)
        finally:
            self._running -= 1
            self._ended += 1
            self._large_running -= job.is_large
            self._jobs.pop(job.digest, None)
            self._start_next()

    def _next(self) -> _Job | None:
        """They take turns where both wait; a large one only where that leaves a thread for small ones."""
        is_large = bool(self._large) and self._has_place_for_large()
        if is_large and (self._is_turn_of_large or not self._small):
            self._is_turn_of_large = False
            return self._large.popleft()
        if self._small:
            self._is_turn_of_large = True
            return self._small.popleft()
        return None

    def _make(self, job: _Job) -> Pdf:
        pdf = print_tickets(job.printed, job.page)
        self._shelf.put(job.digest, pdf.data)
        return pdf

    def _forget(self, job: _Job) -> None:
        (self._large if job.is_large else self._small).remove(job)
        self._jobs.pop(job.digest, None)


def digest_of(printed: Sequence[Printed], page: Format) -> str:
    """What a PDF is found by: all that it shows, and the edition of what draws it."""
    said = repr((_edition(), page.value, tuple(printed)))
    return hashlib.sha256(said.encode()).hexdigest()


@lru_cache(maxsize=1)
def _edition() -> str:
    """Other code may draw the same ticket in another way."""
    folder = Path(__file__).parent
    drawn_by = (
        "ticket.typ",
        "layouts.py",
        "printing.py",
        "wording.py",
        "copying.py",
        "scripts.py",
        "fonts/__init__.py",
    )
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in drawn_by)).hexdigest()
