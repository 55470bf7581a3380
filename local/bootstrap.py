"""Makes the virtual environment when it is missing or its list has changed, then runs a command with it.

    python3 local/bootstrap.py run|dev [ARGUMENTS OF .venv/bin/python ...]

The only module that runs before anything is installed: the standard library alone, and nothing that an old Python 3
cannot read, so that an old Python gets a sentence instead of a syntax error.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn  # an old Python must get as far as the sentence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "onsale-installed.json"
OLDEST = (3, 11)
LAST_LINES = 12


def main(arguments: list[str]) -> None:
    """Checks this Python, brings the environment up to date, and becomes the command."""
    if sys.version_info < OLDEST:
        fail(
            "Onsale needs Python {}.{} or newer; {} is {}.{}. Install a newer one, or name it: make up PYTHON=python3.12".format(
                *OLDEST, sys.executable, *sys.version_info[:2]
            )
        )
    if not arguments or arguments[0] not in ("run", "dev"):
        fail("Say which list to install: python3 local/bootstrap.py run|dev [arguments of .venv/bin/python]")
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two of these at the same moment: one installs, the other waits
        bring_up_to_date(arguments[0])
    if arguments[1:]:
        os.chdir(str(ROOT))
        os.execv(str(PYTHON), [str(PYTHON), *arguments[1:]])  # noqa: S606  # make must see the command itself


def bring_up_to_date(name: str) -> None:
    """Installs the list unless it is installed already. The list `dev` contains `run`, at the same versions."""
    wanted = digests()
    installed = read_stamp() if python_works() else {}
    if installed.get(name) == wanted[name]:
        return
    if not python_works():
        make_environment()
    STAMP.unlink() if STAMP.exists() else None
    install(name)
    done = {"run": wanted["run"], "dev": wanted["dev"]} if name == "dev" else {"run": wanted["run"]}
    STAMP.write_text(json.dumps(done))


def digests() -> dict[str, str]:
    """What the lists are now."""
    files = {name: ROOT / "requirements" / f"{name}.txt" for name in ("run", "dev")}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def read_stamp() -> dict[str, str]:
    """What the lists were when they were installed."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def python_works() -> bool:
    """Whether the environment's own Python runs: after an update of the system's it may not."""
    if not PYTHON.exists():
        return False
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST!r})"
    return subprocess.call([str(PYTHON), "-c", check], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def make_environment() -> None:
    """Makes .venv anew."""
    say("Making the virtual environment .venv ...")
    if not can_make_environments():
        add_missing_package()
    made = run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if made.returncode != 0:
        fail(f"The virtual environment {VENV} cannot be made:\n{made.stdout[-2000:]}")


def can_make_environments() -> bool:
    """Debian and Ubuntu ship a Python without this part."""
    return run([sys.executable, "-c", "import ensurepip, venv"]).returncode == 0


def add_missing_package() -> None:
    """Installs Debian's package with that part, if we may; else says what to do."""
    packages = ["python{}.{}-venv".format(*sys.version_info[:2]), "python3-venv"]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"This Python lacks venv: installing {packages[0]} with apt-get ...")
        run(["apt-get", "update", "-qq"])
        for package in packages:
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package])
            if can_make_environments():
                return
    fail(
        f"This Python ({sys.executable}) cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install {packages[0]}\n"
        "Elsewhere install a complete Python 3.11 or newer, and name it: make up PYTHON=..."
    )


def install(name: str) -> None:
    """pip, with one line that shows how far it is."""
    file = ROOT / "requirements" / f"{name}.txt"
    total = len(re.findall(r"^[a-z0-9][a-z0-9._-]*(?:\[[^\]]*\])?==", file.read_text(), re.MULTILINE))
    options = ["--no-deps", "--require-hashes", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    options.append("--no-compile")  # pip would do it on one core
    process = subprocess.Popen(
        [str(PYTHON), "-m", "pip", "install", *options, "-r", str(file)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, PIP_ROOT_USER_ACTION="ignore"),
        universal_newlines=True,
    )
    said: list[str] = []
    count = 0
    for line in process.stdout or ():
        said.append(line.rstrip())
        step = re.match(r"(?:Collecting|Requirement already satisfied:|Ignoring) ([A-Za-z0-9._-]+)", line)
        if step:
            count += 1
            progress(f"Packages: {count}/{total} {step.group(1)}")
        elif line.startswith("Installing"):
            progress(f"Packages: installing {total} ...")
    if process.wait() != 0:
        progress("")
        fail(
            "The packages of {} could not be installed. pip's last lines:\n  {}\n"
            "Is the package index reachable? Then run the same command again.".format(
                file, "\n  ".join(said[-LAST_LINES:])
            )
        )
    progress("Packages: compiling ...")
    # What does not compile here is for another Python: whoever imports it says so.
    run([str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(VENV / "lib")])
    progress(f"Packages: {total} installed.")
    sys.stderr.write("\n")


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A command whose output matters only if it fails."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
        text=True,
        check=False,
    )


def progress(text: str) -> None:
    """One line that replaces itself; only on a terminal, elsewhere the last one is enough."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[2K" + text)
    elif text.endswith("installed."):
        sys.stderr.write(text)
    sys.stderr.flush()


def say(text: str) -> None:
    """A line of its own."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def fail(sentence: str) -> NoReturn:
    """Says what is wrong and what to do, and ends."""
    sys.exit(sentence)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run the same command again to go on.")
