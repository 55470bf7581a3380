"""What people type wrong is said in a sentence, before anything is asked of the running system."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.commands import seconds


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["local.stuck", "--older", "-5"], "it is a number of seconds, 0 or more, not '-5'"),
        (["local.traces", "--slower", "abc"], "it is a number of seconds, 0 or more, not 'abc'"),
        (["rehearsal.audit", "--wait", "nan"], "it is a number of seconds, 0 or more, not 'nan'"),
        (["rehearsal.audit", "--log", "missing.jsonl"], "There is no file missing.jsonl"),
        (["local.trace", "--file", "missing.jsonl"], "There is no file missing.jsonl"),
        (["local.verify_queue", "--event", ""], "No event is named. Copy the address from the browser"),
    ],
)
def test_a_wrong_word_is_named(tmp_path: Path, command: list[str], sentence: str) -> None:
    module, *words = command
    run = [sys.executable, "-m", module, "--data", str(tmp_path), *words]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_seconds_may_have_a_point() -> None:
    assert seconds("0.5") == 0.5


def test_a_command_ends_quietly_when_nobody_reads_it_any_more() -> None:
    program = "from local.commands import stop_when_nobody_reads as s; s(); print('x\\n' * 1_000_000)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"x\n"
        running.stdout.close()
        assert running.stderr.read() == b""
