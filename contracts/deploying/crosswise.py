"""Runs what two versions of the repository have to say about each other: side by side, with one Postgres for all of it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from contracts.forks import Ended, Forks
from contracts.running import ACROSS, pytest_arguments
from local.postgres import PostgresServer

# Tests of any version find a server by this, and then start none of their own (chassis/testing.py).
POSTGRES_VARIABLE = "ONSALE_TEST_POSTGRES_URL"


class Crosswise:
    """Programs and tests of either version. Use from several threads."""

    def __init__(self, forks: Forks | None = None) -> None:
        self._forks = forks or Forks()
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}

    @contextmanager
    def with_databases(self) -> Iterator[None]:
        """Tests that need databases may run in here. A server that is there already is used."""
        if POSTGRES_VARIABLE in self._environment:
            yield
            return
        with PostgresServer(durable=False) as postgres:
            self._environment[POSTGRES_VARIABLE] = postgres.url()
            yield

    def program(self, root: Path, module: str, *arguments: str) -> Ended:
        """A program of the version at `root`."""
        return self._forks.run(root, module, arguments, self._environment | {"PYTHONPATH": str(root)})

    def tests(
        self, root: Path, tests: Iterable[Path], contracts: Path, *options: str, more: Mapping[str, str] | None = None
    ) -> Ended:
        """Tests of the version at `root`, on the contracts of the other that lie in a folder. `more` variables."""
        environment = self._environment | {"PACTS": "", "PYTHONPATH": str(root), ACROSS: str(contracts), **(more or {})}
        return self._forks.run(root, "pytest", pytest_arguments(root, tests, *options), environment)
