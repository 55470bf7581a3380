"""An engine for the test: the one that runs; else, for root on Debian, one that is installed and started, and stopped afterwards."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.apt import complaint_of_apt_get
from local.engine import Engine
from local.errors import StartError

START_SECONDS = 60.0
STOP_SECONDS = 60.0
PACKAGES = ("docker.io", "debootstrap")


@contextmanager
def an_engine() -> Iterator[Engine]:
    """An engine that can build. Raises StartError, with a clear reason, only where none can run."""
    missing: StartError | None = None
    try:
        Engine.find()
    except StartError as error:
        missing = error
    if missing is None:
        yield Engine.find()
        return
    if os.geteuid() != 0 or (not shutil.which("dockerd") and not shutil.which("apt-get")):
        raise missing
    _install()
    with _daemon():
        yield Engine.find()


def _install() -> None:
    if shutil.which("dockerd"):
        return
    print("Installing Debian's docker.io for the container test ...", flush=True)
    for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        if complaint := complaint_of_apt_get(*command):
            raise StartError(f"docker.io could not be installed: {complaint}")


@contextmanager
def _daemon() -> Iterator[None]:
    """A dockerd of our own. It is ended with the containers that it runs; what it stored stays, for the next time."""
    with tempfile.TemporaryDirectory(prefix="onsale-dockerd-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(["dockerd"], stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            _wait(process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            Engine.find()
        except StartError:
            time.sleep(0.3)
        else:
            return
    last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    raise StartError(f"No container engine can run here: dockerd ended or did not answer ({last[:300]}).")
