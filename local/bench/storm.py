"""A lean client that asks one server the same thing again and again, in a process of its own; `overload.py` starts it.

With `wide` so many ask in a closed loop, each waiting for its answer. With `rate` so many requests a second fall due, whether or not
others are answered (an open loop), over at most `most` kept connections with one request in flight on each: whichever is free is used,
and whoever finds none waits. Each answer's time is counted twice: from when its request was due, as people feel it, and from when it
was sent. It prints JSON, `Stormed`.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import time
from collections import deque
from dataclasses import asdict, dataclass, field

import uvloop

# What is replaced in a request by a new id each time.
ID = b"00000000-0000-4000-8000-000000000000"
LAST_ANSWERS_SECONDS = 5.0
TICK_SECONDS = 0.001


@dataclass(frozen=True)
class Spec:
    """What to ask: the bytes of a request as text. Either `wide` or `rate` and `most` say how."""

    host: str
    port: int
    request: str
    seconds: float
    wide: int = 0
    rate: float = 0.0
    most: int = 512


@dataclass
class Times:
    """Milliseconds of answers of one status: in the middle, of 99 in 100, and the most."""

    count: int
    due_p50: float
    due_p99: float
    due_most: float
    sent_p50: float
    sent_p99: float


@dataclass
class Stormed:
    """What came of it. `cpu_seconds` are this process's own; `unanswered` were due and had no answer soon after the end."""

    seconds: float
    cpu_seconds: float
    unanswered: int
    lost: int
    answers: dict[int, Times] = field(default_factory=dict)


class Connection(asyncio.Protocol):
    """A kept connection, with one request in flight at most."""

    def __init__(self, storm: "Storm") -> None:
        self._storm = storm
        self._transport: asyncio.Transport | None = None
        self._came = b""
        self._due = self._sent = 0.0
        self._is_asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can be used."""
        self._transport = transport  # type: ignore[assignment]

    def ask(self, due: float) -> None:
        """Sends the next request."""
        if self._transport is None:
            raise RuntimeError("not connected")
        self._is_asking = True
        self._due, self._sent = due, time.perf_counter()
        self._transport.write(self._storm.next_request())

    def data_received(self, data: bytes) -> None:
        """Some of an answer; most come whole."""
        self._came = self._came + data if self._came else data
        head = self._came.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._came.find(b"content-length: ", 0, head)
        length = int(self._came[at + 16 : self._came.index(b"\r\n", at)]) if at >= 0 else 0
        if len(self._came) < head + 4 + length:
            return
        status = int(self._came[9:12])
        self._came = b""
        self._is_asking = False
        self._storm.answered(self, status, self._due, self._sent)

    def connection_lost(self, _error: Exception | None) -> None:
        """The server has ended it."""
        self._storm.lost_one(self, self._is_asking)


class Storm:
    """All connections, and what was measured."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._request = spec.request.encode()
        self._free: list[Connection] = []
        self._waiting: deque[float] = deque()
        self._opened = self._asking = self.lost = 0
        self._is_over = False
        self._found: dict[int, tuple[list[float], list[float]]] = {}

    def next_request(self) -> bytes:
        """The request, with an id that nobody had."""
        number = f"{random.getrandbits(128):032x}"
        new = f"{number[:8]}-{number[8:12]}-4{number[13:16]}-8{number[17:20]}-{number[20:]}"
        return self._request.replace(ID, new.encode())

    async def run(self) -> Stormed:
        """The storm, from its first connection to its last answer."""
        began = time.perf_counter()
        await (self._closed() if self._spec.wide else self._open())
        took = time.perf_counter() - began
        self._is_over = True
        until = time.perf_counter() + LAST_ANSWERS_SECONDS
        while (self._asking or self._waiting) and time.perf_counter() < until:  # noqa: ASYNC110  # it costs no answer anything
            await asyncio.sleep(0.01)
        answers = {status: _times(*lists) for status, lists in sorted(self._found.items())}
        return Stormed(took, time.process_time(), self._asking + len(self._waiting), self.lost, answers)

    async def _closed(self) -> None:
        await asyncio.gather(*(self._connect() for _ in range(self._spec.wide)))
        for _ in range(len(self._free)):
            self._ask(time.perf_counter())
        await asyncio.sleep(self._spec.seconds)

    async def _open(self) -> None:
        # Callers keep their connections: that they are opened is no part of a wish.
        await asyncio.gather(*(self._connect() for _ in range(self._spec.most)))
        began, count = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < self._spec.seconds:
            while count < passed * self._spec.rate:
                self._ask(began + count / self._spec.rate)
                count += 1
            await asyncio.sleep(TICK_SECONDS)

    def _ask(self, due: float) -> None:
        if self._free:
            self._asking += 1
            self._free.pop().ask(due)
            return
        self._waiting.append(due)
        if self._opened < self._spec.most:
            asyncio.get_running_loop().create_task(self._connect_for_one())

    async def _connect(self) -> None:
        self._opened += 1
        try:
            _, made = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self), self._spec.host, self._spec.port
            )
        except OSError:
            self._opened -= 1
            self.lost += 1
            return
        self._free.append(made)

    async def _connect_for_one(self) -> None:
        await self._connect()
        if self._waiting and self._free:
            self._ask(self._waiting.popleft())

    def answered(self, connection: Connection, status: int, due: float, sent: float) -> None:
        """Notes an answer, and goes on with whoever waits for a connection."""
        now = time.perf_counter()
        by_due, by_sent = self._found.setdefault(status, ([], []))
        by_due.append(now - due)
        by_sent.append(now - sent)
        if self._waiting:
            connection.ask(self._waiting.popleft())
        elif self._spec.wide and not self._is_over:
            connection.ask(now)
        else:
            self._asking -= 1
            self._free.append(connection)

    def lost_one(self, connection: Connection, was_asking: bool) -> None:
        """A connection ended; its request has no answer."""
        self._opened -= 1
        self._asking -= was_asking
        self.lost += was_asking
        if connection in self._free:
            self._free.remove(connection)


def _times(due: list[float], sent: list[float]) -> Times:
    return Times(
        len(due),
        1000 * statistics.median(due),
        1000 * percentile(due, 0.99),
        1000 * max(due),
        1000 * statistics.median(sent),
        1000 * percentile(sent, 0.99),
    )


def percentile(values: list[float], part: float) -> float:
    """The value that so large a part of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.storm", description=__doc__)
    parser.add_argument("spec", help="JSON, a Spec")
    spec = Spec(**json.loads(parser.parse_args().spec))
    gc.disable()  # it lives for seconds, and a pause of its own would count as one of the server
    uvloop.install()
    print(json.dumps(asdict(asyncio.run(Storm(spec).run()))))


if __name__ == "__main__":
    main()
