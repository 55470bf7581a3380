"""Who asks, and how much one of them may have. The bounds stop one who takes everything, not many behind one address.

Each process counts in its own memory: the bound of a process is bound enough, and no request waits for a store.
"""

import ipaddress
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import HTTPConnection

# One customer of a provider has a whole network of this size.
_IPV6_PREFIX = 64
# So many keys are remembered; the ones that asked longest ago are forgotten first.
_KEYS = 50_000


@dataclass(frozen=True)
class Caller:
    """A browser: where it is, and the cookie that it has sent (None: it sent none of ours)."""

    address: str
    cookie: str | None

    @property
    def browser(self) -> str:
        """What tells this browser from others at its address; all without a cookie are one."""
        return self.cookie or f"no cookie at {self.address}"


def address_of(request: HTTPConnection) -> str:
    """Where a request comes from, past the proxies that `trusted_proxies` names.

    Of an IPv6 address it is the network that one customer has.
    """
    peer = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)


class Shares:
    """How many of something each key has at the moment, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._has: Counter[str] = Counter()

    def is_full(self, key: str) -> bool:
        return self._has[key] >= self._most

    @contextmanager
    def one(self, key: str) -> Iterator[None]:
        """Counts one more, as long as the block lasts."""
        self._has[key] += 1
        try:
            yield
        finally:
            self._has[key] -= 1
            if not self._has[key]:
                del self._has[key]


class Allowance:
    """Something that each key may do `most` times at once, and again as time gives it back: all of it in `seconds`."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        # By key: how much was used, and at what time.
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_until(self, key: str) -> int:
        """How long until it may be done once more; 0: now."""
        over = self._used_now(key) + 1 - self._most
        return math.ceil(over * self._seconds / self._most) if over > 0 else 0

    def use(self, key: str) -> None:
        """Counts that something was done."""
        self._used[key] = (self._used_now(key) + 1, self._clock())
        self._used.move_to_end(key)
        if len(self._used) > _KEYS:
            self._used.popitem(last=False)

    def give_back(self, key: str) -> None:
        """Takes the count back of something that came to nothing."""
        if key in self._used:
            self._used[key] = (max(0.0, self._used_now(key) - 1), self._clock())

    def _used_now(self, key: str) -> float:
        used, at = self._used.get(key, (0.0, 0.0))
        return max(0.0, used - (self._clock() - at) * self._most / self._seconds)
