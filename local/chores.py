"""What services have to do besides serving: migrations, and what is loaded into the catalogue. Programs that run to their end."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from local.errors import StartError, Stopped
from local.supervisor import Supervisor
from local.topology import Layout

AT_ONCE = 2
LONGEST_SECONDS = 120.0
LOOK_SECONDS = 0.05
KILLED_SECONDS = 5.0
LOADS = "services.catalog.load"


class Chores:
    """Runs them with a service's settings, which `environment_of` knows. `stop_requested` cuts them short."""

    def __init__(
        self,
        supervisor: Supervisor,
        layout: Layout,
        environment_of: Callable[[str], Mapping[str, str]],
        stop_requested: Event,
    ) -> None:
        self._supervisor = supervisor
        self._layout = layout
        self._environment_of = environment_of
        self._stop_requested = stop_requested

    def migrate(self, services: Iterable[str]) -> None:
        """Brings the databases of these services to the newest version. Raises StartError, or Stopped."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(self._migrate, service) for service in services]:
                done.result()

    def load_sample(self) -> None:
        """The sample events, when no event lies ahead: on the first start, and when all have become history."""
        self._run("catalog", "load", LOADS, ("--sample", "--if-empty"), "could not load its samples")

    def load(self, file: str) -> str:
        """Loads a file into the catalogue, and says how it was understood. Raises StartError with what is wrong with it."""
        log = self._layout.log_file("catalog.load")
        said = log.stat().st_size if log.exists() else 0
        failure: StartError | None = None
        try:
            self._run("catalog", "load", LOADS, (file,), "could not load the file")
        except StartError as error:
            failure = error
        sentences = log.read_bytes()[said:].decode(errors="replace").strip()
        if failure is not None:
            raise StartError(sentences or str(failure)) from failure
        return sentences

    def _migrate(self, service: str) -> None:
        if self._stop_requested.is_set():
            raise Stopped
        self._run(service, "migrate", "chassis.migrate", (service,), "could not be migrated")

    def _run(self, service: str, what: str, module: str, arguments: tuple[str, ...], failed: str) -> None:
        name = f"{service}.{what}"
        child = self._supervisor.run(name, module, arguments, self._environment_of(service))
        deadline = time.monotonic() + LONGEST_SECONDS
        while child.poll() is None and not self._stop_requested.is_set() and time.monotonic() < deadline:
            child.wait(LOOK_SECONDS)
        if child.poll() is None:
            child.send_signal(9)
            child.wait(KILLED_SECONDS)
        if self._stop_requested.is_set():
            raise Stopped
        if child.poll() != 0:
            raise StartError(f"{service} {failed}. {self._layout.last_words(name)}")
