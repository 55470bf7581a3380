"""Runs several services in one process: `python -m chassis.monolith accounts catalog ... web`, or those of ONSALE_SERVICES.

Each is built from its own settings, has its own database and its own login to the bus, and listens where it would by itself, at its
port or over the bus, for those who are not of this process. Calls between them stay in it (chassis/inside.py). Which services are in
it is a matter of settings: one that is left out is called over the network.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvloop
from pydantic import ValidationError
from uvicorn.config import STARTUP_FAILURE

from chassis.failpoints import arm
from chassis.inside import Housed, Household
from chassis.logs import log_all_that_goes_wrong
from chassis.migrated import SERVICES
from chassis.serve import collect_rarely, configuration, load, on_bus_of, sentences_of
from chassis.server import Server
from tracing.setup import share_process

SERVICES_VARIABLE = "ONSALE_SERVICES"


class PartServer(Server):
    """The server of one of them. Signals are for all, and come through `Monolith`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Called by uvicorn around all that it does."""
        yield


class Monolith:
    """The services of this process. The last one is stopped first: it is the one that calls all others, such as web."""

    def __init__(self, names: list[str]) -> None:
        home = Household(set(names))
        self._members: dict[str, Housed] = {}
        for name in names:
            self._members[name] = home.take_in(name, load(f"services.{name}.app:create_app"))
        settings = [member.state.service.settings for member in self._members.values()]
        # Each service arms its own when it is built, and with that disarms the one before it.
        arm(next((each.crash_at for each in settings if each.crash_at), None))
        self._tracing = share_process(next((each.otlp_endpoint for each in settings if each.otlp_endpoint), None))
        self._servers: dict[str, PartServer] = {}
        self._stop = asyncio.Event()

    async def run(self) -> int:
        """Serves until SIGTERM or SIGINT, or until one of them cannot go on. The exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, partial(self._on_signal, number))
        self._servers = {name: PartServer(configuration(each), on_bus_of(each)) for name, each in self._members.items()}
        serving = {name: asyncio.create_task(self._serve(server)) for name, server in self._servers.items()}
        await self._stop.wait()
        *called, caller = serving
        for names in ([caller], called):
            for name in names:
                self._servers[name].handle_exit(signal.SIGTERM, None)
            await asyncio.gather(*(serving[name] for name in names))
        await asyncio.to_thread(self._tracing.shutdown)
        return 0 if all(server.started for server in self._servers.values()) else STARTUP_FAILURE

    async def _serve(self, server: PartServer) -> None:
        try:
            await server.serve(sockets=[] if server.is_on_bus else None)
        except SystemExit:
            # uvicorn's way to say that a start failed, and that it has said why.
            pass
        finally:
            self._stop.set()

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            for server in self._servers.values():
                server.handle_exit(number, None)
        self._stop.set()


async def _run(names: list[str]) -> int:
    monolith = Monolith(names)
    log_all_that_goes_wrong()
    collect_rarely()
    return await monolith.run()


def main() -> int:
    """The command line."""
    names = sys.argv[1:] or os.environ.get(SERVICES_VARIABLE, "").replace(",", " ").split()
    if not names:
        sys.stderr.write(f"Say which services: python -m chassis.monolith accounts web (or {SERVICES_VARIABLE})\n")
        return 2
    if unknown := [name for name in names if not (SERVICES / name / "app.py").is_file()]:
        sys.stderr.write(f"There is no service {', '.join(unknown)}.\n")
        return 2
    try:
        return uvloop.run(_run(names))
    except (ValidationError, FileNotFoundError) as error:
        sys.stderr.write(sentences_of(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
