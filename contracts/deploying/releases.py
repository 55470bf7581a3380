"""What runs now, from git alone: the tree of the last release tag."""

import io
import subprocess
import tarfile
from pathlib import Path

TAGS = "v[0-9]*.[0-9]*.[0-9]*"


class RevisionUnknown(Exception):
    """Git knows no such revision; the text is a sentence."""


def git(root: Path, *arguments: str) -> str:
    """What git says, without the last line's end. Raises CalledProcessError."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def last_release(root: Path) -> str | None:
    """The tag of the last release that this checkout descends from; None before the first."""
    try:
        return git(root, "describe", "--tags", "--abbrev=0", "--match", TAGS, "HEAD")
    except subprocess.CalledProcessError:
        return None


def unpack(root: Path, revision: str, folder: Path) -> None:
    """Lays a revision's files into a folder; the checkout and its work trees stay as they are. Raises RevisionUnknown."""
    known = subprocess.run(
        ["git", "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if known.returncode != 0:
        raise RevisionUnknown(f"Git knows no revision {revision} here. `git tag` lists the releases.")
    packed = subprocess.run(
        ["git", "archive", "--format=tar", known.stdout.strip()], cwd=root, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
