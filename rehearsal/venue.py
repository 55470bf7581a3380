"""Where a rehearsal is played: in the shop that runs here, in one that is started for it, or in one elsewhere."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from local.provision import make_secrets
from local.running import Running
from local.temporary import temporary_system
from local.topology import Layout
from rehearsal.audit.sources import Sources

PAYMENT_MARGIN_SECONDS = 2
# The draw sends everybody to their own page at once: on a small machine the first turns must outlast that.
TURN_SECONDS, PASS_SECONDS = 90, 120


@dataclass(frozen=True)
class Venue:
    """The shop that is rehearsed in.

    `load` brings an event in; `sources` are None if its databases are elsewhere; `key` is that of support, empty if it is not
    known: then no sale can be announced there.
    """

    shop: str
    traces: str
    sources: Sources | None
    load: Callable[[str], object] | None = None
    key: str = ""


@contextlib.contextmanager
def venue(data: Path, hold_seconds: float, url: str, key: str) -> Iterator[Venue]:
    """Elsewhere (`url`), in the system that runs on that folder, or in one of its own. Raises StartError."""
    if url:
        yield Venue(url.rstrip("/"), "", None, key=key)
    elif Running.is_there(data):
        yield from _running(data, hold_seconds)
    else:
        print(
            "No system runs on that folder: one is started for the rehearsal, and is gone afterwards, with its traces."
        )
        with temporary_system(durable=True, environment=_haste(hold_seconds)) as system:
            support_key = make_secrets(system.layout).web_support_key
            sources = Sources.of(system)
            yield Venue(system.addresses["web"], system.addresses["traces"], sources, system.load, support_key)


def _running(data: Path, hold_seconds: float) -> Iterator[Venue]:
    running, haste = Running.find(data), _haste(hold_seconds)
    print(
        f"Places are held for {hold_seconds:g} s and a turn lasts {TURN_SECONDS} s during the rehearsal: orders and waitingroom "
        "start anew, and once more at its end."
    )
    running.ask("restart", environments=haste)
    try:
        found, support_key = running.addresses, make_secrets(Layout(running.data)).web_support_key

        def load(file: str) -> object:
            return running.ask("load", file=file)

        yield Venue(found["web"], found["traces"], Sources.running(data), load, support_key)
    finally:
        running.ask("restart", environments={name: {} for name in haste})


def _haste(hold_seconds: float) -> dict[str, dict[str, str]]:
    """Nobody waits for ten minutes for what others left."""
    return {
        "orders": {
            "ORDERS_HOLD_TTL_SECONDS": f"{hold_seconds:.0f}",
            "ORDERS_PAYMENT_MARGIN_SECONDS": str(PAYMENT_MARGIN_SECONDS),
        },
        "waitingroom": {
            "WAITINGROOM_TURN_SECONDS": str(TURN_SECONDS),
            "WAITINGROOM_PASS_SECONDS": str(PASS_SECONDS),
        },
    }
