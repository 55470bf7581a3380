"""The data folder's entries: which of them are Onsale's, so that nothing else is ever taken or removed. The standard library alone."""

import shutil
from pathlib import Path

OURS = frozenset(
    [
        "bank.sqlite3",
        "bank.sqlite3-shm",
        "bank.sqlite3-wal",
        "drill.json",
        "keys",
        "lock",
        "logs",
        "mailbox",
        "nats",
        "postgres",
        "rehearsals",
        "replica",
        "run.json",
        "running",
        "secrets.json",
        "shards",
        "traces",
    ]
)
# What only a folder has in which a system was started before.
MARKS = ("secrets.json", "postgres")


def is_ours(folder: Path) -> bool:
    """Whether a system was started there before."""
    return any((folder / mark).exists() for mark in MARKS)


def others_in(folder: Path) -> list[str]:
    """The names of what lies there and is not Onsale's. Raises OSError if it cannot be looked at."""
    return sorted(each.name for each in folder.iterdir() if each.name not in OURS) if folder.exists() else []


def remove(folder: Path) -> list[str]:
    """Removes what is Onsale's, and the folder if it is empty then. What is left there. Raises OSError."""
    for name in sorted(OURS):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    left = others_in(folder)
    if not left:
        folder.rmdir()
    return left
