"""When a seat that somebody takes is seen by all who watch: `python -m local.bench.sockets [--open 1000] [--seats 100] [--every 0.5]`.

A whole system of its own on this machine. So many sockets are open on one event's page; a seat after the other is held at inventory,
as orders does it, and each socket notes when it hears of it, counted from inventory's answer. Who listens shares the machine.
"""

import argparse
import asyncio
import re
import statistics
import time
from uuid import uuid4

import httpx
import uvloop

from chassis.tokens import ServiceTokens, load_signing_key
from local.bench.reading import Reading
from local.system import System
from local.temporary import temporary_system

PATIENCE_SECONDS = 30.0
AT_ONCE = 50
QUERY = "Lighthouse"
_EVENT = re.compile(r"/events/([0-9a-f-]{36})")
_SEAT = re.compile(r'name="seat" id="s[0-9]+" value="([^"]+)">')


class Listening(asyncio.Protocol):
    """One open socket: when it heard something last, without a look at what it was."""

    def __init__(self, path: str, host: str) -> None:
        self._handshake = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self.greeted = asyncio.get_running_loop().create_future()
        self.heard = asyncio.Event()
        self.heard_at = 0.0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the socket."""
        transport.write(self._handshake)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """A message, or the greeting. Heartbeats are told apart by their name."""
        if b'"snapshot"' in data and not self.greeted.done():
            self.greeted.set_result(None)
        if b'"change"' in data:
            self.heard_at = time.perf_counter()
            self.heard.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """The server has ended it."""
        self.lost = True


async def listen(url: str, path: str, number: int) -> list[Listening]:
    """So many open sockets. Raises TimeoutError if one is not greeted."""
    address = httpx.URL(url)
    loop, at_once = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one() -> Listening:
        async with at_once, asyncio.timeout(PATIENCE_SECONDS):
            _, made = await loop.create_connection(
                lambda: Listening(path, address.netloc.decode()), address.host, address.port or 80
            )
            await made.greeted
            return made

    return list(await asyncio.gather(*(one() for _ in range(number))))


class Taking:
    """Takes seats of one event at inventory, one after the other."""

    def __init__(self, system: System, http: httpx.AsyncClient) -> None:
        tokens = ServiceTokens("orders", load_signing_key(system.layout.keys / "orders.pem"))
        self._headers = {"authorization": "Bearer " + tokens.to("inventory")}
        self._inventory, self._web = system.addresses["inventory"], system.addresses["web"]
        self._http = http

    async def look(self) -> tuple[str, list[str]]:
        """An event with seats, and those that are free, as its page has them."""
        listed = (await self._http.get(self._web, params={"q": QUERY})).text
        event_id = _EVENT.findall(listed)[0]
        return event_id, _SEAT.findall((await self._http.get(f"{self._web}/events/{event_id}")).text)

    async def take(self, event_id: str, seat: str) -> float:
        """Holds a seat; when the answer came."""
        body = {"order_id": str(uuid4()), "places": [], "seats": [seat], "ttl_seconds": 600}
        path = f"{self._inventory}/events/{event_id}/holds/{uuid4()}"
        answer = await self._http.put(path, json=body, headers=self._headers)
        answer.raise_for_status()
        return time.perf_counter()


async def measure(system: System, number: int, seats: int, every: float) -> dict[str, str]:
    """Figures, in words, by what they are about."""
    reading = Reading(system.layout.run_file)
    async with httpx.AsyncClient(timeout=30) as http:
        taking = Taking(system, http)
        event_id, free = await taking.look()
        listening = await listen(system.addresses["web"], f"/live/events/{event_id}", number)
        waits: list[float] = []
        before = reading.cpu_seconds()["web"]
        began = time.perf_counter()
        for seat in free[:seats]:
            for each in listening:
                each.heard.clear()
            answered = await taking.take(event_id, seat)
            waits += await _heard(listening, answered)
            await asyncio.sleep(every)
        spent = reading.cpu_seconds()["web"] - before
        lost = sum(each.lost for each in listening)
    whole = time.perf_counter() - began
    places = statistics.quantiles(waits, n=100)
    return {
        "open sockets; lost": f"{number}; {lost}",
        "seats taken, one after the other": f"{min(seats, len(free))} in {whole:.0f} s",
        "seen by a socket after: p50, p95, p99, most": ", ".join(
            f"{1000 * each:.0f} ms" for each in (places[49], places[94], places[98], max(waits))
        ),
        "processor time of web for a socket that hears": f"{1e6 * spent / len(waits):.0f} us",
    }


async def _heard(listening: list[Listening], answered: float) -> list[float]:
    """How long after the answer each socket heard. Raises TimeoutError if one does not."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for each in listening:
            await each.heard.wait()
    return [max(0.0, each.heard_at - answered) for each in listening]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.sockets", description=__doc__)
    parser.add_argument("--open", type=int, default=1000, help="sockets (1000)")
    parser.add_argument("--seats", type=int, default=100, help="seats that are taken (100)")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between them (0.5)")
    asked = parser.parse_args()
    most = str(asked.open + 10)
    limits = {f"WEB_MAX_STREAMS{each}": most for each in ("", "_PER_VISITOR", "_PER_ADDRESS")}
    with temporary_system(environment={"web": limits}) as system:
        for name, found in uvloop.run(measure(system, asked.open, asked.seats, asked.every)).items():
            print(f"{name}: {found}")


if __name__ == "__main__":
    main()
