"""What several tests of `local` need."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 20.0
ROOT = Path(__file__).resolve().parents[2]


def eventually(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Polls until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"It did not become true within {seconds} s."
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether a process with that number exists and is not just waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def processes_that_mention(text: str) -> list[int]:
    """Processes whose command line or environment has the text, other than this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in words and int(folder.name) != os.getpid() and lives(int(folder.name)):
            found.append(int(folder.name))
    return found


@contextmanager
def folder_for_anybody() -> Iterator[Path]:
    """A temporary folder that every user can pass through, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="onsale-test-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def ordinary_user() -> pwd.struct_passwd:
    """Somebody without rights."""
    return pwd.getpwnam("nobody")


def run_as(user: pwd.struct_passwd, script: str) -> subprocess.CompletedProcess[str] | None:
    """Runs Python code as that user, with this environment's packages. None if they can run no fitting Python here."""
    for python in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin")):
        if python is None:
            continue
        packages = [entry for entry in sys.path if entry.endswith("site-packages")]
        environment = {**os.environ, "HOME": "/nonexistent", "PYTHONPATH": ":".join([str(ROOT), *packages])}
        try:
            done = subprocess.run(
                [python, "-B", "-c", f"import sys; assert sys.version_info[:2] == {sys.version_info[:2]}\n{script}"],
                cwd=ROOT,
                env=environment,
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                capture_output=True,
                text=True,
                check=False,
            )
        except PermissionError:
            continue
        return done if "AssertionError" not in done.stderr else None
    return None
