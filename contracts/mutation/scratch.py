"""Copies of the repository in which breaks are planted: the checkout itself is never changed."""

import os
import shutil
import subprocess
from pathlib import Path


def copy_of_checkout(checkout: Path, to: Path) -> None:
    """Copies what belongs to the repository, as it lies on the disk: also what is not committed yet, and not what is ignored.

    Raises RuntimeError where Git does not say what belongs to it.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=checkout, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(
            f"Breaks are planted in a copy, and Git does not say what belongs to {checkout}: {error}"
        ) from error
    for name in done.stdout.decode().split("\0"):
        source = checkout / name
        if name and source.is_file():  # Git also names what was deleted and is not committed yet
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)


def mend(copy: Path, sound: Path) -> None:
    """Makes a copy of a sound folder as sound again: what a break changed, removed or left behind."""
    wanted, found = _files(sound), _files(copy)
    for name in found.keys() - wanted.keys():
        (copy / name).unlink()
    for name in (name for name in wanted if found.get(name) != wanted[name]):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(sound / name, copy / name)


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file; a copy has both."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            status = os.stat(f"{place}/{name}")
            found[os.path.relpath(f"{place}/{name}", folder)] = (status.st_size, status.st_mtime_ns)
    return found
