"""The switch between the hosts: carries IP packets, and makes the links between them slow, lossy or cut as it is ordered."""

import random
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# What waits on one way of a slow link; more is dropped, as a full switch would.
MOST_WAITING = 20_000
LONGEST_DELAY_MS = 60_000.0
IPV4 = 4
SHORTEST_PACKET = 20
_DESTINATION = slice(16, 20)

Later = Callable[[float, Callable[[], None]], object]


@dataclass(frozen=True)
class Link:
    """How two hosts are joined, both ways alike. Well unless said otherwise.

    Each packet takes `delay_ms` and up to `jitter_ms` more on its way, so an answer comes after twice of that. `loss_percent` of them
    never arrive; with `partition` none does, and no error says so.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_percent: float = 0.0
    partition: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.delay_ms <= LONGEST_DELAY_MS and 0 <= self.jitter_ms <= LONGEST_DELAY_MS):
            raise ValueError("A delay is a number of milliseconds from 0 to 60000, such as DELAY=200.")
        if not 0 <= self.loss_percent <= 100:
            raise ValueError("A loss is a percentage from 0 to 100, such as LOSS=10.")

    def __str__(self) -> str:
        if self.partition:
            return "cut"
        jitter = f" to {self.delay_ms + self.jitter_ms:g}" if self.jitter_ms else ""
        slow = f"{self.delay_ms:g}{jitter} ms each way" if self.delay_ms or self.jitter_ms else ""
        lossy = f"{self.loss_percent:g} % lost" if self.loss_percent else ""
        return ", ".join(filter(None, (slow, lossy))) or "well"


@dataclass
class _Way:
    """One direction of a link: what it has carried, and what is under way on it."""

    link: Link = Link()
    carried: int = 0
    dropped: int = 0
    last_due: float = 0.0
    waiting: deque[bytes] = field(default_factory=deque)


class Switch:
    """Knows hosts by name and address. `deliver(host, packet)` hands a packet to a host's card; `later` and `clock` are a loop's."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        deliver: Callable[[str, bytes], None],
        later: Later,
        clock: Callable[[], float],
        luck: random.Random | None = None,
    ) -> None:
        self._hosts = {_packed(address): name for name, address in addresses.items()}
        self._deliver = deliver
        self._later = later
        self._clock = clock
        self._luck = luck or random.Random()  # noqa: S311  # whose packet is lost is no secret
        self._ways = {(a, b): _Way() for a in addresses for b in addresses if a != b}

    def set_link(self, a: str, b: str, link: Link) -> None:
        """From now on. What is under way arrives as it was sent. Raises ValueError if there are no such two hosts."""
        if (a, b) not in self._ways:
            raise ValueError(f"There is no link between {a} and {b}. The hosts are {', '.join(self._hosts.values())}.")
        for way in ((a, b), (b, a)):
            self._ways[way].link = link

    def links(self) -> dict[tuple[str, str], tuple[Link, int, int]]:
        """Each pair of hosts once: its link, and how many packets it has carried and dropped."""
        found = {}
        for (a, b), way in self._ways.items():
            if (b, a) not in found:
                back = self._ways[(b, a)]
                found[(a, b)] = (way.link, way.carried + back.carried, way.dropped + back.dropped)
        return found

    def carry(self, source: str, packet: bytes) -> None:
        """What a host's card has sent. What is not for a host of ours (multicast, IPv6) is for nobody."""
        if len(packet) < SHORTEST_PACKET or packet[0] >> 4 != IPV4:
            return
        target = self._hosts.get(packet[_DESTINATION])
        way = self._ways.get((source, target)) if target else None
        if target is None or way is None:
            return
        link = way.link
        lost = link.partition or (link.loss_percent > 0 and self._luck.uniform(0, 100) < link.loss_percent)
        if lost or len(way.waiting) >= MOST_WAITING:
            way.dropped += 1
            return
        way.carried += 1
        self._send(way, target, packet)

    def _send(self, way: _Way, target: str, packet: bytes) -> None:
        """At once, or when its time has come; never before what was sent earlier, as on most real ways."""
        if not way.waiting and not way.link.delay_ms and not way.link.jitter_ms:
            self._deliver(target, packet)
            return
        now = self._clock()
        takes = (way.link.delay_ms + self._luck.uniform(0, way.link.jitter_ms)) / 1000
        way.last_due = max(way.last_due, now + takes)
        way.waiting.append(packet)
        self._later(way.last_due - now, lambda: self._deliver(target, way.waiting.popleft()))


def _packed(address: str) -> bytes:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", address):
        raise ValueError(f"{address!r} is no IPv4 address.")
    return bytes(int(part) for part in address.split("."))
