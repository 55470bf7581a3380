"""The fork server: programs are forks of one process, run the code that lies on the disk, and their ends are told."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.forkserver import Forked, ForkServer
from local.tests.helpers import ROOT

SECONDS = 30.0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One whose only program says a word, of a module that a service imports, and another one waits."""
    files = {
        "chassis/__init__.py": "",
        "chassis/word.py": "WORD = 'first'\n",
        "chassis/program.py": "import sys\nfrom chassis.word import WORD\nprint(WORD, flush=True)\nsys.exit(int(sys.argv[1]))\n",
        "chassis/waiting.py": "import sys\nopen(sys.argv[1]).read()\nsys.exit(7)\n",
        "services/__init__.py": "",
        "services/some/__init__.py": "",
        "services/some/app.py": "import chassis.word\n",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "local").symlink_to(ROOT / "local")
    return tmp_path


@pytest.fixture
def forks(checkout: Path) -> Iterator[ForkServer]:
    server = ForkServer(checkout, "test")
    server.open(sys.stderr.fileno())
    yield server
    server.close()


def run(forks: ForkServer, module: str, *arguments: str) -> tuple[Forked, int]:
    """A program, and where its output can be read."""
    reading, writing = os.pipe()
    try:
        return forks.start(module, arguments, dict(os.environ), writing), reading
    finally:
        os.close(writing)


def said(output: int) -> str:
    with open(output) as lines:
        return lines.read()


def test_program_runs_the_code_that_lies_on_the_disk_when_it_is_started(forks: ForkServer, checkout: Path) -> None:
    program, output = run(forks, "chassis.program", "0")
    assert said(output) == "first\n"
    assert program.wait(SECONDS) == 0

    (checkout / "chassis/word.py").write_text("WORD = 'second'\n")
    program, output = run(forks, "chassis.program", "3")

    assert said(output) == "second\n"
    assert program.wait(SECONDS) == 3


def test_end_of_a_program_is_told_after_the_code_has_changed(forks: ForkServer, checkout: Path) -> None:
    fifo = checkout / "fifo"
    os.mkfifo(fifo)
    long_one, waiting_output = run(forks, "chassis.waiting", str(fifo))

    (checkout / "chassis/word.py").write_text("WORD = 'another'\n")
    _, output = run(forks, "chassis.program", "0")
    assert said(output) == "another\n"
    assert long_one.poll() is None
    fifo.write_text("go on")

    assert long_one.wait(SECONDS) == 7
    os.close(waiting_output)


def test_code_that_cannot_be_imported_is_told_by_the_program_that_needs_it(forks: ForkServer, checkout: Path) -> None:
    (checkout / "chassis/word.py").write_text("WORD =\n")
    program, output = run(forks, "chassis.program", "0")
    assert "SyntaxError" in said(output)
    assert program.wait(SECONDS) == 1

    (checkout / "chassis/word.py").write_text("WORD = 'mended'\n")
    program, output = run(forks, "chassis.program", "0")
    assert said(output) == "mended\n"


def test_who_starts_a_system_imports_no_library_of_services() -> None:
    """They would be imported before anything is started, and stay in a process that does not need them."""
    asked = "import sys, local.up; print(*sorted({'fastapi', 'pydantic', 'sqlalchemy', 'uvicorn', 'opentelemetry'} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
