"""What runs now, from git alone: the tree of the last release tag."""

import io
import re
import subprocess
import tarfile
import time
from pathlib import Path

TAG = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class RevisionUnknown(Exception):
    """Git knows no such revision; the text is a sentence."""


class HistoryMissing(Exception):
    """Nobody can say here what was released; the text is a sentence that says why."""


def git(root: Path, *arguments: str) -> str:
    """What git says, without the last line's end. Raises CalledProcessError."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def last_release(root: Path) -> str | None:
    """The tag of the highest release in this checkout's history; None before the first. Raises HistoryMissing."""
    try:
        tags = git(root, "tag", "--merged", "HEAD", "--sort=-version:refname").splitlines()
        shallow = git(root, "rev-parse", "--is-shallow-repository") == "true"
    except (OSError, subprocess.CalledProcessError) as error:
        raise HistoryMissing("What runs now is known by Git's tags, and here is no repository of Git.") from error
    found = next((tag for tag in tags if TAG.fullmatch(tag)), None)
    if found is None and shallow:
        raise HistoryMissing(
            "This clone has only the last commits, and no release among them: git fetch --unshallow --tags"
        )
    return found


def releases_of_days(root: Path, days: float) -> list[str]:
    """The tags of releases in this checkout's history that are at most so old."""
    listed = git(root, "tag", "--merged", "HEAD", "--format=%(creatordate:unix) %(refname:short)").splitlines()
    dated = [line.split(" ", 1) for line in listed]
    return [tag for at, tag in dated if TAG.fullmatch(tag) and time.time() - float(at) <= days * 86_400]


def unpack(root: Path, revision: str, folder: Path, *parts: str) -> None:
    """Lays a revision's files into a folder, all or those of some `parts`; the checkout stays as it is. Raises RevisionUnknown."""
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
        ["git", "archive", "--format=tar", known.stdout.strip(), *parts], cwd=root, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
