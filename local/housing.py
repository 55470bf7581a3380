"""Which services live together on which host, and how the others reach them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from local.errors import StartError
from local.processes import LOOPBACK

# Addresses of the hosts' own network. It exists within their network namespaces alone: nothing of the machine routes there.
NETWORK = "10.83.0."
FIRST_NUMBER = 11

_WEB = ("web",)
_MONEY = ("orders", "payments")
_POST = ("tickets", "notifications")

# The regions of `make up REGIONS=2`. A page is drawn from what is near its reader; a place is sold by whoever can say no, and that
# is where the event is sold. Half of what a question and its answer take is on the way there: 100 ms are Europe and North America.
NEAR, FAR = "near", "far"
REGIONS = 2
DELAY_BETWEEN_REGIONS_MS = 50.0
_NEAR_THE_READER = ("accounts", "catalog", "web")


def places_of(services: Iterable[str]) -> Mapping[int, Mapping[str, tuple[str, ...]]]:
    """The plans, by the number of hosts. Services that are in no group live at the shop; the last plan has each alone.

    However many hosts there are, a purchase crosses all of them."""
    names = tuple(services)
    shop = tuple(name for name in names if name not in {*_WEB, *_MONEY, *_POST})
    return {
        2: {"edge": (*_WEB, *_POST), "shop": (*shop, *_MONEY)},
        3: {"edge": (*_WEB, *_POST), "shop": shop, "money": _MONEY},
        4: {"edge": _WEB, "shop": shop, "money": _MONEY, "post": _POST},
        len(names): {f"{name}-host": (name,) for name in names},
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


def hosts_of(count: int, services: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The services of each host, by its name. Raises StartError if there is no plan for so many."""
    places = places_of(services)
    if count not in places:
        *most, last = sorted(places)
        raise StartError(f"There can be {', '.join(map(str, most))} or {last} hosts, not {count}: make up HOSTS=3")
    return places[count]


def regions_of(count: int, services: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The services of each region, by its name: what pages are made of, and all that a sale needs. Raises StartError."""
    if count != REGIONS:
        raise StartError(f"There can be {REGIONS} regions, not {count}: make up REGIONS={REGIONS}")
    names = tuple(services)
    near = tuple(name for name in names if name in _NEAR_THE_READER)
    return {NEAR: near, FAR: tuple(name for name in names if name not in near)}


def addresses_of(hosts: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The address of each host on the hosts' network."""
    return {name: f"{NETWORK}{FIRST_NUMBER + number}" for number, name in enumerate(hosts)}
