"""The ways in which the same system can run on one machine."""

from argparse import Namespace
from dataclasses import dataclass
from typing import Self

from local.topology import SERVICES, Transport


@dataclass(frozen=True)
class Shape:
    """One of them.

    `hosts`: on how many hosts of this machine the services live, apart from each other; or `regions`: in how many, far from each
    other (local/housing.py). `replicas`: of the databases that are read most. `shards`: over how many databases the places are spread,
    at least as many as they were before. `together`: the services that are one process; the others have one each, as all have without
    it. `transport`: what carries calls between services.
    """

    hosts: int = 0
    regions: int = 0
    replicas: int = 0
    shards: int = 1
    together: tuple[str, ...] = ()
    transport: Transport = "http"

    @classmethod
    def of_arguments(cls, chosen: Namespace) -> Self:
        """As the command line says. Raises ValueError with a sentence for what does not go together."""
        together = _together(chosen.apart, is_wanted=chosen.monolith)
        if together and (chosen.hosts or chosen.regions):
            raise ValueError("MONOLITH=1 is one process, and HOSTS= and REGIONS= are about several: say one of them")
        return cls(chosen.hosts, chosen.regions, chosen.replicas, chosen.shards, together, chosen.transport)


def _together(apart: str, *, is_wanted: bool) -> tuple[str, ...]:
    names = apart.replace(",", " ").split()
    if not is_wanted:
        if names:
            raise ValueError("APART= says what is not in the one process of MONOLITH=1: say MONOLITH=1 too")
        return ()
    if unknown := [name for name in names if name not in SERVICES]:
        raise ValueError(f"APART={unknown[0]}: there is no such service. There are {', '.join(SERVICES)}")
    together = tuple(name for name in SERVICES if name not in names)
    if len(together) < 2:
        raise ValueError("APART= leaves nothing to be together: make up without MONOLITH=1 is that")
    return together
