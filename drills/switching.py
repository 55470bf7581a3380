"""Switches drills on and off in a running system, from another process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from drills.model import Drill
from local.errors import StartError
from local.lag import set_lag
from local.running import Running


@dataclass(frozen=True)
class Switchboard:
    """Switches drills of one running system. Each call returns when what was restarted is ready again. Raises StartError."""

    running: Running

    def check(self, drill: Drill) -> None:
        """Raises StartError if this system cannot have this drill."""
        if drill.needs_hosts and not self.has_network:
            raise StartError(f"{drill.name} needs a system on several hosts: start one as root with `make up HOSTS=3`.")
        if drill.needs_replica:
            asyncio.run(set_lag(self.running, 0))  # raises if there is none

    def on(self, drill: Drill) -> None:
        """Gives the fault to the services where it lives, or to the links between hosts."""
        self.check(drill)
        if drill.environments:
            self.running.ask("restart", environments=_plain(drill.environments))
        if drill.needs_replica:
            asyncio.run(set_lag(self.running, drill.behind_seconds))
        for link in drill.links:
            a, b = link.between
            values: dict[str, Any] = {
                "delay_ms": link.delay_ms,
                "loss_percent": link.loss_percent,
                "partition": link.partition,
            }
            self.running.ask("link", a=a, b=b, **values)

    def off(self, drill: Drill) -> None:
        """Takes it away again."""
        if drill.needs_replica:
            asyncio.run(set_lag(self.running, 0))
        for link in drill.links:
            a, b = link.between
            self.running.ask("link", a=a, b=b)
        if drill.environments:
            self.running.ask("restart", environments={name: {} for name in drill.environments})

    @property
    def has_network(self) -> bool:
        """Whether the services live on hosts with a network between them that can be disturbed."""
        try:
            return bool(self.running.ask("links"))
        except StartError:
            return False


def _plain(environments: Any) -> dict[str, dict[str, str]]:
    return {name: dict(values) for name, values in environments.items()}
