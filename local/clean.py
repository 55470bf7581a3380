"""`make clean`: removes a data folder, wherever its parts live. The standard library alone."""

import fcntl
import sys
from pathlib import Path

from local.errors import StartError
from local.folder import is_ours, others_in, remove
from local.postgres import PostgresServer


def main() -> int:
    """The command line: the data folder."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".onsale").absolute()
    if not folder.exists():
        print(f"There is no data in {folder}.")
        return 0
    if not is_ours(folder) and (others_in(folder) or not (folder / "lock").exists()):
        print(f"{folder} does not look like a data folder of Onsale: nothing is removed.", file=sys.stderr)
        return 1
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"Onsale runs on {folder}. Stop it first (Ctrl-C where `make up` runs).", file=sys.stderr)
            return 1
        return _remove(folder)


def _remove(folder: Path) -> int:
    try:
        for server in ("postgres", "replica"):
            PostgresServer(folder / server).remove()
        left = remove(folder)
    except (OSError, StartError) as error:
        print(f"{folder} cannot be removed: {error}. Run the same command as its owner or as root.", file=sys.stderr)
        return 1
    if left:
        print(f"Removed the data of Onsale from {folder}. What is not Onsale's is still there: {', '.join(left)}")
    else:
        print(f"Removed {folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
