"""Starts Python programs in copies of the repository quickly, in processes of their own.

Starting Python and importing the libraries costs more than most of these programs do, so both are done once: a server process, which
has imported nothing of the project, forks for each run.
"""

import gc
import multiprocessing
import os
import runpy
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).parents[1]
LOG = "log"
# Modules of third parties that neither open anything nor start a thread when they are imported.
PRELOADED = (
    "alembic.command",
    "alembic.config",
    "asyncpg",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "fastapi",
    "jinja2",
    "jwt",
    "nats.js.api",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk.trace",
    "orjson",
    "pact.generate",
    "pact.match",
    "pact.verifier",
    "pydantic_settings",
    "pytest",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "sqlmodel",
    "structlog",
    "uuid_utils",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.server",
)


@dataclass(frozen=True)
class Ended:
    """A program that has ended: its exit code, and what it wrote."""

    code: int | None
    said: str


class Forks:
    """Runs programs, as many at a time as there are cores. Use from several threads for several programs at a time."""

    def __init__(self) -> None:
        self._context = server()
        self._free = threading.Semaphore(os.cpu_count() or 1)

    def run(self, root: Path, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Ended:
        """`python -m module arguments` in the copy at `root`, with exactly that environment."""
        with self._free, TemporaryDirectory() as folder:
            log = Path(folder) / LOG
            given = (str(root), module, list(arguments), dict(environment), str(log))
            process = self._context.Process(target=_become, args=given)
            process.start()
            process.join()
            return Ended(process.exitcode, log.read_text(encoding="utf-8", errors="replace") if log.exists() else "")


def server() -> ForkServerContext:
    """A server whose forks have the libraries imported already. It starts with the first process that is wanted."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def settle(root: Path, environment: Mapping[str, str], log: str) -> None:
    """In a forked process: from here on it is as if Python had been started in the copy at `root`."""
    gc.freeze()  # what all runs have in common is not looked through again and again
    output = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(root)
    os.environ.update(environment)
    _forget_the_checkout(root)


def _become(root: str, module: str, arguments: list[str], environment: dict[str, str], log: str) -> None:
    os.environ.clear()
    settle(Path(root), environment, log)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _forget_the_checkout(root: Path) -> None:
    """Modules of the project come from the copy."""
    ours = {path.name for path in root.iterdir() if (path / "__init__.py").is_file()}
    for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
        del sys.modules[name]
    sys.path[:] = [str(root), *(entry for entry in sys.path if entry and Path(entry) != CHECKOUT)]
