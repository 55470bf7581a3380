"""Keeps programs running: starts again what dies, with a growing delay, and says so."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.console import Console, Pumps
from local.forkserver import Forked, ForkServer
from local.topology import Program

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 15.0
# A program that ran this long is taken to be well, and begins with the first delay again.
WELL_AFTER_SECONDS = 30.0
LOOK_SECONDS = 0.05
STOP_SECONDS = 12.0


@dataclass
class _Running:
    program: Program
    child: Forked
    environment: Mapping[str, str]
    since: float
    failures: int = 0
    restart_at: float | None = None
    wanted: bool = True


class Supervisor:
    """Starts programs through the fork server. Safe to use from several threads."""

    def __init__(self, forks: ForkServer, pumps: Pumps, console: Console, log_file: Callable[[str], Path]) -> None:
        self._forks = forks
        self._pumps = pumps
        self._console = console
        self._log_file = log_file
        self._running: dict[str, _Running] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self.hurry = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def start(self, program: Program, environment: Mapping[str, str] | None = None) -> None:
        """Starts a program and keeps it running. `environment` is added to its own until it is started with another."""
        extra = environment or {}
        with self._lock:
            child = self._launch(program, extra)
            self._running[program.name] = _Running(program, child, extra, time.monotonic())

    def run(
        self,
        name: str,
        module: str,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        namespaces: tuple[str, ...] = (),
    ) -> Forked:
        """Starts a program that ends by itself, such as a migration."""
        output = self._pumps.pipe(name, self._log_file(name))
        try:
            return self._forks.start(module, arguments, {**os.environ, **environment}, output, namespaces)
        finally:
            os.close(output)

    def pid(self, name: str) -> int:
        """The id of the program's present process. Raises KeyError if there is no such program."""
        return self._running[name].child.pid

    def is_running(self, name: str) -> bool:
        """Whether the program's process lives at this moment."""
        running = self._running.get(name)
        return running is not None and running.child.poll() is None

    def failures(self, name: str) -> int:
        """How often it died since it was last well."""
        return self._running[name].failures

    def kill(self, name: str, restart: bool) -> None:
        """Kills a program (SIGKILL). With `restart` the supervisor starts it again, as after any death; without, it stays dead."""
        with self._lock:
            running = self._running[name]
            running.wanted = restart
        running.child.send_signal(signal.SIGKILL)
        running.child.wait(STOP_SECONDS)

    def stop(self, *names: str) -> None:
        """Asks the programs to end, at the same time, and waits. They are not started again."""
        with self._lock:
            leaving = [self._running.pop(name) for name in names if name in self._running]
        for running in leaving:
            running.child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for running in leaving:
            while running.child.poll() is None and time.monotonic() < deadline and not self.hurry.is_set():
                running.child.wait(LOOK_SECONDS)
            if running.child.poll() is None:
                why = "as you asked" if self.hurry.is_set() else f"because it did not end within {STOP_SECONDS:g} s"
                self._console.say(f"{running.program.name} is killed, {why}.")
                running.child.send_signal(signal.SIGKILL)
                running.child.wait(STOP_SECONDS)

    def close(self) -> None:
        """Ends the supervising itself."""
        self._closing.set()
        self._thread.join()

    def _launch(self, program: Program, extra: Mapping[str, str]) -> Forked:
        environment = {**program.environment, **extra}
        return self.run(program.name, program.module, program.arguments, environment, program.namespaces)

    def _watch(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            with self._lock:
                for running in self._running.values():
                    if running.wanted and running.child.poll() is not None:
                        self._bring_back(running)

    def _bring_back(self, running: _Running) -> None:
        now = time.monotonic()
        if running.restart_at is None:
            running.failures = 1 if now - running.since > WELL_AFTER_SECONDS else running.failures + 1
            delay = min(FIRST_DELAY_SECONDS * 2 ** (running.failures - 1), LONGEST_DELAY_SECONDS)
            running.restart_at = now + delay
            how = how_it_ended(running.child.poll())
            self._console.say(f"{running.program.name} {how}; it is started again in {delay:g} s.")
        elif now >= running.restart_at:
            running.restart_at = None
            running.since = now
            try:
                running.child = self._launch(running.program, running.environment)
            except RuntimeError as error:
                running.wanted = False
                self._console.say(f"{running.program.name} cannot be started again: {error}")


def how_it_ended(code: int | None) -> str:
    """In words."""
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
