"""Which services live together on which host, and how the others reach them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.errors import StartError
from local.processes import LOOPBACK

# Addresses of the hosts' own network. It exists within their network namespaces alone: nothing of the machine routes there.
NETWORK = "10.83.0."
FIRST_NUMBER = 11

_WEB = ("web",)
_SHOP = ("accounts", "catalog", "inventory")
_MONEY = ("orders", "payments")
_POST = ("tickets", "notifications")
# However many there are, a purchase crosses all of them.
PLACES: Mapping[int, Mapping[str, tuple[str, ...]]] = {
    2: {"edge": (*_WEB, *_POST), "shop": (*_SHOP, *_MONEY)},
    3: {"edge": (*_WEB, *_POST), "shop": _SHOP, "money": _MONEY},
    4: {"edge": _WEB, "shop": _SHOP, "money": _MONEY, "post": _POST},
    8: {f"{name}-host": (name,) for name in (*_WEB, *_SHOP, *_MONEY, *_POST)},
}


@dataclass(frozen=True)
class Housing:
    """Where each service lives. Without `addresses` the hosts have names alone, and all is on this machine's loopback."""

    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    # By host: files of namespaces that a program enters before it begins (`local/hosts/kernel.py`).
    namespaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def host_of(self, service: str) -> str | None:
        """The name of its host; None if it lives on this machine."""
        return next((host for host, services in self.hosts.items() if service in services), None)

    def address_of(self, service: str) -> str:
        """Where it listens, and where other services reach it."""
        return self.addresses.get(self.host_of(service) or "", LOOPBACK)

    def namespaces_of(self, service: str) -> tuple[str, ...]:
        """What its processes enter."""
        return self.namespaces.get(self.host_of(service) or "", ())


def hosts_of(count: int) -> Mapping[str, tuple[str, ...]]:
    """The services of each host, by its name. Raises StartError if there is no plan for so many."""
    if count not in PLACES:
        *most, last = sorted(PLACES)
        raise StartError(f"There can be {', '.join(map(str, most))} or {last} hosts, not {count}: make up HOSTS=3")
    return PLACES[count]


def addresses_of(hosts: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The address of each host on the hosts' network."""
    return {name: f"{NETWORK}{FIRST_NUMBER + number}" for number, name in enumerate(hosts)}
