"""A whole system on one machine: `make up` is a thin face over it, and system tests use it directly."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from local.backend import check_backend
from local.chores import Chores
from local.console import Console, Pumps
from local.control import Command, Control
from local.errors import StartError, Stopped
from local.forkserver import ForkServer
from local.hosts.hosts import Hosts
from local.hosts.switch import Link
from local.keeper import Keeper, Kept
from local.lock import FolderLock
from local.nats import ADMIN, NatsServer
from local.on_bus import on_the_bus
from local.postgres import PostgresServer
from local.processes import port_is_taken
from local.provision import make_databases, make_keys, make_secrets, make_stream, to_be_migrated, write_private
from local.quiet import wait_until_quiet
from local.ready import is_ready, shown
from local.replica import PostgresReplica
from local.shape import Shape
from local.supervisor import Supervisor
from local.topology import (
    MONOLITH,
    READY,
    ROOT,
    SERVICES,
    SHARDED,
    Layout,
    Ports,
    Program,
    Secrets,
    consumers_of,
    nats_url,
    programs,
    services_of,
)

READY_SECONDS = 60.0
LOCK_SECONDS = 20.0  # an earlier system that was killed is given this time to end
GIVE_UP_AFTER_FAILURES = 3

Result = TypeVar("Result")


class System:
    """Postgres, NATS, the simulators, the trace store and all services, with their data in one folder.

    A context manager. `start` raises StartError with a sentence that says what to do, or Stopped when `request_stop` was
    called meanwhile; call `stop` in every case. `environment` maps a program's name to variables that are added to its own.
    `shape`: in which of its ways it runs, by default in the plainest.
    `on_broken` is called when it cannot go on (`broken` says why): then stop it.
    """

    def __init__(
        self,
        data_dir: Path,
        ports: Ports | None = None,
        *,
        console: Console | None = None,
        durable: bool = True,
        sample: bool = True,
        environment: Mapping[str, Mapping[str, str]] | None = None,
        shape: Shape | None = None,
        on_broken: Callable[[], None] = lambda: None,
    ) -> None:
        self.layout = Layout(data_dir.absolute())
        self.ports = ports or Ports.free()
        self._console = console or Console(quiet=True)
        self._sample = sample
        self._environment = environment or {}
        self.shape = shape or Shape()
        self.postgres = PostgresServer(self.layout.folder / "postgres", self.ports.of["postgres"], durable)
        self.replica = (
            PostgresReplica(self.postgres, self.layout.folder / "replica", self.ports.of["replica"], durable)
            if self.shape.replicas
            else None
        )
        self.shards = max(self.shape.shards, _known_shards(self.layout))
        self.nats: NatsServer | None = None
        self.hosts = Hosts(self.shape.hosts, str(self.layout.folder), self.shape.regions)
        self._forks = ForkServer(ROOT, str(self.layout.folder))
        self._pumps: Pumps | None = None
        self._supervisor: Supervisor | None = None
        self._programs: dict[str, Program] = {}
        self._lock = FolderLock(self.layout.folder)
        self._control: Control | None = None
        self._stop_requested = threading.Event()
        self._hurry = False
        self._keeper: Keeper | None = None
        self._on_broken = on_broken
        # Why it cannot go on, in a sentence: Postgres or NATS died again and again.
        self.broken = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What a person or a test asks of a running system

    @property
    def addresses(self) -> dict[str, str]:
        """Where everything is, by name: `web`, `bank`, `mailbox`, `traces`, the services, ..."""
        services = SERVICES if self.shape.transport == "http" else ("web",)
        http_names = [*services, "bank", "mailbox", "traces", "otlp"]
        return {name: self.ports.url(name) for name in http_names} | {"smtp": f"127.0.0.1:{self.ports.of['smtp']}"}

    def log_file(self, name: str) -> Path:
        """What that program has said."""
        return self.layout.log_file(self._home_of(name))

    def pid(self, name: str) -> int:
        """The process of a service, a simulator or the trace store."""
        return self._supervising().pid(self._home_of(name))

    def is_running(self, name: str) -> bool:
        """Whether that program's process lives at this moment."""
        return self._supervising().is_running(self._home_of(name))

    def kill(self, name: str, restart: bool = True) -> None:
        """SIGKILL, as a crash would be. The supervisor starts it again unless `restart` is false."""
        self._supervising().kill(self._home_of(name), restart)

    def restart(self, name: str, env: Mapping[str, str] | None = None) -> None:
        """Stops a program, starts it with these variables added to its own, and waits until it is ready."""
        self.restart_all({name: env or {}})

    def restart_all(self, environments: Mapping[str, Mapping[str, str]]) -> None:
        """The same for several programs at once, each with its own variables. Raises StartError for an unknown one."""
        if unknown := sorted({self._home_of(name) for name in environments} - self._programs.keys()):
            raise StartError(f"There is no program {unknown[0]!r}. There are: {', '.join(sorted(self._programs))}.")
        homes: dict[str, dict[str, str]] = {}
        for name, environment in environments.items():
            homes.setdefault(self._home_of(name), {}).update(environment)
        wanted = {name: self._programs[name] for name in homes}
        self._supervising().stop(*wanted)
        for name, program in wanted.items():
            self._start_program(program, homes[name])
        self.wait_ready(*wanted)

    def link(self, a: str, b: str, **link: Any) -> None:
        """How two hosts are joined from now on: `delay_ms`, `jitter_ms`, `loss_percent`, `partition`; well if nothing is said.

        Raises StartError if there are no such hosts, or no network between them.
        """
        self.hosts.link(a, b, Link(**link))

    def wait_ready(self, *names: str, seconds: float = READY_SECONDS) -> None:
        """Waits until these programs (default: all) say that they are ready."""
        homes = map(self._home_of, names) if names else self._programs
        self._poll({name: self._programs[name] for name in homes}, seconds)

    def _home_of(self, name: str) -> str:
        """The program that a service is, or is a part of."""
        return MONOLITH if name in self.shape.together else name

    def request_stop(self, hurry: bool = False) -> None:
        """Ends a start that is under way; `hurry` also cuts short a stop that is. Safe in a signal handler."""
        self._stop_requested.set()
        if hurry:
            self._hurry = True
            if self._supervisor is not None:
                self._supervisor.hurry.set()
            for pid in (self.postgres.pid, self.nats.pid if self.nats else None):
                if pid is not None:
                    os.kill(pid, signal.SIGQUIT)  # Postgres' immediate shutdown: it recovers at the next start

    # Start

    def start(self) -> None:
        """Starts everything, in the order in which things need each other, and waits until all is ready."""
        self._lock.take()
        self.layout.run_file.unlink(missing_ok=True)
        self._check_ports()
        check_backend(self.ports, self._console.say)
        secrets = make_secrets(self.layout)
        make_keys(self.layout)
        self.nats = NatsServer(self.layout.folder / "nats", self.ports.of["nats"], secrets.nats)
        self._pumps = Pumps(self._console)
        self._open_forks()
        self._supervisor = Supervisor(self._forks, self._pumps, self._console, self.layout.log_file)
        log_format = "text" if self._console.is_terminal else "json"
        self._open_hosts(self._pumps)
        started = programs(
            self.layout,
            self.ports,
            secrets,
            log_format,
            self.hosts.housing,
            with_replica=self.replica is not None,
            shards=self.shards,
            together=self.shape.together,
        )
        if self.shape.transport == "bus":
            started = on_the_bus(started, self.ports, secrets)
        self._programs = {program.name: program for program in started}
        self._start_servers(self.nats)
        is_new = self._provision(secrets)
        self._start_replica()
        # They need no migration, so they start meanwhile.
        homes = {self._home_of(service) for service in SERVICES}
        for name in self._programs.keys() - homes:
            self._start_program(self._programs[name])
        chores = self._chores_of(self._supervisor)
        self._migrate(chores)
        # What is in catalog's outbox when it starts is published at once, and what comes later at its next look. So the first events
        # are loaded before; later starts mostly find some, and nobody waits for them to say so.
        if is_new and self._sample:
            chores.load_sample()
        for name in homes:
            self._start_program(self._programs[name])
        if not is_new and self._sample:
            chores.load_sample()
        self.wait_ready()
        # The first purchase must not come before inventory has heard of the events.
        self.wait_until_quiet("catalog", consumers=set(consumers_of(SHARDED, self.shards)))
        self._control = Control(self._commands())
        self._write_run_file(self._control)

    def _check_ports(self) -> None:
        """After a kill, the watchdog may still be ending the last system: that is waited for, strangers are not."""
        deadline = time.monotonic() + (LOCK_SECONDS if self._lock.was_not_released else 0.0)
        ours = {name: port for name, port in self.ports.of.items() if name not in self.ports.elsewhere}
        while taken := {name: port for name, port in ours.items() if port_is_taken(port)}:
            if time.monotonic() > deadline:
                listing = ", ".join(f"{port} ({name})" for name, port in taken.items())
                raise StartError(
                    f"Taken by another program: port {listing}. Stop that program, or move all of Onsale's ports: "
                    "make up PORTS=9000 (the shop is then at 9000, the others follow it)."
                )
            self._pause(0.05)

    def _open_forks(self) -> None:
        self._lock.mark()
        if self._pumps is None:
            raise RuntimeError("the log lines have no way out yet")
        output = self._pumps.pipe("forkserver", self.layout.log_file("forkserver"))
        self._forks.open(output)
        os.close(output)

    def _open_hosts(self, pumps: Pumps) -> None:
        output = pumps.pipe("hosts", self.layout.log_file("hosts"))
        try:
            self.hosts.open(self.ports.of, output, self._console.say, self.ports.elsewhere.values())
        finally:
            os.close(output)

    def _start_servers(self, nats: NatsServer) -> None:
        if not (self.layout.folder / "postgres" / "password").exists():
            self._console.say("Making the databases (once) ...")
        with ThreadPoolExecutor(2) as pool:
            starts = [pool.submit(self.postgres.start), pool.submit(nats.start)]
            self._wait_for(starts, self.postgres.kill, nats.kill)
        kept = [
            Kept("Postgres", self.postgres),
            Kept("NATS", nats, lambda: _run(make_stream(nats.url(ADMIN), shards=self.shards))),
        ]
        self._keeper = Keeper(kept, self._console.say, self._break_off)
        self._keeper.open()
        self._check_stop()

    def _start_replica(self) -> None:
        """After the databases were made: what comes later, it follows."""
        if self.replica is not None:
            self._console.say("Copying the databases for the replica ...")
            self.replica.start()
            self._check_stop()

    def _break_off(self, why: str) -> None:
        self.broken = why
        self._stop_requested.set()
        self._on_broken()

    def _provision(self, secrets: Secrets) -> bool:
        """Databases, logins and the firehose's stream; whether any database is new."""

        async def provision() -> bool:
            made, _ = await asyncio.gather(
                make_databases(self.postgres.url(), secrets.databases, self.shards),
                make_stream(nats_url(ADMIN, self.ports, secrets), shards=self.shards),
            )
            write_private(self.layout.shards_file, str(self.shards))
            return bool(made)

        is_new = _run(provision())
        self._check_stop()
        return is_new

    def _migrate(self, chores: Chores) -> None:
        chores.migrate(_run(to_be_migrated(self.postgres.url, SERVICES, self.shards)))
        self._check_stop()

    def load(self, file: str) -> str:
        """Loads a file into the catalogue, and says how it was understood. Raises StartError with what is wrong with it."""
        return self._chores_of(self._supervising()).load(file)

    def _chores_of(self, supervisor: Supervisor) -> Chores:
        return Chores(supervisor, self.layout, self._environment_of, self._stop_requested)

    def _environment_of(self, service: str) -> dict[str, str]:
        program = self._programs[self._home_of(service)]
        return {**program.environment, **self._extra(program)}

    def _start_program(self, program: Program, extra: Mapping[str, str] | None = None) -> None:
        self._check_stop()
        self._supervising().start(program, {**self._extra(program), **(extra or {})})

    def _extra(self, program: Program) -> dict[str, str]:
        """What was said of it, or of a service that it is, when the system was made."""
        names = [*self.shape.together, MONOLITH] if program.name == MONOLITH else [program.name]
        return {key: value for name in names for key, value in self._environment.get(name, {}).items()}

    def _poll(self, waiting: dict[str, Program], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while waiting:
            waiting = {name: program for name, program in waiting.items() if not all(map(is_ready, program.ready_urls))}
            for name in waiting:
                if self._supervising().failures(name) >= GIVE_UP_AFTER_FAILURES:
                    raise StartError(f"{name} does not start. {self.layout.last_words(name)}")
            if waiting and time.monotonic() > deadline:
                name = next(iter(waiting))
                url = next((url for url in waiting[name].ready_urls if not is_ready(url)), waiting[name].ready_urls[0])
                raise StartError(
                    f"Not ready after {seconds:g} s: {', '.join(waiting)}. See {shown(url)} and {self.log_file(name)}"
                )
            self._pause(0.03)

    def wait_until_quiet(self, *services: str, consumers: set[str], seconds: float = 20.0) -> bool:
        """Waits until these consumers have handled all facts of these services. Whether that came true in time."""
        admin_url = self._running_nats().url(ADMIN)
        return _run(wait_until_quiet(self.postgres.url, admin_url, services, consumers, seconds))

    def _commands(self) -> dict[str, Command]:
        """What other commands on this machine may ask of the running system."""
        return {
            "restart": self.restart_all,
            "load": self.load,
            "kill": self.kill,
            "link": self.link,
            "links": self.hosts.links,
        }

    def _write_run_file(self, control: Control) -> None:
        state = {
            "pid": os.getpid(),
            "control": str(control.path),
            "data": str(self.layout.folder),
            "addresses": self.addresses,
            "ports": dict(self.ports.of),
            # Where services are asked how they are: those without a port over the bus. The file is for its owner alone.
            "services": {name: self._told_of(name) for name in SERVICES},
        }
        write_private(self.layout.run_file, json.dumps(state, indent=1))

    def _told_of(self, service: str) -> str:
        """Where a service is asked how it is."""
        if self.shape.transport == "http":
            return self.ports.url(service)
        program = self._programs[self._home_of(service)]
        return program.ready_urls[services_of(program).index(service)].removesuffix(READY)

    # Stop

    def stop(self) -> None:
        """Stops everything: who asks before who is asked, then NATS, Postgres last. Leaves no process. Safe to repeat."""
        if self._lock.is_held:  # without the lock, the file belongs to another system
            self.layout.run_file.unlink(missing_ok=True)
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._keeper is not None:
            self._keeper.close()
        if self._supervisor is not None:
            if self._hurry:
                self._supervisor.hurry.set()
            for rank in sorted({program.rank for program in self._programs.values()}, reverse=True):
                self._supervisor.stop(*(p.name for p in self._programs.values() if p.rank == rank))
            self._supervisor.close()
            self._supervisor = None
        self._forks.close()
        self.hosts.close()
        if self.nats is not None:
            self.nats.stop()
        if self.replica is not None:
            self.replica.stop()
        self.postgres.stop()
        if self._pumps is not None:
            self._pumps.close()
            self._pumps = None
        self._lock.release()

    # Small things

    def _running_nats(self) -> NatsServer:
        if self.nats is None:
            raise RuntimeError("the system is not running")
        return self.nats

    def _supervising(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the system is not running")
        return self._supervisor

    def _check_stop(self) -> None:
        if self._stop_requested.is_set():
            raise Stopped

    def _pause(self, seconds: float) -> None:
        if self._stop_requested.wait(seconds):
            raise Stopped

    def _wait_for(self, futures: list[Future[None]], *aborts: Callable[[], None]) -> None:
        """Waits for all, and raises the first error. A requested stop aborts them."""
        while not all(future.done() for future in futures):
            if self._stop_requested.wait(0.01):
                for abort in aborts:
                    abort()
                break
        self._check_stop()
        for future in futures:
            future.result()


def _run(work: Coroutine[None, None, Result]) -> Result:
    """In a thread with a loop of its own, so that a caller may have a running loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _known_shards(layout: Layout) -> int:
    """Over how many shards rows are spread already; whoever started with fewer would not find them."""
    try:
        return int(layout.shards_file.read_text())
    except (OSError, ValueError):
        return 1
