"""PDFs that were printed, kept on disk for a while: who asks again for the same tickets gets the same file at once.

A file is found by the digest of all that it shows, so that a ticket that changed is printed anew. Bounded in bytes and in age:
what was printed longest ago goes first, and a name that stands on a ticket is not kept longer than a day while a process runs here.
What a killed process left in a folder of its own goes when the next one starts on this machine.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from chassis.logs import log

_PREFIX = "onsale-printed-"
_LOG = log(__name__)


class Shelf:
    """A folder of PDFs that nobody else reads. Its methods block for a moment: call them in a thread.

    Without a folder it has a temporary one of its own until it is closed. A folder that cannot be used keeps nothing, and
    printing goes on.
    """

    def __init__(self, folder: Path | None, *, bytes_max: int, seconds_max: float) -> None:
        self._is_temporary = folder is None
        self._held: int | None = None
        self._folder = folder or self._temporary()
        self._bytes_max = bytes_max
        self._seconds_max = seconds_max

    def close(self) -> None:
        """Removes the temporary folder."""
        if self._is_temporary:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def find(self, digest: str) -> bytes | None:
        """The PDF with this digest, if it is kept and not too old."""
        path = self._path(digest)
        try:
            if time.time() - path.stat().st_mtime > self._seconds_max:
                return None
            return path.read_bytes()
        except OSError:
            return None

    def put(self, digest: str, pdf: bytes) -> None:
        """Keeps a PDF, and lets go of what is too much."""
        if len(pdf) > self._bytes_max:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = self._folder / f"{uuid4().hex}.unfinished"
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(pdf)
            unfinished.replace(self._path(digest))
            self.tidy()
        except OSError as error:
            _LOG.warning("a printed PDF cannot be kept", error=type(error).__name__)

    def tidy(self) -> int:
        """Removes what is too old, and the oldest until the rest is within its bytes. How many files went."""
        now, kept, removed = time.time(), 0, 0
        for modified, size, path in sorted(self._files(), reverse=True):
            kept += size
            if kept > self._bytes_max or now - modified > self._seconds_max:
                with contextlib.suppress(OSError):
                    path.unlink()
                    removed += 1
        return removed

    def _temporary(self) -> Path:
        """A folder of this process's own, held as long as it lives, so that others can tell it from one that was left."""
        remove_abandoned(Path(tempfile.gettempdir()))
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._held = _hold(folder)
        return folder

    def _files(self) -> list[tuple[float, int, Path]]:
        files = []
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    known = entry.stat()
                    files.append((known.st_mtime, known.st_size, Path(entry.path)))
        return files

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.pdf"


def remove_abandoned(parent: Path) -> None:
    """Removes the temporary folders of processes of this user that were killed: nobody holds them any more."""
    for folder in parent.glob(f"{_PREFIX}*"):
        held = _hold(folder)
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _hold(folder: Path) -> int | None:
    """Holds a folder of this user until the descriptor is closed, at the latest with the process. None if somebody else does."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None
