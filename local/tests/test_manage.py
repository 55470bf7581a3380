"""A program is restarted, a file is loaded, and traces are listed, from another terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.control import Control
from local.errors import StartError
from local.manage import load, restart
from local.running import Running
from local.traces import render
from tracing.tests.traces import TRACE_ID, purchase


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A running system that knows web alone and takes every file but an empty one."""

    def restarted(*, environments: dict[str, Any]) -> None:
        if set(environments) != {"web"}:
            raise KeyError(next(iter(environments)))

    def loaded(*, file: str) -> str:
        if not Path(file).read_text():
            raise StartError("catalog could not load the file. It is empty.")
        return f"{Path(file).name}: added"

    control = Control({"restart": restarted, "load": loaded})
    yield Running({}, tmp_path, control.path)
    control.close()


def test_a_program_runs_again(running: Running) -> None:
    assert restart(running, "web").startswith("web runs again, with the code as it is now")
    with pytest.raises(StartError, match="has no 'webb'"):
        restart(running, "webb")
    with pytest.raises(StartError, match="Say which: make restart NAME=web"):
        restart(running, "")


def test_a_file_is_loaded_or_refused_with_what_is_wrong(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    with pytest.raises(StartError, match="There is no file"):
        load(running, str(file))
    file.write_text("{}")
    assert load(running, str(file)) == "event.json: added"
    file.write_text("")
    with pytest.raises(StartError, match="It is empty"):
        load(running, str(file))


def test_traces_are_listed_a_line_each_with_how_to_open_one() -> None:
    lines = render([purchase()]).splitlines()
    assert lines[1].split()[1:] == ["200", "ms", "7", "1", TRACE_ID, "web", "POST", "/checkout"]
    assert lines[-1] == f"make trace ID={TRACE_ID}"
