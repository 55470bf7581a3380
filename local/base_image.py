"""What images stand on: the pinned one of the Dockerfile, or, where no registry can be reached, a stand-in made of Debian.

The stand-in has the same Debian and the same minor version of Python, so that images made on it can be tried; it is not for
shipping. It is made once, by root, with `debootstrap`, and kept by the engine under a tag that names its recipe.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from local.engine import Engine
from local.errors import StartError

SUITE = "trixie"
PACKAGES = ("ca-certificates", "python3", "python3-venv")
# What a container never reads, and what belongs to the machine that it runs on.
LEFT_OUT = (
    *(
        "dev/*",
        "proc/*",
        "sys/*",
        "tmp/*",
        "var/log/*",
        "var/cache/apt/*",
        "var/cache/debconf/*",
        "var/lib/apt/lists/*",
    ),
    *("usr/share/doc/*", "usr/share/info/*", "usr/share/locale/*", "usr/share/man/*"),
)
ROOM_BYTES = 1_000_000_000
PULL_SECONDS = 300.0
Say = Callable[[str], None]


def find_base(engine: Engine, dockerfile: Path, say: Say) -> str:
    """The base image to build on: BASE_IMAGE of the environment, the Dockerfile's own, or the stand-in for it.

    Raises StartError if none of them can be had.
    """
    if named := os.environ.get("BASE_IMAGE"):
        return named
    pinned = pinned_base(dockerfile)
    if engine.has_image(pinned):
        return pinned
    stand_in = _tag()
    if engine.has_image(stand_in):
        say(f"No {pinned} here: building on its stand-in {stand_in}.")
        return stand_in
    say(f"Getting {pinned} ...")
    pulled = engine.attempt("pull", "--quiet", pinned, seconds=PULL_SECONDS)
    if pulled.returncode == 0:
        return pinned
    reason = (pulled.stderr.strip().splitlines() or ["no answer"])[-1]
    say(f"It cannot be had ({reason}). Making a stand-in of Debian {SUITE} (once, about a minute) ...")
    make_stand_in(engine, stand_in)
    return stand_in


def pinned_base(dockerfile: Path) -> str:
    """The base that the Dockerfile names."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise StartError(f"{dockerfile} names no base image: it needs a line ARG BASE_IMAGE=name:version.")
    return found[1]


def make_stand_in(engine: Engine, tag: str) -> None:
    """Debian's own Python on a minimal Debian. Raises StartError with a sentence that says what to do."""
    _check_debootstrap()
    with tempfile.TemporaryDirectory(prefix="onsale-base-", dir=_scratch()) as folder:
        root = Path(folder) / "root"
        _debootstrap(root)
        # The official image's name for it.
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        _import(engine, root, tag)


def _tag() -> str:
    recipe = repr((SUITE, PACKAGES, LEFT_OUT))
    return f"onsale/base-stand-in:{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"


def _check_debootstrap() -> None:
    """Installs Debian's debootstrap if it is missing and this is root; else says what to do."""
    otherwise = (
        "Reach a registry (docker login, a mirror in the engine's settings), or name an image with Python 3.11 or newer that "
        "the engine has: make images BASE_IMAGE=..."
    )
    if os.geteuid() != 0:
        raise StartError(
            f"Only root can make the stand-in: run the same command with sudo, which needs debootstrap. {otherwise}"
        )
    if not shutil.which("debootstrap") and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", "--no-install-recommends", "debootstrap"]):
            _quietly(["apt-get", "-qq", *command])
    if not shutil.which("debootstrap"):
        raise StartError(f"The stand-in needs debootstrap, which is not here (Debian has it). {otherwise}")


def _debootstrap(root: Path) -> None:
    words = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "--force-check-gpg"]
    done = _quietly([*words, SUITE, str(root), *_mirror()])
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-8:])
        raise StartError(
            f"debootstrap could not make the stand-in; its last lines:\n{said}\nIs Debian's mirror reachable?"
        )


def _import(engine: Engine, root: Path, tag: str) -> None:
    """One layer of all that is left."""
    excluded = [f"--exclude=./{each}" for each in LEFT_OUT]
    with subprocess.Popen(["tar", "-C", str(root), *excluded, "-c", "."], stdout=subprocess.PIPE) as tar:
        done = subprocess.run(
            [engine.client, "import", "--change", 'CMD ["python3"]', "-", tag],
            stdin=tar.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0 or tar.returncode != 0:
        raise StartError(f"The engine did not take the stand-in: {done.stderr.strip()}")


def _mirror() -> list[str]:
    """The Debian mirror that this machine uses; none: debootstrap then takes its own."""
    if not shutil.which("apt-get"):
        return []
    listed = _quietly(["apt-get", "indextargets", "--format", "$(REPO_URI)"])
    found = [line.rstrip("/") for line in listed.stdout.splitlines() if re.fullmatch(r"https?://\S+/debian/?", line)]
    return found[:1] if listed.returncode == 0 else []


def _scratch() -> str | None:
    """Memory, where there is enough of it and devices may be made there: twice as quick. Else the usual place (None)."""
    memory = "/dev/shm"  # noqa: S108  # a folder of its own is made in it
    if not os.path.isdir(memory) or shutil.disk_usage(memory).free < ROOM_BYTES:
        return None
    forbidden = os.ST_NODEV | os.ST_NOEXEC | os.ST_RDONLY
    return None if os.statvfs(memory).f_flag & forbidden else memory


def _quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        text=True,
        errors="replace",
        check=False,
    )
