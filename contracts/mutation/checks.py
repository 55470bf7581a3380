"""Runs contract checks in a copy of the repository, in a process of its own, and tells what failed and why.

A fork of a process that has the libraries (contracts/forks.py): to import them costs more than most checks do.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from contracts.forks import LOG, server, settle

LONGEST_SECONDS = 180.0
LAST_CHARACTERS = 2000
ENDS = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}
OPTIONS = (
    "-q",
    "--continue-on-collection-errors",
    *("--disable-plugin-autoload", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-p", "no:cacheprovider"),
)
BROKEN, ASSERTED, NOT_REFUSED = "ContractBroken", "AssertionError", "DID NOT RAISE ContractBroken"


@dataclass(frozen=True)
class Failure:
    """A test that failed, or a file that could not be read as tests: its error's kind, its words, and the file that raised it."""

    test: str
    kind: str
    message: str
    raised_in: str

    @property
    def is_about_a_contract(self) -> bool:
        """Whether a check of contracts said no, and not a crash or a test about something else."""
        if self.kind == ASSERTED:
            return self.raised_in.startswith("contracts/") or "/tests/contract/" in self.raised_in
        return self.kind == BROKEN or self.message == NOT_REFUSED

    @property
    def words(self) -> str:
        """What somebody reads who looks at it."""
        return f"{self.test}: {self.message}"


@dataclass(frozen=True)
class Outcome:
    """What came of a run: which tests passed, and what failed. `crash` says why there is no result, if there is none."""

    passed: tuple[str, ...]
    failures: tuple[Failure, ...]
    crash: str = ""

    @property
    def is_green(self) -> bool:
        """Whether tests ran, and all passed."""
        return bool(self.passed) and not self.crash and not self.failures


class Runner:
    """Runs checks. Use from several threads for several runs at a time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._context = server()

    def run(self, root: Path, checks: Sequence[str], **environment: str) -> Outcome:
        """Runs tests of the repository's copy at `root`. Variables of the environment by keyword."""
        with TemporaryDirectory(dir=root.parent, prefix="run-") as own:
            ours, theirs = self._context.Pipe(duplex=False)
            arguments = (theirs, str(root), list(checks), self._environment | environment, own)
            process = self._context.Process(target=_become_pytest, args=arguments)
            process.start()
            theirs.close()
            said: dict[str, Any] | None = None
            with ours, contextlib.suppress(EOFError):
                if ours.poll(LONGEST_SECONDS):
                    said = json.loads(ours.recv_bytes())
            if said is None:
                process.kill()
            process.join()
            if said is None or said["code"] not in ENDS:
                end = _end_of(Path(own) / LOG)
                return Outcome((), (), f"The checks did not come to an end (exit code {process.exitcode}):\n{end}")
        return Outcome(tuple(said["passed"]), tuple(Failure(**each) for each in said["failures"]))


class _Results:
    """A plugin of pytest: what passed, and what failed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.passed: list[str] = []
        self.failures: list[dict[str, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """A hook of pytest: notes the error itself, which a report has only as text."""
        report: pytest.TestReport = yield
        if report.failed and call.excinfo is not None:
            raised_in = self._relative(Path(call.excinfo.traceback[-1].path))
            self._note(item.nodeid, call.excinfo.type.__name__, str(call.excinfo.value), raised_in)
        elif report.when == "call" and report.passed:
            self.passed.append(item.nodeid)
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A hook of pytest: a file that cannot be imported is a failure too."""
        if report.failed:
            self._note(report.nodeid, "no tests", report.longreprtext, "")

    def _note(self, test: str, kind: str, message: str, raised_in: str) -> None:
        # Messages name paths within the repository: the copy lies somewhere else each time.
        message = message.replace(f"{self._root}/", "")
        self.failures.append({"test": test, "kind": kind, "message": message, "raised_in": raised_in})

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self._root)) if path.is_relative_to(self._root) else str(path)


def _become_pytest(tell: Connection, root: str, checks: list[str], environment: dict[str, str], own: str) -> None:
    """What the forked process does: pytest on the copy, as if it had been started there."""
    settle(Path(root), environment, f"{own}/{LOG}")
    results = _Results(Path(root))
    options = [*OPTIONS, f"--basetemp={own}/temporary", *checks]
    code = int(pytest.main(options, plugins=[results]))
    tell.send_bytes(json.dumps({"code": code, "passed": results.passed, "failures": results.failures}).encode())
    tell.close()
    os._exit(0)  # whatever a broken check has left running ends with it


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-LAST_CHARACTERS:] if log.exists() else ""
